"""A Compose project as Compose sees it: its files merged, its variables filled in, each value with its place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.source.borrowed import with_borrowed
from crossfade.file.init.compose.source.hidden import Hidden, hide, leave_open
from crossfade.file.init.compose.source.merging import TAGS, merged, normal, without_reset
from crossfade.file.init.compose.source.moving import handed_moved, moved
from crossfade.file.init.compose.source.references import leading_nowhere
from crossfade.file.init.compose.source.types import misspelt, of_another_type, senseless
from crossfade.file.reading.document import Keys, Scalar, Written, contents, meaning, parse
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.interpolation import Filled, fill
from crossfade.file.reading.problem import Problem, WrongFileError, shown
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, is_there, why_no_file

USUAL = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_BEGINS = "services:"
_DEEPEST = 20  # files and services that extend or include each other
_MOST = 1000  # files of a project, one as often as it is included
# Keys of a service in which a variable that must be set matters when it is deployed, and not to what it is.
_FOR_INSTANCES = frozenset({"environment", "command", "entrypoint", "labels", "healthcheck"})
_TOLD_THERE = frozenset({"environment", "build"})  # where variables that are set nowhere are told one by one
_NAME_ONE = "name a Compose file with --from"
_INCLUDES = "a list of files, or of mappings such as {path: more/compose.yaml}"
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*://|git@")


@dataclass(frozen=True)
class Project:
    """`root` has the values as they were typed, `plain` with their variables filled in; both have the same keys.

    `folder` is what relative paths are relative to, `variables` what `.env` and the shell say, `files` what was read,
    of which `given` are those that were named. `dotenv` are the names that `.env` has. What is `hidden` in a command
    stands in `plain` as a variable still. Variables that are set nowhere are `empty`, by service and key.
    """

    called: str
    folder: Path
    root: Written
    plain: dict[str, Any]
    variables: Mapping[str, str]
    files: tuple[str, ...]
    dotenv: frozenset[str]
    given: tuple[str, ...] = ()
    empty: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    hidden: Mapping[str, Sequence[Hidden]] = field(default_factory=dict)  # by service

    def filled(self, keys: Keys) -> Filled:
        """How the text under `keys` was filled in."""
        node = self.root.at(keys)
        return fill(node.value, self.variables) if isinstance(node.value, str) else Filled(str(node.text))

    def docker_name(self, section: str, name: str) -> str:
        """What Docker calls one of the networks or volumes."""
        them = self.plain.get(section)
        settings = them.get(name) if isinstance(them, dict) else None
        settings = settings if isinstance(settings, dict) else {}
        if settings.get("name") or settings.get("external"):
            return str(settings.get("name") or name)
        return f"{re.sub(r'[^a-z0-9_-]', '', self.named.lower()).lstrip('_-')}_{name}"

    @property
    def named(self) -> str:
        """What Compose calls the project; empty texts are no names."""
        named = self.plain.get("name")
        said = self.variables.get("COMPOSE_PROJECT_NAME") or (named if isinstance(named, str) else "")
        return said or self.folder.resolve().name

    def typed(self, keys: Keys) -> str:
        """The text under `keys` as it stands in the file: 1.10 is "1.10"."""
        node = self.root.at(keys)
        return node.value if isinstance(node.value, str) else node.text


def read_project(paths: Sequence[Path], shell: Mapping[str, str]) -> Project:
    """The project of these files, each laid over those before it. `shell` are the variables of who calls.

    Raises WrongInputError: no such file, no Compose file, or (WrongFileError) all that Compose would refuse, an overlay
    without the file that it belongs to among it.
    """
    folder = paths[0].absolute().parent
    dotenv = (
        read_variables(folder / ".env", str(paths[0].parent / ".env"), shell) if (folder / ".env").is_file() else {}
    )
    reader = _Reader({**dotenv, **shell}, dict.fromkeys(paths, folder))
    root = reader.file(paths[0], folder)
    for path in paths[1:]:
        root = _laid_over(root, reader.file(path, folder))
    root = with_borrowed(without_reset(root), folder, reader.variables, reader.problems.append)
    called = str(paths[0])
    plain = reader.plain(root)
    if reader.problems:
        raise WrongFileError(called, reader.problems)
    files = (*map(str, reader.read), *([str(paths[0].parent / ".env")] if dotenv else []))
    project = Project(
        called, folder, root, plain, reader.variables, files, frozenset(dotenv), tuple(map(str, paths)), reader.empty
    )
    if problems := list(_impossible(project, paths)):
        raise WrongFileError(called, problems)
    services = {name: root.at(("services", name)) for name in plain["services"]}
    for name, node in services.items():
        leave_open(plain["services"][name], node, reader.variables)
    hidden = {name: hide(plain["services"][name], node, reader.variables) for name, node in services.items()}
    return replace(project, hidden=hidden)


class _Reader:
    """Reads files and what they extend and include, and collects what is wrong in them."""

    def __init__(self, variables: Mapping[str, str], homes: Mapping[Path, Path]) -> None:
        self.variables = variables
        self._homes = dict(homes)  # of the project's own files and of included ones; others have their own folder
        self.read: list[Path] = []
        self.problems: list[Problem] = []
        self.empty: dict[tuple[str, str], list[str]] = {}  # by service and key: variables that are set nowhere
        self._roots: dict[Path, Written] = {}
        self._files = 0

    def file(self, path: Path, folder: Path, depth: int = 0) -> Written:
        """The file with what it includes and extends; its relative paths are relative to `folder`."""
        root = self._root(path)
        services = root.get("services")
        if services is not None and not isinstance(services.value, dict | None):
            found = f"found {shown(services.plain())}"
            allowed = "a mapping such as services: {web: {image: acme/web:1}}"
            raise WrongFileError(str(path), [Problem(services.place, found, allowed)])
        if services is not None and isinstance(services.value, dict):
            resolved = {
                name: self._service(path, folder, node, (str(path), name), depth)
                for name, node in services.value.items()
            }
            root = replace(root, value={**_mapping(root), "services": replace(services, value=resolved)})
        root = handed_moved(root, self._home(path), folder)
        for files, item in self._included(root, path):
            if depth > _DEEPEST:
                raise WrongFileError(str(path), [Problem(item.place, "files that include each other", "no circle")])
            self._files += len(files)
            if self._files > _MOST:
                found = f"more than {_MOST} files that are included, one as often as it is"
                raise WrongFileError(str(path), [Problem(item.place, found, "fewer")])
            self._settle(files, item, path)
            below = [self.file(file, folder, depth + 1) for file in files]
            root = reduce(_laid_over, [*below, root])
        return root

    def _home(self, path: Path) -> Path:
        """What the paths in a file are relative to."""
        return self._homes.get(path, path.absolute().parent)

    def _root(self, path: Path) -> Written:
        if path not in self._roots:
            raw = contents(path, str(path), _NAME_ONE, _NAME_ONE)
            self._roots[path] = parse(raw, str(path), _BEGINS, TAGS)
            self.read.append(path)
        return self._roots[path]

    def _service(self, path: Path, folder: Path, node: Written, chain: tuple[str, ...], depth: int) -> Written:
        """The service laid over the one that it extends."""
        service = moved(normal(node), self._home(path), folder)
        extends = service.get("extends")
        if extends is None or not isinstance(service.value, dict):
            return service
        wanted = extends if isinstance(extends.value, str) else extends.get("service")
        named = extends.get("file")
        other = self._named(named, path) if named is not None else path
        name = self.text(wanted) if wanted is not None else ""
        if depth > _DEEPEST or (str(other), name) == chain:
            self.problems.append(
                Problem(extends.place, "services that extend each other", "a service that ends the chain")
            )
            return service
        if other is None:
            return service
        base = self._root(other).get("services")
        below = base.get(name) if base is not None else None
        if below is None:
            known = list(base.value) if base is not None and isinstance(base.value, dict) else []
            found = f"found {shown(name)}, which is not a service of {other}"
            self.problems.append(Problem(extends.place, found, f"one of {', '.join(known)}"))
            return service
        rest = replace(service, value={key: item for key, item in service.value.items() if key != "extends"})
        return replace(merged(self._service(other, folder, below, chain, depth + 1), rest), place=service.place)

    def _included(self, root: Written, path: Path) -> Iterator[tuple[list[Path], Written]]:
        """The files of each item of `include`, of which each is laid over those before it; the item says more."""
        section = root.get("include")
        if section is not None and not isinstance(section.value, list | None):
            self.problems.append(Problem(section.place, f"found {shown(section.plain())}", _INCLUDES))
        for item in section.value if section is not None and isinstance(section.value, list) else ():
            named = item.get("path") if isinstance(item.value, dict) else item
            if named is None or not isinstance(named.value, str | list):
                self.problems.append(Problem(item.place, f"found {shown(item.plain())}", _INCLUDES))
                continue
            found = [self._named(one, path) for one in (named.value if isinstance(named.value, list) else [named])]
            yield [file for file in found if file is not None], item

    def _named(self, node: Written, path: Path) -> Path | None:
        """The file that a value of `path` names; that it is not there is told where it is named."""
        text = self.text(node)
        there = from_folder(path.parent, text)
        if is_file(there):
            return there
        found, allowed = f"found {shown(text)}, {why_no_file(there)}", f"an existing file, relative to {path.parent}"
        if _ELSEWHERE.match(text):
            found = f"found {shown(text)}, which is not on this machine"
            allowed = f"a file of this machine; docker compose -f {path} config > all.yaml writes one of all"
        self.problems.append(Problem(node.place, found, allowed))
        return None

    def _settle(self, included: Sequence[Path], how: Written, path: Path) -> None:
        """Where included files' paths begin, and their own variables, which those of the project go before."""
        given = how.get("project_directory") if isinstance(how.value, dict) else None
        home = from_folder(path.parent, self.text(given)) if given is not None else [*included, path][0].parent
        self._homes |= dict.fromkeys(included, home.absolute())
        named = how.get("env_file") if isinstance(how.value, dict) else None
        listed = named.value if named is not None and isinstance(named.value, list) else [named]
        files = {from_folder(path.parent, self.text(one)): one for one in listed if one is not None}
        for file in files or [home / ".env"]:
            if is_there(file) and not is_folder(file):  # /dev/null stands for none
                self.variables = {**read_variables(file, str(file), self.variables), **self.variables}
            elif file in files:
                found = f"found {shown(self.text(files[file]))}, {why_no_file(file)}"
                self.problems.append(Problem(files[file].place, found, f"an existing file, relative to {path.parent}"))

    def text(self, node: Written) -> str:
        """The text with its variables filled in; what is wrong with it is collected."""
        try:
            filled = fill(str(node.value), self.variables)
        except ValueError as error:
            self.problems.append(Problem(node.place, f"found {shown(str(node.value))}", str(error)))
            return str(node.value)
        keys = node.place.keys
        if keys[:1] == ("services",) and keys[2:] and keys[2] not in _TOLD_THERE:
            must = [name for name, _ in filled.required] if keys[2] == "labels" else []  # no instance has them
            if unset := [*filled.unset, *must]:
                self.empty.setdefault((str(keys[1]), str(keys[2])), []).extend(unset)
        if not (_FOR_INSTANCES.intersection(keys[2:3]) or str(next(iter(keys), "")).startswith("x-")):
            for name, why in filled.required:
                found = f"found {shown(str(node.value))}, and {name} is not set{f' ({why})' if why else ''}"
                self.problems.append(Problem(node.place, found, f"{name} in .env or in this shell"))
        return filled.text

    def plain(self, node: Written) -> Any:
        """The values with their variables filled in. What was a number or true once it is filled in is one."""
        if isinstance(node.value, dict):
            return {key: self.plain(item) for key, item in node.value.items()}
        if isinstance(node.value, list):
            return [self.plain(item) for item in node.value]
        return self._scalar(node) if isinstance(node.value, str) and "$" in node.value else node.value

    def _scalar(self, node: Written) -> Scalar:
        text = self.text(node)
        meant = meaning(text)
        return text if meant is None else meant


