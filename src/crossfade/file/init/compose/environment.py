"""A service's variables: which may stand in a file, which are secrets, and which nobody has set."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.kept import left_open
from crossfade.file.init.todo import Rank
from crossfade.file.parts.service import GIVEN
from crossfade.file.parts.variables.secrets import OF_CONTAINERS
from crossfade.file.reading.document import Keys
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.interpolation import Filled, fill
from crossfade.paths import from_folder
from crossfade.source.there import is_file
from crossfade.telling.secrecy import is_secret, is_secret_name, is_secret_value, masked, may_be_secret, password_in


@dataclass
class Variables:
    """`env` may stand in the file, `secrets` are only named there, `files` are its env_files.

    `known` is what the container has by all that is here, secrets and files included, to look for ports and names in.
    """

    env: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    made_of: dict[str, str] = field(default_factory=dict)  # secrets, and the text with variables that each is
    files: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)


_BARE = re.compile(r"(?<!\$)\$([A-Za-z_]\w*)")  # $NAME, which is ${NAME} to Compose
_OTHER_DOLLAR = re.compile(r"\$(?!\{)")
_THERE = "\x01"  # stands for a value
_LETTERS = re.compile(r"\w{2}")  # more than what joins variables


def named_secrets(variables: Variables) -> Any:
    """Under `secrets`: a list of names, or a mapping where the file says of some what they are made of."""
    if not variables.made_of:
        return variables.secrets
    return {name: {"value": made} if (made := variables.made_of.get(name)) else None for name in variables.secrets}


def variables_of(project: Project, service: dict[str, Any], notes: ServiceNotes, here: Path) -> Variables:
    """The service's variables, as Compose gives them; what is a secret, or set nowhere, is told.

    `here` is the folder of the new file.
    """
    return _Variables(project, service, notes, here).read()


class _Variables:
    def __init__(self, project: Project, service: dict[str, Any], notes: ServiceNotes, here: Path) -> None:
        self.project, self.service, self.notes, self.here = project, service, notes, here
        self.found = Variables()
        self.to_export: list[str] = []
        self.was: dict[str, str] = {}  # of those, what they were made of
        self.passed_through: list[str] = []
        self.empty: list[str] = []  # what is set nowhere and taken as empty

    def read(self) -> Variables:
        self._files()
        environment = self.service.get("environment")
        for name, value in environment.items() if isinstance(environment, dict) else ():
            self._variable(str(name), value)
        if self.passed_through:
            what = f"variables passed through ({len(self.passed_through)}: {', '.join(self.passed_through)})"
            why = "they are set neither in this shell nor in .env, and so not in Compose either"
            self.notes.leave(("environment",), what, why)
        if self.empty:
            self._tell_empty()
        self._tell_empty_elsewhere()
        if self.to_export:
            names = ", ".join(self.to_export)
            what = f"export {names}, or write {'it' if len(self.to_export) == 1 else 'them'} to .env beside this file"
            was = ", ".join(f"{name} was {typed}" for name, typed in self.was.items() if typed != f"${{{name}}}")
            what += f" ({was})" if was else ""
            self.notes.todo(Rank.NOTHING_RUNS, "secrets", what)
        return self.found

    def _tell_empty(self) -> None:
        """Compose warns of each and goes on; what is fetched without a `.env` mostly has an example of it."""
        names = ", ".join(dict.fromkeys(self.empty))
        example = next((one for one in _examples(".env") if is_file(self.project.folder / one)), "")
        if example and not is_file(self.project.folder / ".env"):
            stays = "stay" if "," in names else "stays"
            what = f"copy {example} to .env and fill it in: without it {names} {stays} empty"
            self.notes.todo(Rank.NOTHING_RUNS, "env", what)
        else:
            self.notes.todo(Rank.ASSUMED, "env", f"see that these may be empty, or write them to .env: {names}")

    def _tell_empty_elsewhere(self) -> None:
        """In an image's name or a path an empty variable is seldom meant, and the new file has what came of it."""
        for (service, key), names in self.project.empty.items():
            untagged = key == "image" and str(self.service.get("image")).endswith(":")  # which is told as that
            if service == self.notes.compose_name and not untagged:
                which = ", ".join(dict.fromkeys(names))
                what = f"write {which} to .env, and import again: {key} had {which}, which is set nowhere"
                rank = Rank.NOTHING_RUNS if key in ("image", "volumes", "ports") else Rank.ASSUMED
                self.notes.todo(rank, "" if key in ("ports", "labels") else key, what)

    def _variable(self, name: str, value: Any) -> None:
        keys: Keys = ("services", self.notes.compose_name, "environment", name)
        if name in GIVEN:
            self.found.known[name] = str(value)
            self.notes.leave(("environment", name), name, "crossfade gives it to each instance itself")
            return
        try:
            OF_CONTAINERS.read(name)
        except ValueError as error:
            self.notes.leave(("environment", name), name, f"no variable for crossfade; allowed: {error}")
            self.notes.todo(
                Rank.NEVER_HEALTHY, "env", f"give {name} in another way: that is not the name of a variable"
            )
            return
        if value is None and self.project.root.at(keys).value is None:
            self._passed_through(name)
        else:
            self._with_value(name, self.project.filled(keys), self.project.typed(keys))

    def _passed_through(self, name: str) -> None:
        value = self.project.variables.get(name)
        if value is not None and not is_secret(name, value):
            self.found.env[name] = self.found.known[name] = value
        elif value is not None or is_secret_name(name):
            self._secret(name, "its value comes from the shell of whoever deploys", value or "")
        else:
            self.passed_through.append(name)

    def _with_value(self, name: str, filled: Filled, typed: str) -> None:
        secret_parts = [part for part in filled.used if may_be_secret(part, self.project.variables.get(part, ""))]
        unset = [part for part in filled.unset if is_secret_name(name)]
        if filled.required or secret_parts or unset or is_secret(name, filled.text):
            hidden = [*secret_parts, *unset]
            braced = _BARE.sub(r"${\1}", typed)
            if self._is_kept_made(name, braced, filled) and not _written_down(name, typed, hidden, filled):
                self._made(name, braced, filled)
            else:
                file = self.project.root.at(("services", self.notes.compose_name, "environment", name)).place.file
                self._secret(name, _template(self.project, typed, filled, name, file), filled.text)
            return
        self.found.env[name] = self.found.known[name] = filled.text
        if filled.unset:
            self.empty += filled.unset
            if self.project.folder == self.here and "$$" not in typed:
                self.found.env[name] = left_open(typed, filled.unset)
            said = f"{', '.join(filled.unset)} is set nowhere, so Compose takes it as empty; so does this file"
            self.notes.leave(("environment", name), f"{name}={typed}", said)

    def _is_kept_made(self, name: str, typed: str, filled: Filled) -> bool:
        """Our file may say of it what Compose's does: both stand beside the same `.env`. Where it is made of a variable
        of its own name the shell's is taken as it is.
        """
        same = self.project.folder == self.here and not _OTHER_DOLLAR.search(typed)
        return same and bool(filled.used) and (name not in filled.used or self._has_default(name, filled))

    def _has_default(self, name: str, filled: Filled) -> bool:
        """It need not be set: what Compose takes then our file takes, too."""
        asked = {*filled.unset, *(part for part, _ in filled.required), *self.project.variables}
        return name not in asked

    def _made(self, name: str, typed: str, filled: Filled) -> None:
        """A secret that is made of variables, each of which has to be set where this is deployed from."""
        self.found.secrets.append(name)
        self.found.known[name] = filled.text
        self.found.made_of[name] = typed
        without = {*filled.unset, *(part for part, _ in filled.required)}
        elsewhere = self.project.variables.keys() - self.project.dotenv
        for part in filled.used:
            if part in without | elsewhere and part not in self.to_export:
                self.to_export.append(part)

    def _secret(self, name: str, was: str, value: str) -> None:
        self.found.secrets.append(name)
        self.found.known[name] = value
        why = f"it looks like a secret, and the file only names it under secrets; {was}"
        self.notes.leave(("environment", name), f"the value of {name}", why)
        if self.project.variables.get(name) is None or name not in self.project.dotenv:
            self.to_export.append(name)
            if made := re.fullmatch(rf"{re.escape(name)} was (.*\$\{{.*): export it like that before a deploy", was):
                self.was[name] = made[1]

    def _files(self) -> None:
        entries = self.service.get("env_file")
        for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            path = entry.get("path") if isinstance(entry, dict) else entry
            if not isinstance(path, str) or not path:
                continue
            required = not isinstance(entry, dict) or entry.get("required", True)
            if isinstance(entry, dict) and entry.get("format") == "raw":
                why = "quotes, # and $ mean something here: write a value that has one in single quotes"
                self.notes.leave(("env_file", index), f"format raw of {path}", why)
            self._file(("env_file", index), path, required=bool(required))

    def _file(self, below: Keys, path: str, *, required: bool) -> None:
        full = from_folder(self.project.folder, path)
        if is_file(full):
            self.found.files.append(path)
            try:
                self.found.known.update(read_variables(full, str(full), self.project.variables))
            except WrongInputError as error:
                self.notes.leave(below, f"env_file {path}", f"{error.cause}")
            return
        if not required:
            self.notes.leave(below, f"env_file {path}", "it does not exist and need not")
            return
        example = next((name for name in _examples(path) if is_file(from_folder(self.project.folder, name))), "")
        copy = f"copy {example} to {path} and fill it in" if example else f"write {path}"
        self.notes.leave(below, f"env_file {path}", f"found no such file; allowed: an existing file: {copy}")
        self.notes.todo(Rank.NOTHING_RUNS, "env_file", f"{copy}, then add `env_file: {path}` to this service")


