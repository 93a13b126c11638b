"""`${NAME}` in the values of `crossfade.yaml`, filled in from the shell and from `.env` beside the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crossfade.file.parts.service import GIVEN
from crossfade.file.reading.document import Keys, Written, meaning
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.interpolation import fill
from crossfade.file.reading.problem import Problem, shown
from crossfade.file.secrecy import is_secret_name

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
        return self._filled(document, (), _is_given)

    def _filled(self, node: Written, keys: Keys, keep: Callable[[str], bool]) -> Written:
        if isinstance(node.value, dict):
            kept = {key: self._kept(node, keys, key, keep) for key in node.value}
            return replace(
                node, value={key: self._filled(item, (*keys, key), kept[key]) for key, item in node.value.items()}
            )
        if isinstance(node.value, list):
            return replace(node, value=[self._filled(item, (*keys, i), keep) for i, item in enumerate(node.value)])
        return self._text(node, keep) if isinstance(node.value, str) and "${" in node.value else node

    def _kept(self, node: Written, keys: Keys, key: str, keep: Callable[[str], bool]) -> Callable[[str], bool]:
        """What stays for the shell that runs the commands of a service: its own variables, secrets among them."""
        if len(keys) != 2 or keys[0] not in ("services", "stores"):  # noqa: PLR2004 - services and its name
            return keep
        if key == "secrets":  # its commands run in the shell of who deploys, and its texts are filled in there
            return lambda _name: True
        if keys[0] == "stores":
            return keep
        own = _own(node) if key in _RUN else frozenset()
        return lambda name: name in own or keep(name)

    def _text(self, node: Written, keep: Callable[[str], bool]) -> Written:
        text, script = str(node.value), not _RUN.isdisjoint(map(str, node.place.keys))
        try:
            filled = fill(text, self.values, bare=False, keep=keep, script=script)
        except ValueError as error:
            self.problems.append(Problem(node.place, f"found {shown(text)}", f"{error}; $NAME for a shell"))
            return node
        for name in filled.used:
            if is_secret_name(name) and name in self.values:
                allowed = f"{node.place.keys[-1]} under secrets, where no value is written down"
                self.problems.append(Problem(node.place, f"found {name}, which is a secret by its name", allowed))
        reasons = dict(filled.required)
        for name in (*filled.unset, *reasons):
            why = f" ({reasons[name]})" if reasons.get(name) else ""
            allowed = f"{name} in .env or in this shell, or ${{{name}:-default}}"
            self.unset.append(Problem(node.place, f"found {shown(text)}, and {name} is not set{why}", allowed))
        meant = meaning(filled.text)
        return replace(node, value=filled.text if meant is None else meant, text=filled.text)


def _is_given(name: str) -> bool:
    """True for what only an instance knows."""
    return name in GIVEN or name.startswith("CROSSFADE_")


def _own(service: Written) -> frozenset[str]:
    """The variables that the service is given."""
    own: set[str] = set()
    for key in ("env", "secrets"):
        section = service.get(key)
        if section is not None and isinstance(section.value, dict):
            own |= section.value.keys()
        elif section is not None and isinstance(section.value, list):
            own |= {str(item.value) for item in section.value}
    return frozenset(own)
