"""`crossfade init`: a first file, from what a folder has or from Compose files, and what is left to do."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import FILE, Call, called
from crossfade.cli.output import write
from crossfade.core.errors import RefusedError
from crossfade.source.there import is_folder, is_there
from crossfade.telling.text import plain, table

if TYPE_CHECKING:
    from crossfade.file.init.compose.carry import Draft
    from crossfade.file.init.starter import Start
    from crossfade.file.init.todo import Todo


@click.command(
    epilog="Examples: crossfade init | crossfade init --from compose.yaml --from compose.prod.yaml | "
    "crossfade init -f deploy/web.yaml"
)
@called(state=False)
@click.option("-f", "--file", type=click.Path(path_type=Path), default=FILE, help=f"Default: {FILE}.")
@click.option(
    "--from",
    "compose",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Carry over this Compose file; several are laid over each other, as with docker compose -f.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(call: Call, *, file: Path, compose: tuple[Path, ...], force: bool) -> None:
    """Write a file for the application in this folder: from what it finds, or from Compose files."""
    if is_there(file) and not force:
        raise RefusedError(f"{file} already exists; nothing was changed", "--force overwrites it")
    if compose:
        from crossfade.file.init.compose.carry import from_compose

        draft = from_compose(compose, file.absolute().parent)
        write(file, draft.text, "--file")
        _make(draft.folders)
        call.answer({"file": str(file), **_told(draft)}, _report(file, draft))
        return
    from crossfade.file.init.starter import starter

    start = starter(file.absolute().parent)
    write(file, start.text, "--file")
    data = {"file": str(file), "recognised": list(start.recognised), "left": [], "todo": _todo(start.todos)}
    call.answer(data, "\n".join([*_from_folder(file, start), *_closing(start.todos)]))


def _from_folder(file: Path, start: "Start") -> list[str]:
    if start.recognised:
        lines = [f"{file} is written for what was recognised here: {', '.join(start.recognised)}"]
    else:
        lines = [f"{file} is written, but nothing was recognised here"]
    if start.assumed:
        lines.append(
            f"{', '.join(start.assumed)}: GET / is assumed to answer 200-299; "
            "if it does not, write the path that does under health"
        )
    if start.compose:
        lines.append(
            f"{start.compose} is here too: `crossfade init --force --from {start.compose}` takes over what it says"
        )
    return lines


def _todo(todos: "Sequence[Todo]") -> list[dict[str, str]]:
    return [{"where": one.where, "what": one.what} for one in todos]


def _closing(todos: "Sequence[Todo]") -> list[str]:
    """What to do, last, where it is read."""
    if not todos:
        return ["Nothing is left to do: `crossfade check` reads it, `crossfade deploy` ships it"]
    lines = ["To do before a deploy:", *(f"  {number}. {plain(str(todo))}" for number, todo in enumerate(todos, 1))]
    return [*lines, "`crossfade check` repeats what is open, `crossfade deploy` ships it"]


def _make(folders: Sequence[Path]) -> None:
    """What Compose makes when it starts, a mount's folder of the project; one that cannot be made `check` names."""
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)


def _told(draft: "Draft") -> dict[str, Any]:
    return {
        "from": list(draft.read),
        "made": [str(folder) for folder in draft.folders if is_folder(folder)],
        "services": [
            {"name": name, "kind": str(role.kind), "because": list(role.evidence)} for name, role in draft.roles.items()
        ],
        "left": [{"where": one.where, "what": one.what, "why": one.why} for one in draft.left],
        "todo": _todo(draft.todos),
    }


def _report(file: Path, draft: "Draft") -> str:
    """What each service is, what is left behind, and last, where it is read, what to do."""
    rows = [(plain(name), str(role.kind), plain(role.because)) for name, role in draft.roles.items()]
    lines = [f"{file} is written from {', '.join(draft.read)}"]
    made = [str(folder) for folder in draft.folders if is_folder(folder)]
    lines += [f"Made, as Compose does: {', '.join(made)}"] if made else []
    lines += ["What each service is:", table(rows)]
    lines += ["What could not be carried over:", *(f"  {plain(line)}" for line in _left(draft))] if draft.left else []
    return "\n".join([*lines, *_closing(draft.todos)])


def _left(draft: "Draft") -> list[str]:
    """What is the same for several services, as by an anchor, is one line."""
    places: dict[tuple[str, str], list[str]] = {}
    for item in draft.left:
        places.setdefault((item.what, item.why), []).append(item.where)
    return [
        f"{where[0]}{f' (and {len(where) - 1} more)' if len(where) > 1 else ''}: {what}: {why}"
        for (what, why), where in places.items()
    ]