def _examples(path: str) -> list[str]:
    folder, name = Path(path).parent, Path(path).name
    return [
        str(folder / other)
        for other in (f"{name}.example", f"{name}.sample", f"{name}.dist", f"example{name}", f"{name}.template")
    ]


def _written_down(name: str, typed: str, hidden: Sequence[str], filled: Filled) -> bool:
    """True where the text itself has a secret in it, beside its variables: postgres://app:hunter2@${DB_HOST}/shop.

    What stands behind `:-` is no secret: Compose takes it where nobody sets one. `hidden` are the variables among them
    that are secrets; where a secret has none, it is the text that is one.
    """
    bare = fill(typed, dict.fromkeys(filled.used, _THERE)).text.replace(_THERE, "")
    return _holds(bare) or (is_secret_name(name) and not hidden and _LETTERS.search(bare) is not None)


def _holds(text: str) -> bool:
    """A secret, or more of a password than what joins the variables that it is made of."""
    password = password_in(text)
    return _LETTERS.search(password) is not None if password else is_secret_value(text)


def _template(project: Project, typed: str, filled: Filled, name: str, file: str) -> str:
    """What a secret was, without what must not be seen: postgres://app:${DB_PASSWORD}@db:5432/shop."""
    stays = f"its value stays in {file}, export it before a deploy"
    if not filled.used:
        shown = masked(typed)
        return f"{name} was {shown}" if shown != "..." else stays
    if typed == f"${{{name}}}":
        return "its value is that of whoever deploys"
    visible = {part: project.variables.get(part) for part in filled.used}
    hidden = {
        part: f"${{{part}}}"
        for part, value in visible.items()
        if part in filled.unset or may_be_secret(part, value or "")
    }
    if _written_down(name, typed, list(hidden), filled):
        return stays
    if filled.required:
        why = next((why for _, why in filled.required if why), "")
        return f"{name} was {typed}{f' ({why})' if why else ''}: export it like that before a deploy"
    shown = fill(typed, {**project.variables, **hidden}).text
    if hidden and _holds(fill(typed, {**project.variables, **dict.fromkeys(hidden, "")}).text):
        return stays  # one of the others is a secret, too
    return f"{name} was {shown if hidden else masked(shown)}: export it like that before a deploy"
