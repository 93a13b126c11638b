"""`${NAME}` in the values of `crossfade.yaml`, filled in from the shell and from `.env` beside the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crossfade.file.parts.service import GIVEN
from crossfade.file.reading.document import Keys, Written, meaning
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.interpolation import fill
from crossfade.file.reading.problem import Problem, shown
from crossfade.telling.secrecy import is_secret_name, may_be_secret

DOTENV = ".env"
_RUN = frozenset({"command", "build", "hooks"})


def variables_beside(path: Path, shell: Mapping[str, str]) -> dict[str, str]:
    """What values of the file may use: the shell's variables, and below them those of `.env` beside it."""
    dotenv = path.parent / DOTENV
    return {**(read_variables(dotenv, str(dotenv), shell) if dotenv.is_file() else {}), **shell}


@dataclass
class Filling:
    """One document with its variables filled in. `unset` are problems of variables that have no value."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    unset: list[Problem] = field(default_factory=list)

    def filled(self, document: Written) -> Written:
        """The document with every text filled in; what is a number or true then, is one."""
        return self._filled(document, (), document)

    def _filled(self, node: Written, keys: Keys, document: Written) -> Written:
        if isinstance(node.value, dict):
            return replace(
                node, value={key: self._filled(item, (*keys, key), document) for key, item in node.value.items()}
            )
        if isinstance(node.value, list):
            return replace(node, value=[self._filled(item, (*keys, i), document) for i, item in enumerate(node.value)])
        return self._text(node, keys, document) if isinstance(node.value, str) and "${" in node.value else node

    def _text(self, node: Written, keys: Keys, document: Written) -> Written:
        own = _own(keys, document)
        text, script = str(node.value), not _RUN.isdisjoint(map(str, node.place.keys))
        # The commands of secrets run in the shell of whoever deploys, and their texts are filled in there.
        later = keys[:1] in (("services",), ("stores",)) and keys[2:3] == ("secrets",)

        def keep(name: str) -> bool:
            return later or name in own or name in GIVEN or name.startswith("CROSSFADE_")

        try:
            filled = fill(text, self.values, bare=False, keep=keep, script=script)
        except ValueError as error:
            self.problems.append(Problem(node.place, f"found {shown(text)}", f"{error}; $NAME for a shell"))
            return node
        hidden = [name for name in filled.used if self._hides(name)]
        for name in hidden:
            self.problems.append(Problem(node.place, _found(name), _instead(name, keys)))
        if hidden:
            return node  # as it was typed: what else is wrong with it is said without the value
        reasons = dict(filled.required)
        for name in (*filled.unset, *reasons):
            why = f" ({reasons[name]})" if reasons.get(name) else ""
            allowed = f"{name} in .env or in this shell, or ${{{name}:-default}}"
            self.unset.append(Problem(node.place, f"found {shown(text)}, and {name} is not set{why}", allowed))
        meant = meaning(filled.text)
        return replace(node, value=filled.text if meant is None else meant, text=filled.text)

    def _hides(self, name: str) -> bool:
        """What a release is made of is on record, and so would its value be."""
        return name in self.values and may_be_secret(name, self.values[name])


def _found(name: str) -> str:
    return f"found {name}, which {'is a secret by its name' if is_secret_name(name) else 'has a secret in it'}"


def _instead(name: str, keys: Keys) -> str:
    if _in_shell(keys):
        return f"{name} under secrets of what runs it: its shell fills it in then"
    if _in_shell(keys[:-1]):
        return f"a text in place of the list, and {name} under secrets: a shell reads the one and not the other"
    last = next(key for key in reversed(keys) if isinstance(key, str))
    return f"{last} under secrets, where no value is written down"


def _in_shell(keys: Keys) -> bool:
    """True where a shell reads a text, and has the variables of the service, of the store, or of the job's service."""
    match keys:
        case ("services", _, "command" | "build") | ("services", _, "hooks", _) | ("stores" | "jobs", _, "command"):
            return True
        case ("services" | "stores", _, "health", "command") | ("stores", _, "backup", "command" | "restore"):
            return True
    return False


def _own(keys: Keys, document: Written) -> frozenset[str]:
    """The variables of the shell that reads a text."""
    runner = _runner(keys, document) if _in_shell(keys) else None
    own: set[str] = set()
    for section in (runner.get("env"), runner.get("secrets")) if runner is not None else ():
        if section is not None and isinstance(section.value, dict):
            own |= section.value.keys()
        elif section is not None and isinstance(section.value, list):
            own |= {str(item.value) for item in section.value}
    return frozenset(own)


def _runner(keys: Keys, document: Written) -> Written | None:
    """The service or the store that runs it; of a job the service that it names, or the only one."""
    part = document.at(keys[:2])
    services = document.get("services")
    if keys[0] != "jobs" or services is None or not isinstance(services.value, dict):
        return part
    named = part.get("service")
    if named is None and len(services.value) == 1:
        return next(iter(services.value.values()))
    return services.get(str(named.value)) if named is not None else None
