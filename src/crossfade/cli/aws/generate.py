"""`crossfade infra init`: Terraform from the file, written again and again without losing what a team changed."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import FILE, Call, called
from crossfade.core.errors import WrongInputError

if TYPE_CHECKING:
    from crossfade.aws.terraform.write import FolderComparison
    from crossfade.file.model import App

FOLDER = "infrastructure"


@click.command(
    epilog="Examples: crossfade infra init | crossfade infra init -e prod --diff | crossfade infra init --keep"
)
@called(state=False)
@click.option("-f", "--file", type=click.Path(path_type=Path), help=f"Default: {FILE} here or above.")
@click.option("-e", "--environment", "wanted", metavar="NAME", multiple=True, help="Default: all on AWS. Repeatable.")
@click.option("--to", type=click.Path(path_type=Path), metavar="DIR", help=f"Default: {FOLDER} beside the file.")
@click.option("--diff", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite edited files; yours are kept as .orig.")
@click.option("--keep", is_flag=True, help="Leave edited files as they are.")
def init(
    call: Call, *, file: Path | None, wanted: tuple[str, ...], to: Path | None, diff: bool, force: bool, keep: bool
) -> None:
    """Write infrastructure/ from the file: modules that you can read, and a folder for each environment.

    Run it again after every change of the file. What you edited is never overwritten unasked: it shows both, and stops.
    """
    from crossfade.aws.choose import on_aws
    from crossfade.aws.terraform.tree import tree
    from crossfade.aws.terraform.write import compare, write

    if force and keep:
        raise WrongInputError("--force and --keep at once", "one of them")
    path = dataclasses.replace(call, file=file).required()
    folder = to or path.parent / FOLDER
    apps = on_aws(path, wanted)
    comparison = compare(folder, tree(apps), _answered_for(apps) if wanted else lambda _: True)
    if not call.json:
        click.echo(shown(comparison, everything=diff), nl=False)
    moved = {} if diff else write(comparison, force=force, keep=keep)
    answer = data(comparison, [app.environment for app in apps], written=not diff)
    call.answer(answer | {"moved": moved}, told(comparison, moved, written=not diff))


def _answered_for(apps: Iterable["App"]) -> Callable[[str], bool]:
    """With -e, what other environments need stays."""
    own = tuple(f"environments/{app.environment}/" for app in apps)
    return lambda path: path.startswith(own)


def shown(comparison: "FolderComparison", *, everything: bool) -> str:
    """What changes in files that are there. Whole new files only when nothing but the difference was asked for."""
    from crossfade.aws.terraform.write import FileState, diffs

    states = (FileState.CHANGED, FileState.EDITED, *((FileState.NEW, FileState.GONE) if everything else ()))
    return diffs(comparison.of(*states))


def data(comparison: "FolderComparison", environments: list[str], *, written: bool) -> dict[str, Any]:
    from crossfade.aws.terraform.write import FileState, diffs

    return {
        "ok": True,
        "folder": str(comparison.folder),
        "environments": environments,
        "written": written,
        "files": {state.value: [change.path for change in comparison.of(state)] for state in FileState},
        "diff": diffs(comparison.of(FileState.CHANGED, FileState.EDITED)),
    }


def told(comparison: "FolderComparison", moved: Mapping[str, str], *, written: bool) -> str:
    from crossfade.aws.terraform.write import FileState

    new, changed, gone = (comparison.of(state) for state in (FileState.NEW, FileState.CHANGED, FileState.GONE))
    if new or changed or gone or moved:
        counts = f"{len(new)} new, {len(changed) + len(moved)} changed, {len(gone)} removed"
        lines = [f"{comparison.folder}: {counts}" if written else f"{comparison.folder} would have {counts}"]
    else:
        lines = [f"{comparison.folder} is as {FILE} says"]
    lines += [f"  {change.path}: removed" for change in gone if written]
    lines += [f"  {path}: yours is kept as {aside}" for path, aside in moved.items()]
    edited = [change.path for change in comparison.of(FileState.EDITED, FileState.YOURS) if change.path not in moved]
    lines += [f"  {path}: edited, stays as it is" for path in edited]
    lines += [
        f"  {change.path}: edited, stays, no longer asked for"
        for change in comparison.of(FileState.LEFT)
        if change.there
    ]
    return "\n".join(lines)
