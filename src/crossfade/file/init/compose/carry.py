"""From a Compose project to our file: what can be carried over is, and everything else is told with the reason."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.addresses import tell_addresses
from crossfade.file.init.compose.by_clock import by_clock
from crossfade.file.init.compose.judge.features import values_of, waits_for
from crossfade.file.init.compose.judge.front import front
from crossfade.file.init.compose.judge.roles import CARRIED, NO_PORT, Kind, Role, Roles
from crossfade.file.init.compose.left_out import leave_out
from crossfade.file.init.compose.notes import NotCarried, Notes, ServiceNotes
from crossfade.file.init.compose.proxy import configs
from crossfade.file.init.compose.proxy import labels as labelled
from crossfade.file.init.compose.proxy.listening import listening
from crossfade.file.init.compose.proxy.taken import Taken
from crossfade.file.init.compose.sections import joined, tell_sections
from crossfade.file.init.compose.service import CarriedService, carry
from crossfade.file.init.compose.source.keys import theirs
from crossfade.file.init.compose.source.ports import ports_of, published
from crossfade.file.init.compose.source.project import Project, profiles_of, read_project
from crossfade.file.init.compose.store import CarriedStore, carry_store, stays
from crossfade.file.init.starter import app_name
from crossfade.file.init.todo import Rank, Todo, worst_first
from crossfade.file.init.writing import text_of
from crossfade.file.model import App
from crossfade.file.reading.document import Keys, written
from crossfade.file.reading.wording import problems


@dataclass(frozen=True)
class Draft:
    """The text of a `crossfade.yaml`, which loads, and what there is to say about it.

    `left` is what of the Compose files is not in it, `todos` what to do before a deploy, the worst first, `roles` what
    each service is and why, `read` the files that it was made from, `folders` those that Compose would make.
    """

    text: str
    left: Sequence[NotCarried] = ()
    todos: Sequence[Todo] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)
    read: Sequence[str] = ()
    folders: Sequence[Path] = ()


def from_compose(paths: Sequence[Path], here: Path | None = None, shell: Mapping[str, str] | None = None) -> Draft:
    """Carries these Compose files over, each laid over those before it.

    `here` is the folder of the new file, by default where the process is; `shell` the variables of who calls, by
    default this process's. Raises WrongInputError for what is no project, and when nothing in it can be carried.
    """
    try:
        project = read_project(paths, os.environ if shell is None else shell)
        return _Import(project, (here or Path.cwd()).absolute()).done()
    except OSError as error:  # of a path that a file names: too long, or through a folder that may not be entered
        named = f"{str(error.filename or '')[:80]}..."
        raise WrongInputError(
            f"{paths[0]} names a path that cannot be looked at: {error.strerror}: {named}", "mend it there"
        ) from error
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise WrongInputError(f"{paths[0]} names a path with a null character in it", "mend it there") from error


class _Import:
    def __init__(self, project: Project, here: Path) -> None:
        self.project, self.here = project, here
        self.notes = Notes(project.root)
        self.roles = Roles.of(project)
        self.judged = self.roles.judged()
        self.taken = Taken()
        self.carried: dict[str, CarriedService] = {}
        self.stores: dict[str, CarriedStore] = {}
        self.jobs: dict[str, Any] = {}

    def done(self) -> Draft:
        tell_sections(self.project, self.notes)
        self._take_over()
        for name in self.roles.services:
            if self.judged[name].kind in CARRIED:
                self._carry(name)
        self.jobs = by_clock(self.project, self.roles, self.judged, self.carried, notes=self.notes)
        for name in self.roles.services if self.carried else ():
            if self.judged[name].kind is Kind.STORE:
                self._carry_store(name)
        kept = {one.compose_name for one in self.stores.values()}
        leave_out(self.project, self.roles, self.judged, self.carried, stores=kept, notes=self.notes)
        file = self._without_the_impossible(self._file())
        if not file["services"]:
            raise self._nothing()
        here: list[tuple[str, CarriedService | CarriedStore]] = [*self.carried.items(), *self.stores.items()]
        tell_addresses(self.project, self.judged, here, file, self.notes)
        todos = worst_first(self.notes.todos)
        text = text_of(file, self.project.files, todos, self.notes.comments)
        folders = list(dict.fromkeys(self.notes.folders))
        return Draft(text, self.notes.left, todos, self.judged, self.project.files, folders)

    def _take_over(self) -> None:
        """What proxies are told by labels, variables and their own files."""
        answering = [name for name, role in self.judged.items() if role.kind is Kind.SERVICE]
        for name in answering:
            service = self.roles.services[name]
            labelled.from_labels(name, service.get("labels"), self.taken)
            labelled.from_variables(name, values_of(service.get("environment")), self.taken)
        self.taken.addressed = {name: port for name, (port, _) in self.roles.addressed.items()}
        for name in answering:
            if self.roles.speaks_fastcgi(name):
                self.taken.addressed.setdefault(name, _OF_FPM)
                self.taken.not_http[name] = "fastcgi"
        unknown = [name for name, role in self.judged.items() if role.evidence == NO_PORT]
        for name in self._proxies():
            possible = [*answering, *unknown]
            files = configs.from_config(self.roles.services[name], self.project.folder, possible, self.taken)
            for other in unknown:
                if any(other in known for known in (self.taken.routes, self.taken.ports, self.taken.not_http)):
                    self.judged[other] = Role(Kind.SERVICE, (f"{', '.join(files)} of {name} sends it requests",))
        for name, how in self.taken.not_http.items():
            what = f"{_INSTEAD.get(how, 'have it answer HTTP')}: it was asked by {how}, which is not HTTP"
            self.notes.todos.append(Todo(Rank.NEVER_HEALTHY, f"services.{service_name(name)}", what))
        for kept_out in dict.fromkeys(self.taken.guards):
            what = f"keep out whom the proxy's {kept_out} kept out: now everybody gets in"
            self.notes.todos.append(Todo(Rank.EXPOSED, "services", what))
        for untaken in dict.fromkeys(self.taken.untaken):
            self.notes.todos.append(Todo(Rank.ASSUMED, "services", f"look after what the proxy did: {untaken}"))

    def _tell_elsewhere(self, listen: Any) -> None:
        """Labels of a proxy that runs somewhere else: it goes on, or this takes its ports."""
        routed = [one.compose_name for one in self.carried.values() if self.roles.is_routed(one.compose_name)]
        if routed and not self._proxies() and not any(one.published for one in self.carried.values()):
            hosts = {route["host"] for name in routed for route in self.taken.routes.get(name, ()) if "host" in route}
            port = listen["http"] if isinstance(listen, dict) else listen
            what = (
                f"have the proxy whose labels these were send {', '.join(sorted(hosts)) or 'visitors'} to port {port}"
            )
            self.notes.todos.append(Todo(Rank.ASSUMED, "listen", f"{what}, which is assumed, or listen at its ports"))

    def _proxies(self) -> list[str]:
        return [name for name, role in self.judged.items() if role.kind is Kind.PROXY]

    def _carry(self, name: str) -> None:
        ours = service_name(name)
        if ours in self.carried:
            self._not_again(name, f"another service is called {ours} already")
            return
        notes = ServiceNotes(self.notes, name, ours)
        dockerfile = self.roles.dockerfiles[name]
        self.carried[ours] = carry(
            self.project,
            name,
            role=self.judged[name],
            app=self._app(),
            dockerfile=dockerfile,
            taken=self.taken,
            notes=notes,
            here=self.here,
        )

    def _not_again(self, name: str, why: str) -> None:
        self.notes.leave(("services", name), name, why)
        what = f"write {name} under another name: {why}, and so it is not here"
        self.notes.todos.append(Todo(Rank.MISSING, "services", what))

    def _carry_store(self, name: str) -> None:
        ours, compose = service_name(name), self.roles.services[name]
        taken = ours in self.carried or ours in self.stores
        if why := f"something else is called {ours} already" if taken else stays(compose):
            self.notes.leave(("services", name), name, f"it stays in Compose: {why}")
            return
        self.stores[ours] = carry_store(
            self.project,
            name,
            because=self.judged[name].because,
            app=self._app(),
            dockerfile=self.roles.dockerfiles[name],
            notes=ServiceNotes(self.notes, name, ours, "stores"),
            here=self.here,
        )

    def _app(self) -> str:
        return app_name(Path(self.project.named))

    def _file(self) -> dict[str, Any]:
        """The file as data. One service gets all requests; the others their own routes, or a path that is made up."""
        file: dict[str, Any] = {"app": self._app(), "services": {}}
        first, why = self._front()
        for name, one in self.carried.items():
            service = dict(one.settings)
            waits = [service_name(other) for other in waits_for(self.roles.services[one.compose_name])]
            if known := [other for other in waits if other in self.carried]:
                service["depends_on"] = known
            routes = self.taken.routes.get(one.compose_name)
            if one.worker:
                pass
            elif routes:
                service["routes"] = routes
            elif name != first:
                service["routes"] = [{"path": f"/{name}/*"}]
                self._made_up(name, one)
            elif sum(not other.worker for other in self.carried.values()) > 1:
                self.notes.comments[name, "image"] = f"gets all other requests: {why}"
            if not one.worker and (cookie := self.taken.cookies.get(one.compose_name)) is not None:
                service["sticky"] = {"cookie": cookie, "own": cookie} if cookie else {"cookie": "crossfade"}
            file["services"][name] = service
        file |= {"stores": self._stores_of_the_file()} if self.stores else {}
        file |= {"jobs": self.jobs} if self.jobs else {}
        file |= {"redirects": self.taken.redirects} if self.taken.redirects else {}
        ours = [
            *(one.compose_name for one in self.carried.values()),
            *(one.compose_name for one in self.stores.values()),
        ]
        network = joined(self.project, ours, self.notes)
        file |= {"network": network} if network else {}
        file |= self._listen(first)
        self._tell_elsewhere(file["listen"])
        return file

    def _stores_of_the_file(self) -> dict[str, Any]:
        found = {}
        for name, one in self.stores.items():
            waits = [service_name(other) for other in waits_for(self.roles.services[one.compose_name])]
            known = [other for other in waits if other in self.stores]
            found[name] = {**one.settings, **({"depends_on": known} if known else {})}
        return found

    def _front(self) -> tuple[str, str]:
        """The service that gets all other requests, and why."""
        published = {one.compose_name: one.published for one in self.carried.values() if not one.worker}
        everything = [name for name, routes in self.taken.routes.items() if {"path": "/*"} in routes]
        name, why = front(self.roles, published, everything)
        return service_name(name) if name else "", why

    def _made_up(self, name: str, one: CarriedService) -> None:
        why = f"one application has one listener; it gets /{name}/* now, write its real path or host into routes"
        self.notes.leave(("services", one.compose_name), f"an address of its own for {name}", why)
        where, path = f"services.{name}.routes", f"/{name}/*"
        what = f"write the path or host that it answers; {path} is assumed, and the service sees it whole"
        self.notes.todos.append(Todo(Rank.ASSUMED, where, what))
        if one.published is None or one.published.local:
            before = "reached by this machine alone" if one.published else "not published"
            self.notes.todos.append(Todo(Rank.EXPOSED, where, f"it was {before}; {path} lets every visitor in"))

    def _listen(self, first: str) -> dict[str, Any]:
        mine = [self.carried[first].published] if first in self.carried else []
        others = [other.published for other in self.carried.values()]
        front = [port for port in mine if port] or [port for port in others if port][:1]
        return listening(self.roles, self._proxies(), front, self.taken, notes=self.notes, here=self.here)

    def _without_the_impossible(self, file: dict[str, Any]) -> dict[str, Any]:
        """What Compose takes and crossfade does not is left out, all that is found at once, until the file loads."""
        while file["services"]:
            try:
                App.model_validate(file)
            except ValidationError as error:
                left = len(self.notes.left)
                for problem in reversed(list(problems(error, written(file, self.project.called)))):
                    self._leave_impossible(file, problem.place.keys, f"{problem.found}; allowed: {problem.allowed}")
                if len(self.notes.left) == left:  # nothing that could be left: there is no file to write
                    file["services"].clear()
            else:
                break
        return file

    def _leave_impossible(self, file: dict[str, Any], keys: Keys, why: str) -> None:
        taken = _without(file, keys)
        if not taken:
            return  # gone with what it is a part of
        place = taken
        here: dict[str, CarriedService | CarriedStore] = {**self.carried, **self.stores}
        if len(taken) > 1 and taken[1] in here:
            name = here[str(taken[1])].compose_name
            place = ("services", name, *theirs(self.project.plain["services"][name], taken[2:]))
        self.notes.leave(place, ".".join(map(str, taken)), why)

    def _nothing(self) -> WrongInputError:
        reasons = "\n  ".join(str(left) for left in self.notes.left)
        kinds = {role.kind for role in self.judged.values()}
        if kinds <= {Kind.STORE, Kind.PROFILE, Kind.OTHER} and Kind.STORE in kinds:
            what = "data stores and services of other kinds" if Kind.OTHER in kinds else "data stores"
            return WrongInputError(
                f"{self.project.called} has only {what}; they stay in Compose:\n  {reasons}",
                f"run `crossfade init` for the app itself; {self._stores()}",
            )
        asked = [profile for service in self.roles.services.values() for profile in profiles_of(self.project, service)]
        again = " ".join(["crossfade init", *(f"--from {path}" for path in self.project.given)])
        start = f"name those that you start: COMPOSE_PROFILES={','.join(dict.fromkeys(asked))} {again}"
        way_out = start if asked else "use `crossfade init`"
        return WrongInputError(f"no service of {self.project.called} can be carried over:\n  {reasons}", way_out)

    def _stores(self) -> str:
        """Where an app that runs as a process reaches them."""
        reached: list[str] = []
        closed: list[str] = []
        for name, role in self.judged.items():
            if role.kind is Kind.STORE:
                open_at = next((port.published for port in published(ports_of(self.roles.services[name]))), None)
                (reached if open_at else closed).append(f"localhost:{open_at}" if open_at else name)
        said = [f"it reaches them at {', '.join(reached)}"] if reached else []
        said += (
            [
                f"publish a port of {', '.join(closed)} to reach it"
                if len(closed) == 1
                else f"publish ports of {', '.join(closed)} to reach them"
            ]
            if closed
            else []
        )
        return "; ".join(said)


_OF_FPM = 9000  # where php-fpm listens
_INSTEAD = {
    "fastcgi": "have its image answer HTTP, by FrankenPHP or by nginx beside php-fpm",
    "uwsgi": "start uWSGI with --http-socket in place of --socket",
}


_ITEM_BY_ITEM = frozenset({"volumes", "tmpfs", "routes"})  # lists that say something without one of their items, too


def _without(file: dict[str, Any], keys: Keys) -> Keys:
    """Takes out the value under `keys` and says what it took; empty: nothing. Of an item in a list that is the whole
    list, where one item means nothing without the others; the last items are to be taken out first.
    """
    here: Any = file
    for index, key in enumerate(keys):
        if not isinstance(here, dict) or key not in here:
            return ()
        item = keys[index + 1] if key in _ITEM_BY_ITEM and isinstance(here[key], list) and keys[index + 1 :] else None
        if isinstance(item, int) and len(here[key]) > 1:
            del here[key][item]
            return keys[: index + 1]
        if index == len(keys) - 1 or isinstance(here[key], list):
            del here[key]
            return keys[: index + 1]
        here = here[key]
    file["services"].clear()
    return ("services",)


def service_name(name: str) -> str:
    """A Compose service's name as one of ours: my_Web.1 is my-web-1."""
    return app_name(Path(name.replace(".", "-")))
