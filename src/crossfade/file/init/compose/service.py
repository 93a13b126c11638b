"""One service of a Compose file in our words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.file.init.compose import running
from crossfade.file.init.compose.bringing import begins_empty, copied
from crossfade.file.init.compose.environment import Variables, named_secrets, variables_of
from crossfade.file.init.compose.health import health, worker_health
from crossfade.file.init.compose.judge.roles import NO_PORT, Kind, Role
from crossfade.file.init.compose.judge.signs import RUNTIMES, basename, words
from crossfade.file.init.compose.limits import limits_of
from crossfade.file.init.compose.needs import tell_needs
from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.compose.proxy.labels import guards, is_label, labels_left
from crossfade.file.init.compose.proxy.taken import Taken
from crossfade.file.init.compose.source.mounts import Mount, becomes, config_file, lasts, makes, mounts_of, our_name
from crossfade.file.init.compose.source.ports import HTTPS, Port, best, exposed, likely, ports_of
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.dockerfile import Dockerfile
from crossfade.file.init.todo import Rank, Todo
from crossfade.file.reading.problem import shown
from crossfade.paths import from_folder

Settings = dict[str, Any]

_ASSUMED_PORT = 8080
_WHY = {
    "restart": "an instance that exits is always replaced, with growing pauses",
    "restart_policy": "an instance that exits is always replaced, with growing pauses",
    "networks": "the containers of an app share one network, and join what `network` names",
    "logging": "output goes to crossfade's log files: see `crossfade logs`",
    "container_name": "several instances cannot share one name",
    "hostname": "several instances cannot share one name",
    "init": "every instance has an init already",
    "tty": "instances have no terminal",
    "stdin_open": "instances have no terminal",
    "develop": "crossfade watches no source; deploy again after a change",
    "pull_policy": "an image is pulled when it is not here, or its registry has another one by now",
    "platform": "an image runs on the platform that it was built for",
    "links": "services are found by their names",
    "privileged": "instances get no rights over the machine",
    "network_mode": "instances are reached through the balancer at a port of their own",
}
_SILENT = frozenset(
    {"image", "build", "ports", "expose", "environment", "env_file", "healthcheck", "deploy", *running.SAME}
) | {
    "depends_on",
    "stop_grace_period",
    "mem_limit",
    "cpus",
    "scale",
    "volumes",
    "labels",
    "profiles",
    "secrets",
    "configs",
}
_NO_SETTING = "crossfade has no such setting"


@dataclass
class CarriedService:
    """A service as crossfade's file has it, and what concerns the others: what it publishes, what its container knows.

    `published` is the port of the machine that visitors came in by, None when it had none.
    """

    compose_name: str
    settings: Settings
    published: Port | None
    variables: Variables
    worker: bool = False  # nobody sends it anything


def carry(
    project: Project,
    name: str,
    *,
    role: Role,
    app: str,
    dockerfile: Dockerfile | None,
    taken: Taken,
    notes: ServiceNotes,
    here: Path,
) -> CarriedService:
    """The service in our words; whatever is left out, assumed or left to do is told to `notes`.

    `here` is the folder of the new file, where commands are typed.
    """
    compose = project.plain["services"][name]
    return _Service(project, name, compose, role, dockerfile, taken, notes, here).carried(app)


@dataclass
class _Service:
    project: Project
    name: str
    compose: Settings
    role: Role
    dockerfile: Dockerfile | None
    taken: Taken
    notes: ServiceNotes
    here: Path

    def carried(self, app: str) -> CarriedService:
        variables = variables_of(self.project, self.compose, self.notes, self.here)
        running.bring_secrets(self.project, self.name, variables.secrets, self.notes)
        worker = self.role.kind is not Kind.SERVICE
        published, exposed = (None, self._as_worker()) if worker else self._as_web(variables)
        image = running.image_of(self.compose, app, self.name)
        made = running.made_by(self.compose, self.project)
        running.tell_tag(made, image, self.notes)
        deploy = self.compose.get("deploy")
        deploy = deploy if isinstance(deploy, dict) else {}
        replicas = _number(deploy.get("replicas", self.compose.get("scale", 1)))
        service: Settings = {
            "image": running.image_setting(made, image, self.project, self.here, self.notes),
            **running.settings_of(self.compose, self.notes),
            **self._in_memory(),
            **exposed,
            "replicas": replicas,
            "grace": self.compose.get("stop_grace_period"),
            "env_file": [running.typed(path, self.project.folder, self.here) for path in variables.files],
            "env": dict(variables.env),
            "secrets": named_secrets(variables),
            "volumes": self._volumes(app),
            "resources": limits_of(self.compose, deploy, self.notes),
            "deploy": self._deploy(deploy, replicas),
        }
        if self.role.kind is Kind.SCHEDULER:
            self._alone(service)
        self._leave_the_rest(deploy)
        tell_needs(self.compose, deploy, self.notes)
        filled = {key: value for key, value in service.items() if value not in (None, {}, [])}
        return CarriedService(self.name, filled, published, variables, worker)

    def _as_web(self, variables: Variables) -> tuple[Port | None, Settings]:
        """Where visitors came in, and how it is reached and asked."""
        own = self.compose.get("healthcheck")
        if (proxied := self.taken.checks.get(self.name)) and not (isinstance(own, dict) and own.get("test")):
            published, port = self._port(variables, proxied.get("port"))
            check = {key: value for key, value in proxied.items() if (key, value) != ("port", port)}
            return published, {"port": port, "health": {"path": "/", **check}}
        own = self._with_the_images(own)
        check, asked_port = health(own, variables.known, self.notes)
        published, port = self._port(variables, asked_port)
        if asked_port not in (None, port) and "path" in check and isinstance(own, dict) and own.get("test"):
            check["port"] = asked_port
        return published, {"port": port, "health": check}

    def _with_the_images(self, own: Any) -> Any:
        """The check with the HEALTHCHECK of its Dockerfile, which Compose leaves as it is where it has no other."""
        said = own if isinstance(own, dict) else {}
        image = self.dockerfile.check if self.dockerfile else ""
        return own if said.get("test") or said.get("disable") or not image else {**said, "test": image}

    def _as_worker(self) -> Settings:
        """No port and no request; its healthcheck is a command there, as it is here."""
        self.notes.comment("kind", self.role.because)
        if self.role.evidence == NO_PORT:
            what = "write its port instead, if it answers requests: nothing says so, and a worker is assumed"
            self.notes.todo(Rank.ASSUMED, "kind", what)
        for port in ports_of(self.compose):
            self._leave_port(port)
        return {"kind": "worker", "health": worker_health(self.compose.get("healthcheck"), self.notes)}

    def _alone(self, service: Settings) -> None:
        """What runs by the clock must not run twice."""
        service["replicas"], service["deploy"] = 1, {"strategy": "recreate"}
        self.notes.comment("deploy", "by the clock: never two of them")

    def _port(self, variables: Variables, asked_port: int | None) -> tuple[Port | None, int]:
        """The entry that visitors came in by, and the container's port; the other entries are left, each with why."""
        ports = ports_of(self.compose)
        chosen = best(ports)
        for port in ports:
            if port is not chosen:
                self._leave_port(port)
        if chosen is not None:
            return chosen, chosen.target
        known = [
            self.taken.ports.get(self.name),
            likely(exposed(self.compose)),
            int(value) if (value := variables.known.get("PORT", "")).isdecimal() and int(value) else None,
            likely(list(self.dockerfile.ports)) if self.dockerfile else None,
            asked_port,
            self.taken.addressed.get(self.name),
        ]
        found = next((port for port in known if port is not None), None)
        if found is None:
            self.notes.comment("port", "assumed: nothing in the Compose file says where it listens")
            self.notes.todo(Rank.NOTHING_RUNS, "port", f"write where it listens; {_ASSUMED_PORT} is assumed")
        return None, found or _ASSUMED_PORT

    def _leave_port(self, port: Port) -> None:
        if port.why:
            why = port.why
        elif port.published in HTTPS or port.target in HTTPS:
            why = "give tls a certificate"
            if port.published:
                secure = f"give tls a certificate and a key, and listen: {{https: {port.published}}}"
                what = f"{secure}: {self.name} served HTTPS at that port itself"
                self.notes.notes.todos.append(Todo(Rank.NEVER_HEALTHY, "tls", what))
        else:
            why = f"it speaks {port.protocol}, not HTTP" if port.protocol else "a service has one port"
        self.notes.leave(("ports", port.index), f"port {port.shown}", why)

    def _deploy(self, deploy: Settings, replicas: Any) -> Settings:
        """`update_config` is a rolling deploy; without it ours is blue-green."""
        update = deploy.get("update_config")
        if not isinstance(update, dict):
            return {}
        count = replicas if isinstance(replicas, int) and replicas > 0 else 1
        batch = _number(update.get("parallelism", 1))
        batch = min(batch, count) if isinstance(batch, int) and batch > 0 else count  # 0 is all at once
        rolling = _bounds(count, batch, start_first=update.get("order") == "start-first")
        rolling |= {"warmup": update.get("delay"), "bake": update.get("monitor")}
        if update.get("failure_action", "pause") != "rollback":
            action = update.get("failure_action", "pause (Compose's default)")
            keys = ("deploy", "update_config", "failure_action")
            self.notes.leave(keys, f"failure_action {action}", "crossfade always takes a bad release back")
        if "max_failure_ratio" in update:
            keys = ("deploy", "update_config", "max_failure_ratio")
            self.notes.leave(keys, "max_failure_ratio", "a release is judged by its requests: see deploy.rollback_on")
        return {"strategy": "rolling", **{key: value for key, value in rolling.items() if value is not None}}

    def _volumes(self, app: str) -> list[str]:
        """What lasts comes along; of all else it is told what becomes of it."""
        found = []
        mounts = mounts_of(self.compose)
        source = tuple(f"{mount.target.rstrip('/')}/" for mount in mounts if mount.kind == "bind")
        for mount in mounts:
            if not mount.source and mount.target.startswith(source):
                why = f"the image brings {mount.target}: it only hid what the source has there"
                self.notes.leave(("volumes", mount.index), f"volume {mount.shown}", why)
                continue
            if mount.kind == "tmpfs":
                continue
            if lasts(mount, self.project.folder):
                found.append(self._volume(mount, app))
                continue
            file = config_file(mount, self.project.folder)
            if file is not None and ("build" not in self.compose or mount.of_machine):
                place = running.mounted(mount.source, self.project.folder, self.here)
                found.append(f"{place}:{mount.target}:ro")
                self.notes.comment("volumes", "a file is all releases': changing it makes no release")
                continue
            said = becomes(mount, self.project.folder)
            self.notes.leave(("volumes", mount.index), f"volume {mount.shown}", said)
            if mount.is_socket:
                without = f"leave it in Compose, or have it work without {mount.source}, which instances do not get"
                self.notes.todo(Rank.NEVER_HEALTHY, "", without)
            if said.startswith("copy"):
                self.notes.todo(Rank.COPY, "image", said)
            elif said.startswith("the image brings what") and not self._is_built():
                bare = set(words(basename(str(self.compose.get("image") or "")))) & RUNTIMES
                what = f"copy {mount.source} into the image, at {mount.target}: it is not built from that"
                self.notes.todo(Rank.NOTHING_RUNS if bare else Rank.COPY, "image", what)
            elif said.startswith(("mkdir", "write", "bring")):
                self.notes.todo(Rank.DATA, "volumes", said)
        return [*found, *running.handed_files(self.project, self.name, self.here, self.notes)]

    def _is_built(self) -> bool:
        return bool(running.made_by(self.compose, self.project).get("build"))

    def _in_memory(self) -> Settings:
        """`tmpfs`, and mounts of that type, which say the same."""
        said = self.compose.get("tmpfs")
        mounted = [mount.in_memory for mount in mounts_of(self.compose) if mount.kind == "tmpfs"]
        places = [*(said if isinstance(said, list) else [said] if said else []), *mounted]
        return {"tmpfs": places} if places else {}

    def _volume(self, mount: Mount, app: str) -> str:
        mode = ":ro" if mount.read_only else ""
        if mount.below:
            why = f"a volume is mounted whole: write {mount.target} so that its folder {mount.below} is found"
            self.notes.leave(("volumes", mount.index), f"subpath {mount.below}", why)
            self.notes.todo(Rank.DATA, "volumes", f"{why}; {mount.shown} was its folder {mount.below} alone")
        if mount.kind == "bind":
            if makes(mount, self.project.folder):
                self.notes.folder(from_folder(self.project.folder, mount.source))
            return f"{running.mounted(mount.source, self.project.folder, self.here)}:{mount.target}{mode}"
        what = f"{begins_empty(mount.source)}; after a deploy: `{copied(self.project, mount.source, app)}`"
        self.notes.todo(Rank.DATA, "volumes", what)
        return f"{our_name(mount.source)}:{mount.target}{mode}"

    def _leave_the_rest(self, deploy: Settings) -> None:
        self._labels()
        for key, value in self.compose.items():
            if key not in _SILENT and not key.startswith("x-"):
                self.notes.leave((key,), f"{key} {_short(value)}", _WHY.get(key, _NO_SETTING))
        for key, value in deploy.items():
            if key not in ("replicas", "resources", "update_config") and (key, value) != ("mode", "replicated"):
                self.notes.leave(("deploy", key), f"deploy.{key} {_short(value)}", _WHY.get(key, _NO_SETTING))

    def _labels(self) -> None:
        labels = self.compose.get("labels")
        names = list(labels) if isinstance(labels, dict) else []
        own = [name for name in names if not is_label(name) and not name.startswith("ofelia.")]
        if own:
            self.notes.leave(("labels",), f"labels ({len(own)})", "crossfade labels containers itself")
        for kept_out in guards(labels):
            self.notes.todo(
                Rank.EXPOSED, "routes", f"keep out whom the proxy's {kept_out} kept out: now everybody gets in"
            )
        for name in labels_left(labels):
            why = "what a middleware does (cut a path, redirect, ask for a login) is for the service to do"
            self.notes.leave(("labels", name), f"label {name}", why)


def _bounds(count: int, batch: int, *, start_first: bool) -> Settings:
    """Percentages that mean the batch again once they are rounded up to instances.

    With 3 replicas in batches of 1, start-first: 33 % surge is ceil(0.99) = 1 more. Stop-first: 66 % stay healthy,
    that is ceil(1.98) = 2 of 3.
    """
    if start_first:
        return {"min_healthy": 100, "max_surge": max(1, 100 * batch // count)}
    return {"min_healthy": 100 * (count - batch) // count, "max_surge": 0}


def _number(value: Any) -> Any:
    """A whole number that was written as text, as Compose takes it."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _short(value: Any) -> str:
    return shown(value).strip('"') if not isinstance(value, dict | list) else f"({len(value)})"
