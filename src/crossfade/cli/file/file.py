"""init, check and schema: what concerns the file and nothing that runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import FILE, Call, called
from crossfade.cli.text import table
from crossfade.core.errors import RefusedError

if TYPE_CHECKING:
    from crossfade.file.init.compose.carry import Draft


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
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(call: Call, *, file: Path, compose: tuple[Path, ...], force: bool) -> None:
    """Write a file for the application in this folder: from what it finds, or from Compose files."""
    if file.exists() and not force:
        raise RefusedError(f"{file} is there already; nothing was changed", "--force overwrites it")
    if compose:
        from crossfade.file.init.compose.carry import from_compose

        draft = from_compose(compose, file.absolute().parent)
        _write(file, draft.text)
        call.answer({"file": str(file), **_told(draft)}, _report(file, draft))
        return
    from crossfade.file.init.starter import starter

    _write(file, starter(file.absolute().parent))
    done = f"{file} is written; `crossfade check` reads it, `crossfade deploy` ships it"
    call.answer({"file": str(file), "left": [], "todo": []}, done)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{file} cannot be written: {error.strerror}", "name another with --file") from error


def _told(draft: "Draft") -> dict[str, Any]:
    return {
        "from": list(draft.read),
        "services": [
            {"name": name, "kind": str(role.kind), "because": list(role.evidence)} for name, role in draft.roles.items()
        ],
        "left": [{"where": one.where, "what": one.what, "why": one.why} for one in draft.left],
        "todo": [{"where": one.where, "what": one.what} for one in draft.todos],
    }


def _report(file: Path, draft: "Draft") -> str:
    """What each service is, what is left behind, and last, where it is read, what to do."""
    rows = [(f"  {name}", str(role.kind), role.because) for name, role in draft.roles.items()]
    lines = [f"{file} is written from {', '.join(draft.read)}", "What each service is:", table(rows)]
    lines += ["What could not be carried over:", *(f"  {item}" for item in draft.left)] if draft.left else []
    if not draft.todos:
        return "\n".join([*lines, "Nothing is left to do: `crossfade check` reads it, `crossfade deploy` ships it"])
    lines += ["To do before a deploy:", *(f"  {number}. {todo}" for number, todo in enumerate(draft.todos, 1))]
    return "\n".join([*lines, "`crossfade check` repeats what is open, `crossfade deploy` ships it"])


@click.command(epilog="Examples: crossfade check | crossfade check -f deploy/web.yaml -e prod --json")
@called(file=True, state=False)
def check(call: Call) -> None:
    """Say whether the file is right, in every environment, without running anything."""
    from crossfade.cli.file import contents
    from crossfade.file.load import load
    from crossfade.file.settle import settle

    path = call.required()
    app = load(path, call.environment)
    services = ", ".join(app.deploy_order)
    settled = settle(app, path.absolute().parent.resolve()) if app.platform == "local" else ()
    found = contents.accounts([{"name": one.name, "source": one.source} for one in settled], call.state.root)
    call.answer(
        {
            "ok": True,
            "file": str(path),
            "app": app.name,
            "environment": app.environment,
            "services": list(app.deploy_order),
            **contents.data(found),
        },
        "\n".join(
            [
                f"{path} is right: app {app.name}, environment {app.environment}, services {services}",
                *contents.lines(found),
            ]
        ),
    )


@click.command(epilog="Examples: crossfade schema > crossfade.schema.json")
@called(state=False)
def schema(call: Call) -> None:
    """Print the JSON Schema of the file: editors complete keys and mark mistakes with it."""
    from crossfade.file.schema import schema as made

    click.echo(json.dumps(made(), indent=None if call.json else 2))
