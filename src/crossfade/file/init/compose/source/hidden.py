"""Commands, checks and builds of a Compose file with secrets in them: the values must not stand in the new file."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.file.init.kept import InShell, WithVariables, left_open, script_of
from crossfade.file.reading.document import Keys, Written
from crossfade.file.reading.interpolation import fill
from crossfade.telling.secrecy import may_be_secret

_OF_BUILDS = ("args", "additional_contexts")
_PLACES: tuple[Keys, ...] = (("command",), ("entrypoint",), ("healthcheck", "test"))
_RUNS = re.compile(r"ofelia\.job-exec\.[^.]+\.command")  # labels by which a scheduler runs commands
_MARK = "\x01{}\x01"
_MARKED = re.compile(r"\x01(\w+)\x01")


@dataclass(frozen=True)
class Hidden:
    """One value that has such variables: `secrets`, and `required` ones that are set nowhere. `keys` are below its
    service. `lost` when it could not be said with them, and is without them.
    """

    keys: Keys
    secrets: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    lost: bool = False


def hide(service: dict[str, Any], written: Written, variables: Mapping[str, str]) -> list[Hidden]:
    """Puts variables back into the service's commands, for what is secret or has to be set and is not; says where.

    `written` is the service as it was typed.
    """
    found = []
    labels: list[Keys] = [("labels", name) for name in _mapping(service.get("labels")) if _RUNS.fullmatch(name)]
    for keys in (*_PLACES, *labels):
        *above, last = keys
        holder: Any = service
        for key in above:
            holder = holder.get(key) if isinstance(holder, dict) else None
        node = written.at(keys)
        if isinstance(holder, dict) and last in holder and _is_at(node, keys):
            made = _Hiding(variables)
            value = made.value(node, words=last in ("command", "entrypoint"))
            if made.secrets or (made.required and above != ["labels"]):
                holder[last] = script_of(value) if above == ["labels"] else value
                found.append(Hidden(keys, _once(made.secrets), _once(made.required), made.lost))
    return found


def _is_at(node: Written, keys: Keys) -> bool:
    """It is what stands there, and not the nearest thing above; of a list of labels each has a number."""
    return node.place.keys[2:] == keys or (keys[0] == "labels" and isinstance(node.value, str))


def leave_open(service: dict[str, Any], written: Written, variables: Mapping[str, str]) -> None:
    """Puts variables back into the service's build: into its arguments for what is set nowhere yet, and into all of it
    for what is secret, which an image, its record and a list of processes would show.
    """
    build = service.get("build")
    if not isinstance(build, dict):
        return
    below: list[Keys] = [(section, key) for section in _OF_BUILDS for key in _mapping(build.get(section))]
    for keys in (("context",), *below):
        node = written.at(("build", *keys))
        if not isinstance(node.value, str) or "$" not in node.value:
            continue
        *above, last = keys
        holder = build[above[0]] if above else build
        hiding = _Hiding(variables)
        hidden = hiding.value(node, words=False)
        if hiding.secrets:
            holder[last] = InShell() if hiding.lost else hidden
        elif above == ["args"] and "$$" not in node.value and (unset := fill(node.value, variables).unset):
            holder[last] = left_open(node.value, unset)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


class _Hiding:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.secrets: list[str] = []
        self.required: list[str] = []
        self.lost = False

    def value(self, node: Written, *, words: bool) -> Any:
        """What stands for the value, which is split into `words` where Compose does."""
        if isinstance(node.value, list):
            return [self.value(item, words=False) for item in node.value]
        if not isinstance(node.value, str) or "$" not in node.value:
            return node.value
        filled = fill(node.value, self.variables)
        secrets = [name for name in filled.used if may_be_secret(name, self.variables.get(name, ""))]
        required = [name for name, _ in filled.required if name not in secrets]
        if not secrets and not required:
            return filled.text
        self.secrets += [*secrets, *required] if secrets else []
        self.required += [] if secrets else required
        return self._hidden(node.value, [*secrets, *required], InShell if secrets else WithVariables, words=words)

    def _hidden(self, typed: str, names: list[str], kind: type[InShell | WithVariables], *, words: bool) -> Any:
        # What depends on whether it is set, and a literal `${`, could not be told from it any more.
        if "$${" in typed or any(re.search(rf"\$\{{{name}:?\+", typed) for name in names):
            self.lost = True
            return fill(typed, {**self.variables, **dict.fromkeys(names, "")}).text
        text = fill(typed, {**self.variables, **{name: _MARK.format(name) for name in names}}).text
        parts = [
            kind(_MARKED.sub(r"${\1}", part)) if _MARKED.search(part) else part
            for part in (_split(text) if words else [text])
        ]
        return parts if words else parts[0]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed
        return text.split()
