"""A store of a Compose file in our words: a database, a cache or a queue, with its data, its check and its backup."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.file.init.compose import running
from crossfade.file.init.compose.bringing import begins_empty, copied
from crossfade.file.init.compose.crons import from_labels
from crossfade.file.init.compose.environment import Variables, named_secrets, variables_of
from crossfade.file.init.compose.health import command_of
from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.judge.known_stores import KnownStore, known_otherwise, known_store
from crossfade.file.init.compose.limits import limits_of
from crossfade.file.init.compose.needs import tell_needs
from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.compose.source.mounts import Mount, becomes, given, lasts, makes, mounts_of, our_name
from crossfade.file.init.compose.source.ports import exposed, ports_of
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.dockerfile import Dockerfile
from crossfade.file.init.todo import Rank
from crossfade.file.units import read_duration, write_duration
from crossfade.paths import from_folder
from crossfade.source.there import is_there

Settings = dict[str, Any]

_PATIENCE = 60.0  # seconds that a store has by itself to become ready
_WHY = {
    "restart": "Docker starts a store again when it ends",
    "restart_policy": "Docker starts a store again when it ends",
    "networks": "the containers of an app share one network, and join what `network` names",
    "container_name": "it is found by its name in this file",
    "hostname": "it is called by its name in this file",
    "labels": "crossfade labels containers itself",
    "logging": "Docker keeps what it writes: see docker logs",
    "init": "every container has an init already",
    "platform": "an image runs on the platform that it was built for",
    "pull_policy": "an image is pulled when it is not here",
    "links": "stores are found by their names",
    "privileged": "containers get no rights over the machine",
    "replicas": "a store is one container",
    "scale": "a store is one container",
}
_SILENT = frozenset(
    {"image", "build", "ports", "expose", "environment", "env_file", "healthcheck", "deploy", *running.SAME}
) | {"depends_on", "stop_grace_period", "mem_limit", "cpus", "volumes", "profiles", "secrets", "configs"}
_SILENT_BELOW = frozenset({"resources", "update_config"})


@dataclass(frozen=True)
class CarriedStore:
    """A store as crossfade's file has it, and what its container knows."""

    compose_name: str
    settings: Settings
    variables: Variables


def stays(compose: Settings) -> str:
    """Why a store cannot be one of the file's; empty when it can."""
    if compose.get("network_mode"):
        return f"network_mode {compose['network_mode']}: stores are found by their names on the app's own network"
    return "volumes_from takes the volumes of another container" if compose.get("volumes_from") else ""


def carry_store(
    project: Project,
    name: str,
    *,
    because: str,
    app: str,
    dockerfile: Dockerfile | None,
    notes: ServiceNotes,
    here: Path,
) -> CarriedStore:
    """The store in our words; what is left out, assumed or left to do is told to `notes`."""
    compose = project.plain["services"][name]
    return _Store(project, name, compose, dockerfile, notes, here).carried(app, because)


