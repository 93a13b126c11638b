"""How many folders of public projects `init` recognises as what they are.

The corpus is a list of origins, the names of the files that decide, and of these the few lines that do. `right` is what
a person who looked at the project would write: what runs, by what, where it listens, how it is asked.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.file.init.starter import starter
from crossfade.file.load import load

NOUN = "folders"
CORPUS = Path(__file__).parent / "corpus" / "folders.json"
HOW = """\
Each folder of benchmarks/corpus/folders.json is laid out again and given to `init`. It is recognised when each service
has the source or image, the build, the command, the port, the migration and the path of health that are right.
"""
_COMPARED = ("image", "port", "source", "command", "build", "kind", "hooks")


@dataclass(frozen=True)
class Folder:
    """A public project's folder; `right` has each service's settings, and none where there is nothing to run."""

    repo: str
    commit: str
    files: Mapping[str, str]
    right: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Guessed:
    """What `init` made of a folder, and what it leaves to do."""

    folder: Folder
    services: Mapping[str, Mapping[str, Any]]
    todos: Sequence[str]

    @property
    def right(self) -> bool:
        return self.services == self.folder.right

    @property
    def differs(self) -> str:
        names = self.services.keys() | self.folder.right.keys()
        return ", ".join(sorted(one for one in names if self.services.get(one) != self.folder.right.get(one)))


def corpus(path: Path = CORPUS) -> list[Folder]:
    return [Folder(**folder) for folder in json.loads(path.read_text(encoding="utf-8"))]


def guess(folder: Folder) -> Guessed:
    """Lay it out in a folder of its own, which is gone afterwards. What is written must load."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / folder.repo.partition("/")[2]
        home.mkdir()
        for path, text in folder.files.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text, encoding="utf-8")
        start = starter(home)
        (home / "crossfade.yaml").write_text(start.text, encoding="utf-8")
        load(home / "crossfade.yaml")
    services = yaml.safe_load(start.text)["services"] if start.recognised else {}
    return Guessed(folder, {one: _compared(services[one]) for one in services}, [todo.what for todo in start.todos])


def _compared(service: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"health": service["health"]["path"]} if "health" in service else {}
    return {key: service[key] for key in _COMPARED if key in service} | asked


async def measure(scale: Scale) -> Result:
    guessed = [guess(folder) for folder in scale.announced(NOUN, corpus())]
    right = sum(one.right for one in guessed)
    return Result(
        noun=NOUN,
        title="Folders of public projects",
        how=HOW,
        figures=[
            Figure(name="folders", value=len(guessed), least=20),
            Figure(name="recognised as what they are", value=100 * right / len(guessed), unit="%", least=90),
        ],
        tables=(
            Table(
                head=("not recognised", "services", "what it says"),
                rows=[(one.folder.repo, one.differs, "; ".join(one.todos)) for one in guessed if not one.right],
            ),
        ),
    )
