"""Commands and checks of a Compose file with secrets in them: the values must not stand in the new file."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.file.init.kept import InShell, Kept, left_open
from crossfade.file.reading.document import Keys, Written
from crossfade.file.reading.interpolation import fill
from crossfade.file.secrecy import is_secret, is_secret_name

_ARGS = ("build", "args")
_PLACES: tuple[Keys, ...] = (("command",), ("entrypoint",), ("healthcheck", "test"))
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
    for keys in _PLACES:
        *above, last = keys
        holder: Any = service
        for key in above:
            holder = holder.get(key) if isinstance(holder, dict) else None
        node = written.at(keys)
        if isinstance(holder, dict) and last in holder and node.place.keys[2:] == keys:
            made = _Hiding(variables)
            value = made.value(node, words=last != "test")
            if made.secrets or made.required:
                holder[last] = value
                found.append(Hidden(keys, _once(made.secrets), _once(made.required), made.lost))
    return found


def leave_open(service: dict[str, Any], written: Written, variables: Mapping[str, str]) -> None:
    """Puts variables back into arguments of the service's build, for what is set nowhere yet."""
    build = service.get("build")
    args = build.get("args") if isinstance(build, dict) else None
    if not isinstance(args, dict):
        return
    for key in args:
        node = written.at((*_ARGS, key))
        if isinstance(node.value, str) and node.place.keys[2:4] == _ARGS and "$$" not in node.value:
            unset = fill(node.value, variables).unset
            args[key] = left_open(node.value, unset) if unset else args[key]


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
        secrets = [name for name in filled.used if _hides(name, self.variables)]
        required = [name for name, _ in filled.required if name not in secrets]
        if not secrets and not required:
            return filled.text
        self.secrets += [*secrets, *required] if secrets else []
        self.required += [] if secrets else required
        return self._hidden(node.value, [*secrets, *required], InShell if secrets else Kept, words=words)

    def _hidden(self, typed: str, names: list[str], kind: type[InShell | Kept], *, words: bool) -> Any:
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


def _hides(name: str, variables: Mapping[str, str]) -> bool:
    return is_secret_name(name) or is_secret(name, variables.get(name, ""))