@dataclass
class _Store:
    project: Project
    name: str
    compose: Settings
    dockerfile: Dockerfile | None
    notes: ServiceNotes
    here: Path
    known: KnownStore = field(default_factory=lambda: known_store("", "", {}))
    is_known: bool = True  # where it keeps its data

    def carried(self, app: str, because: str) -> CarriedStore:
        variables = variables_of(self.project, self.compose, self.notes, self.here)
        running.bring_secrets(self.project, self.name, variables.secrets, self.notes)
        image = running.image_of(self.compose, app, self.name)
        running.tell_tag(self.compose, image, self.notes)
        word = signs.store_in(image) or signs.store_in(self.dockerfile.base if self.dockerfile else "")
        self.known = known_store(word, _tag(image), {**dict.fromkeys(variables.known, ""), **variables.env})
        if not word:
            ports = [*(port.target for port in ports_of(self.compose)), *exposed(self.compose)]
            otherwise = known_otherwise(ports, variables.known)
            self.known, self.is_known = otherwise or self.known, otherwise is not None
        deploy = self.compose.get("deploy")
        deploy = deploy if isinstance(deploy, dict) else {}
        store: Settings = {
            "image": running.image_setting(self.compose, image, self.project, self.here, self.notes),
            **self._settings(),
            "volumes": self._volumes(app),
            "env": dict(variables.env),
            "env_file": [running.typed(path, self.project.folder, self.here) for path in variables.files],
            "secrets": named_secrets(variables),
            "health": self._health(),
            "backup": self._backup(image),
            "grace": self.compose.get("stop_grace_period"),
            "resources": limits_of(self.compose, deploy, self.notes),
        }
        self._leave_the_rest(deploy)
        self.notes.comment("image", because)
        filled = {key: value for key, value in store.items() if value not in (None, {}, [])}
        return CarriedStore(self.name, filled, variables)

    def _settings(self) -> Settings:
        """What starts, as Compose has it; data in memory is kept in a volume instead, which `_volumes` gives it."""
        settings = running.settings_of(self.compose, self.notes)
        kept = []
        for place in settings.get("tmpfs", ()):
            target = str(place).partition(":")[0]
            if signs.data_place(target) or target == self.known.data:
                self.notes.leave(("tmpfs",), f"tmpfs {place}", "it keeps data: a volume has that place now")
            else:
                kept.append(place)
        return {**settings, "tmpfs": kept}

    def _volumes(self, app: str) -> list[str]:
        """Its data first. What is mounted otherwise comes along where it is there; each that does not is told."""
        found: list[str] = []
        for mount in mounts_of(self.compose):
            if mount.target.startswith("/docker-entrypoint") or not given(mount):
                found += self._beside(mount)
            elif lasts(mount, self.project.folder) and not makes(mount, self.project.folder):
                found.append(self._kept(mount, app))
            elif _is_config(mount, self.project.folder):
                found += self._beside(mount)
            else:
                found.append(self._new(mount))
        if not any(entry.split(":")[2:] != ["ro"] for entry in found):
            self.notes.comment("volumes", "its data; Compose kept it in no volume that has a name")
            found.insert(0, f"{our_name(self.notes.name)}-data:{self.known.data}")
            if not self.is_known:
                what = f"write where it keeps its data: {self.known.data} is assumed, and what lies elsewhere is lost"
                self.notes.todo(Rank.DATA, "volumes", what)
        return [*found, *running.handed_files(self.project, self.name, self.here, self.notes)]

    def _beside(self, mount: Mount) -> Iterator[str]:
        """What it only reads: a file of its settings, a folder of what its first start does."""
        there = from_folder(self.project.folder, mount.source)
        if makes(mount, self.project.folder) and not there.suffix:
            self.notes.folder(there)
            yield f"{self._path(mount)}:{mount.target}:ro"
            return
        if given(mount) and mount.kind == "bind" and is_there(there):
            yield f"{self._path(mount)}:{mount.target}:ro"
            return
        said = becomes(mount, self.project.folder)
        if given(mount) and mount.kind == "bind":
            said = f"it does not exist: bring {mount.source}, and write {mount.source}:{mount.target}:ro under volumes"
            self.notes.todo(Rank.NEVER_HEALTHY, "volumes", said)
        self.notes.leave(("volumes", mount.index), f"volume {mount.shown}", said)

    def _kept(self, mount: Mount, app: str) -> str:
        mode = ":ro" if mount.read_only else ""
        if mount.kind == "bind":
            if not mount.read_only and (signs.data_place(mount.target) or mount.target.startswith(self.known.data)):
                stop = f"docker compose -f {self.project.called} stop {self.name}"
                what = f"stop Compose's {self.name} before a deploy, because both would write {mount.source}: {stop}"
                self.notes.todo(Rank.DATA, "volumes", what)
            return f"{self._path(mount)}:{mount.target}{mode}"
        self._begins_empty(mount.source, app)
        if mount.below:
            why = f"all of {mount.source} is mounted: bring along what lies in {mount.below} there, and nothing else"
            self.notes.leave(("volumes", mount.index), f"subpath {mount.below}", why)
        return f"{our_name(mount.source)}:{mount.target}{mode}"

    def _new(self, mount: Mount) -> str:
        """Data in an anonymous volume, in memory, or in a folder that is not there: in a volume with a name, then."""
        last = Path(mount.target).name
        volume = our_name(f"{self.notes.name}-{last}")
        why = f"{mount.source} does not exist" if mount.kind == "bind" else "it had no name"
        self.notes.leave(("volumes", mount.index), f"volume {mount.shown}", f"{why}: the volume {volume} keeps it now")
        return f"{volume}:{mount.target}"

    def _begins_empty(self, volume: str, app: str) -> None:
        """Say how what Compose's volume holds gets into ours, with the very commands where these are known."""
        what = begins_empty(volume)
        if self.known.backup:
            inside = shlex.quote(self.known.backup)
            save = f"docker compose -f {self.project.called} exec -T {self.name} sh -c {inside} > {self.name}.backup"
            load = f"crossfade restore {self.notes.name} --from {self.name}.backup"
            what += f"; `{save}` before a deploy, `{load}` after it"
        else:
            stop = f"docker compose -f {self.project.called} stop {self.name}"
            copy = copied(self.project, volume, app, alone=True)
            steps = (stop, f"crossfade down {app}/{self.notes.name}", copy, "crossfade deploy")
            what += f"; after a deploy: {', '.join(f'`{step}`' for step in steps)}"
        self.notes.todo(Rank.DATA, "volumes", what)

    def _path(self, mount: Mount) -> str:
        return running.mounted(mount.source, self.project.folder, self.here)

    def _health(self) -> Settings:
        check = self.compose.get("healthcheck")
        check = check if isinstance(check, dict) else {}
        command = command_of(check.get("test"))
        if check.get("disable") or command == "NONE":
            return {}
        if not command:
            if self.known.health:
                self.notes.comment("health", "assumed, by the name of its image")
            return {"command": self.known.health} if self.known.health else {}
        settings: Settings = {"command": command}
        if "interval" in check:
            settings["interval"] = check["interval"]
        patience = _patience(check)
        return settings | ({"timeout": write_duration(patience)} if patience > _PATIENCE else {})

    def _backup(self, image: str) -> Settings:
        if not self.known.backup or "bitnami" in image:
            return {}
        self.notes.comment("backup", "assumed, by the name of its image; try it: crossfade backup")
        return {"command": self.known.backup, "restore": self.known.restore}

    def _leave_the_rest(self, deploy: Settings) -> None:
        for port in ports_of(self.compose):
            moved = port.published and port.published != port.target
            opened = f"{port.published}:{port.target}" if moved else str(port.target)
            why = f"containers find it by its name; write `port: {opened}` to open it on this machine's loopback"
            self.notes.leave(("ports", port.index), f"port {port.shown}", why)
        for key in self.compose:
            if key not in _SILENT and not key.startswith("x-"):
                self.notes.leave((key,), key, _WHY.get(key, "crossfade has no such setting"))
        tell_needs(self.compose, deploy, self.notes)
        for one in from_labels(self.compose.get("labels")):
            what = f"write what ran in it by the clock, {one.name} ({one.written}: {one.command})"
            self.notes.todo(Rank.MISSING, "backup", f"{what}: `backup` has a `schedule`")
        for key in deploy:
            if key not in _SILENT_BELOW:
                self.notes.leave(("deploy", key), f"deploy.{key}", _WHY.get(key, "crossfade has no such setting"))


def _tag(image: str) -> str:
    """The tag of an image's name; empty where it has none."""
    return image.partition("@")[0].rsplit("/", 1)[-1].partition(":")[2]


def _is_config(mount: Mount, folder: Path) -> bool:
    """A file, or something that is only read; a folder that is written keeps data."""
    return mount.kind == "bind" and (mount.read_only or not becomes(mount, folder).startswith("mkdir"))


def _patience(check: Mapping[str, Any]) -> float:
    """How long Compose waits for it: the time before failures count, and all tries after that."""
    try:
        interval = read_duration(check.get("interval", "30s"))
        begins = read_duration(check.get("start_period", 0))
        return begins + interval * float(check.get("retries", 3))
    except (TypeError, ValueError):
        return _PATIENCE
