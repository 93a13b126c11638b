"""How many Compose files of public projects come in with nothing to do but build images and set secrets.

The corpus is a list of origins, and what of each project decides: the keys and shapes of its Compose files, those
lines of its Dockerfiles and proxies that an import looks at, and which paths there are. Values that decide nothing are
`text`.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.core.errors import CrossfadeError
from crossfade.file.init.compose.carry import Draft, from_compose
from crossfade.file.init.compose.judge.roles import CARRIED, Kind
from crossfade.file.init.todo import Rank, Todo
from crossfade.file.load import load_whole

NOUN = "compose"
CORPUS = Path(__file__).parent / "corpus" / "compose.json"
HOW = """\
Each project of benchmarks/corpus/compose.json is laid out again and given to `init --from`. It comes in whole when no
line of its list says that nothing runs, that something never gets healthy, loses data or is missing; when `check` takes
the file; when no service of it is forgotten; and when no value names a host that nobody answers to. Images to build,
secrets and env_files to bring, and data that Compose's volumes hold are the team's to do and count as nothing; what is
assumed (a path of health, a route) is counted beside.
"""
_TARGET = 75


@dataclass(frozen=True)
class Project:
    """A public project: `compose` are the files that are laid over each other, from the repository's root."""

    repo: str
    commit: str
    compose: Sequence[str]
    files: Mapping[str, str]
    there: Sequence[str]

    @property
    def name(self) -> str:
        return f"{self.repo} {' + '.join(self.compose)}"

    def lay_out(self, folder: Path) -> list[Path]:
        """Write it there; the Compose files' paths."""
        for path in self.there:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).mkdir(exist_ok=True) if path.endswith("/") else (folder / path).touch()
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return [folder / path for path in self.compose]


def corpus(path: Path = CORPUS) -> list[Project]:
    return [Project(**project) for project in json.loads(path.read_text(encoding="utf-8"))]


@dataclass(frozen=True)
class Judged:
    """What became of one project: the reasons why it would fail as it came in, and what was assumed."""

    project: Project
    reasons: Sequence[str]
    assumed: Sequence[str] = ()


def judge(project: Project) -> Judged:
    """Carry it over, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        paths = project.lay_out(Path(name).resolve())
        home = paths[0].parent
        try:
            draft = from_compose(paths, home, {})
        except CrossfadeError as error:
            return Judged(project, [f"refused: {error.cause.splitlines()[0].replace(name, '')}"])
        for folder in draft.folders:
            folder.mkdir(parents=True, exist_ok=True)
        reasons = [f"{todo.rank.name.lower()}: {_kind(todo)}" for todo in draft.todos if _fails(todo)]
        reasons += _refused(draft, home) or _forgotten(draft)
        assumed = [_kind(todo) for todo in draft.todos if todo.rank >= Rank.EXPOSED]
        return Judged(project, list(dict.fromkeys(reasons)), assumed)


def _fails(todo: Todo) -> bool:
    """Not what a team does anyway: build images, bring secrets and settings, bring along its data."""
    key = todo.where.split(", ")[0].rpartition(".")[2]
    if todo.what.startswith(("build it", "bring along", "copy ", "export ")) or key in {"secrets", "env_file"}:
        return False
    return todo.rank < Rank.EXPOSED


def _kind(todo: Todo) -> str:
    """The sentence without names: those of one kind read the same."""
    return re.sub(r"`[^`]*`|[~./][\w./-]*/[\w./:-]*|\b\d+\b", "...", todo.what)[:90]


def _refused(draft: Draft, home: Path) -> list[str]:
    """Why `check` would refuse what was written; variables and env_files are brought first, as the list says."""
    file = home / "crossfade.yaml"
    file.write_text(draft.text, encoding="utf-8")
    try:
        load_whole(file, variables=_Any())
    except CrossfadeError as error:
        return [f"check refuses it: {line.split(': ', 1)[-1]}" for line in str(error).splitlines()[:1]]
    return []


class _Any(dict[str, str]):
    """A shell that has a value for every variable."""

    def __missing__(self, name: str) -> str:
        return "1"

    def __contains__(self, name: object) -> bool:
        return True


def _forgotten(draft: Draft) -> Iterator[str]:
    """Services of the Compose file that are neither in ours nor named among what was left."""
    said = draft.text + "\n".join(map(str, draft.left))
    for name, role in draft.roles.items():
        if not re.search(rf"\b{re.escape(name)}\b", said, re.IGNORECASE) and name.replace("_", "-") not in said:
            yield f"forgotten: a {role.kind}"
        if role.kind in CARRIED | {Kind.STORE} and f"\n  {_ours(name)}:" not in draft.text and name not in said:
            yield f"dropped without a word: a {role.kind}"


def _ours(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


async def measure(scale: Scale) -> Result:
    judged = [judge(project) for project in scale.announced(NOUN, corpus())]
    whole = [one for one in judged if not one.reasons]
    why = Counter(reason for one in judged for reason in one.reasons)
    assumed = Counter(kind for one in judged for kind in set(one.assumed))
    ready = [one for one in whole if not one.assumed]
    return Result(
        noun=NOUN,
        title="Compose files of public projects",
        how=HOW,
        figures=[
            Figure(name="projects", value=len(judged), least=60),
            Figure(
                name="come in with nothing to do but build images and set secrets",
                value=100 * len(whole) / len(judged),
                unit="%",
                least=_TARGET,
            ),
            Figure(name="of these without anything assumed", value=len(ready)),
        ],
        tables=(
            Table(
                head=("what keeps the others", "projects"), rows=[(why_not, str(n)) for why_not, n in why.most_common()]
            ),
            Table(
                head=("project", "reason"),
                rows=[(one.project.name, "; ".join(one.reasons)) for one in judged if one.reasons],
            ),
            Table(head=("what is assumed", "projects"), rows=[(kind, str(n)) for kind, n in assumed.most_common(12)]),
        ),
    )