def _laid_over(base: Written, over: Written) -> Written:
    return merged(base, over)


def _mapping(node: Written) -> dict[str, Written]:
    return node.value if isinstance(node.value, dict) else {}


def _impossible(project: Project, paths: Sequence[Path]) -> Iterator[Problem]:
    """What makes these files no project: no services, services of a wrong type, an overlay on its own."""
    services = project.plain.get("services")
    if not services:
        raise WrongInputError(f"{project.called} is not a Compose file: it has no services", "name one with --from")
    active = {name: service for name, service in services.items() if not profiles_of(project, service)}
    for name, service in services.items():
        place = project.root.at(("services", name)).place
        if not isinstance(service, dict):
            yield Problem(place, f"found {shown(service)}", "a mapping such as web: {image: acme/web:1}")
        elif name in active and not any(service.get(key) for key in ("image", "build", "provider")):
            yield Problem(place, "neither image nor build, so this is an overlay", _way_out(paths))
    yield from misspelt(project.root)
    wrong = list(of_another_type(project.root, project.plain))
    yield from wrong or senseless(project.root, project.plain)
    yield from leading_nowhere(project.root, project.plain)


def profiles_of(project: Project, service: Any) -> list[str]:
    """The profiles without which Compose does not start the service; empty when it does."""
    profiles = service.get("profiles") if isinstance(service, dict) else None
    wanted = project.variables.get("COMPOSE_PROFILES", "").split(",")
    names = [str(name) for name in profiles] if isinstance(profiles, list) else []
    return [] if "*" in wanted or set(names) & set(wanted) else names


def _way_out(paths: Sequence[Path]) -> str:
    named = {path.name for path in paths}
    base = next((name for name in USUAL if name not in named and (paths[0].parent / name).is_file()), None)
    first = str(paths[0].parent / base) if base else "BASE"
    given, merge = " ".join(f"--from {path}" for path in paths), " ".join(f"-f {path}" for path in paths)
    ways = f"--from {first} {given}, or the merged file: docker compose -f {first} {merge} config > all.yaml"
    return f"a service with one; give the file that this one is laid over first ({ways})"
