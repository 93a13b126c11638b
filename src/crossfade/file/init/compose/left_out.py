"""Services that are not carried over: each is told with the evidence, and with what becomes of it."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.file.init.compose import running
from crossfade.file.init.compose.addresses import named
from crossfade.file.init.compose.environment import named_secrets
from crossfade.file.init.compose.judge.features import names_of, waits_for
from crossfade.file.init.compose.judge.roles import CARRIED, Kind, Role, Roles
from crossfade.file.init.compose.judge.signs import MIGRATION_COMMAND, WAITING, basename
from crossfade.file.init.compose.notes import Notes, ServiceNotes
from crossfade.file.init.compose.running import image_of, made_by, words_of
from crossfade.file.init.compose.service import CarriedService
from crossfade.file.init.compose.source.mounts import lasts, mounts_of
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.kept import line_of
from crossfade.file.init.todo import Rank, Todo

_WHY = {
    Kind.STORE: "it keeps state and stays in Compose",
    Kind.PROXY: "crossfade's own balancer takes its place, and its ports",
    Kind.OTHER: "crossfade runs services that answer HTTP, in a network of their own: leave it in Compose",
    Kind.TOOL: "it is there to be run by hand: `crossfade run` runs a command in the release that runs",
    Kind.CATCHER: "it stands in for a mail server while one develops: it shows mail and sends none",
    Kind.PROFILE: "Compose does not start it either, unless it is asked to",
    Kind.MIGRATION: "it runs once, before others: put its command into their hooks.migrate",
}


def leave_out(
    project: Project,
    roles: Roles,
    judged: Mapping[str, Role],
    carried: Mapping[str, CarriedService],
    *,
    stores: Collection[str],
    notes: Notes,
) -> None:
    """Tells of every service that is not carried; a migration becomes a hook of the service whose image it runs.

    `stores` are those that are carried, as Compose calls them.
    """
    _LeftOut(project, roles, judged, carried, stores, notes).tell()


@dataclass
class _LeftOut:
    project: Project
    roles: Roles
    judged: Mapping[str, Role]
    carried: Mapping[str, CarriedService]
    stores: Collection[str]
    notes: Notes

    def tell(self) -> None:
        for name, role in self.judged.items():
            if role.kind is Kind.MIGRATION:
                self._migration(name, role)
            elif role.kind not in CARRIED and name not in self.stores:
                self._left(name, role)
        for one in self.carried.values():
            self._waits(one)
        stores = [name for name, role in self.judged.items() if role.kind is Kind.STORE and name not in self.stores]
        others = [name for name, role in self.judged.items() if role.kind is Kind.OTHER]
        needed = [name for name in others if self._is_needed(name)]
        self._start([*stores, *needed], Rank.NEVER_HEALTHY)
        self._start([name for name in others if name not in needed], Rank.MISSING)

    def _start(self, names: Sequence[str], rank: Rank) -> None:
        """Say how those that stay in Compose are started, without those of this file for which they wait."""
        if not names or not self.carried:
            return
        waits = {other for name in names for other in waits_for(self.roles.services[name])} - {*names}
        files = [word for path in self.project.given for word in ("-f", path)]
        alone = ["--no-deps"] if waits else []
        start = shlex.join(["docker", "compose", *files, "up", "-d", *alone, *names])
        self.notes.todos.append(Todo(rank, "services", f"start {', '.join(names)} in Compose: {start}"))

    def _is_needed(self, name: str) -> bool:
        """True when something of this file waits for it, or has its address."""
        for one in self.carried.values():
            values = one.variables.known.items()
            if name in waits_for(self.roles.services[one.compose_name]):
                return True
            if any(True for variable, value in values for _ in named(variable, value, {name: name})):
                return True
        return False

    def _left(self, name: str, role: Role) -> None:
        because = f" ({role.because})" if role.because else ""
        self.notes.leave(("services", name), name, f"{_WHY[role.kind]}{because}")

    def _migration(self, name: str, role: Role) -> None:
        """Its command goes to the first service that waits for it and runs the same image, else to any that does."""
        image = self._image(name)
        same = [ours for ours, one in self.carried.items() if self._image(one.compose_name) == image]
        waiting = [ours for ours in same if name in waits_for(self._compose(ours))]
        command = self._command(name)
        if (found := next(iter([*waiting, *same]), None)) is None or not command:
            if self._only_waits(name, command):
                why = "it only waits for others: stores are ready before services start"
                self.notes.leave(("services", name), name, f"{why} ({role.because})")
                return
            said = self.roles.services[name].get("image")
            built = f"its image, {said}" if said else "what it is built from"
            why = f"no service here runs {built}" if command else "its command is in the image"
            waiting = [one for one in self.carried if name in waits_for(self._compose(one))]
            where = f"services.{waiting[0]}.hooks.migrate" if waiting else "services"
            what = f"run what {name} does before a deploy: {why}"
            self.notes.todos.append(Todo(Rank.MISSING, where, what))
            self.notes.leave(("services", name), name, f"{_WHY[Kind.MIGRATION]} ({role.because}); {why}")
            return
        variables = self.carried[found].variables
        running.bring_secrets(self.project, name, variables.secrets, ServiceNotes(self.notes, name, found))
        if variables.secrets:
            self.carried[found].settings["secrets"] = named_secrets(variables)
        hooks = self.carried[found].settings.setdefault("hooks", {})
        hooks["migrate"] = f"{hooks['migrate']} && {command}" if "migrate" in hooks else command
        self.notes.leave(
            ("services", name), name, f"it runs once ({role.because}): its command is hooks.migrate of {found} now"
        )
        command = " ".join(command.split())
        own = [one for one in names_of(self.roles.services[name].get("environment")) if one not in variables.known]
        without = f", which has no {', '.join(own)}" if own else ""
        what = f"see that `{command}` may run again: it runs once per release, with the variables of {found}{without}"
        self.notes.todos.append(Todo(Rank.ASSUMED, f"services.{found}.hooks.migrate", what))
        self._writes(name, found)

    def _writes(self, name: str, found: str) -> None:
        """Say where a migration wrote and its service does not, which is where it is run now."""
        theirs = {mount.target: mount for mount in mounts_of(self._compose(found))}
        for mount in mounts_of(self.roles.services[name]):
            own = theirs.get(mount.target)
            if mount.read_only or not lasts(mount, self.project.folder):
                continue
            if own is None or own.read_only or own.source != mount.source:
                how = "is only read here" if own and own.source == mount.source else "is not mounted here"
                what = f"mount {mount.shown} so that hooks.migrate can write there as {name} did: it {how}"
                self.notes.todos.append(Todo(Rank.NEVER_HEALTHY, f"services.{found}.volumes", what))

    def _compose(self, ours: str) -> dict[str, Any]:
        return self.roles.services[self.carried[ours].compose_name]

    def _image(self, name: str) -> str:
        """What it runs: the image's name or, of one that is built, of what."""
        service = made_by(self.roles.services[name], self.project)
        build = service.get("build")
        if not isinstance(build, dict):
            return image_of(service, "", name)
        return repr([build.get(key) for key in ("context", "dockerfile", "dockerfile_inline", "target")])

    def _only_waits(self, name: str, command: str) -> bool:
        image = str(self.roles.services[name].get("image") or "")
        waits = WAITING.search(f"{basename(image)} {command}")
        return bool(waits) and " -- " not in command and not MIGRATION_COMMAND.search(command)

    def _command(self, name: str) -> str:
        service = self.roles.services[name]
        words = [*(words_of(service.get("entrypoint")) or []), *(words_of(service.get("command")) or [])]
        return line_of(words)

    def _waits(self, one: CarriedService) -> None:
        """What a service waited for and crossfade does not start."""
        for other, condition in waits_for(self.roles.services[one.compose_name]).items():
            role = self.judged.get(other)
            if role is None or role.kind in {*CARRIED, Kind.MIGRATION, Kind.CATCHER} or other in self.stores:
                continue
            how = self.roles.services[one.compose_name]["depends_on"][other]
            if isinstance(how, dict) and how.get("required") is False:
                continue
            state = "be healthy" if condition == "service_healthy" else "run"
            why = f"{other} is not in the file: it must {state} before a deploy"
            self.notes.leave(("services", one.compose_name, "depends_on", other), f"depends_on {other}", why)
