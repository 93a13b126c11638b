"""init, check and schema: what concerns the file and nothing that runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.call import FILE, Call, called
from crossfade.core.errors import RefusedError

if TYPE_CHECKING:
    from crossfade.file.init.compose import NotCarried


@click.command(
    epilog="Examples: crossfade init | crossfade init --from compose.yaml | crossfade init -f deploy/web.yaml"
)
@called(state=False)
@click.option("-f", "--file", type=click.Path(path_type=Path), default=FILE, help=f"Default: {FILE}.")
@click.option("--from", "compose", type=click.Path(path_type=Path), help="Carry over this Compose file.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(call: Call, *, file: Path, compose: Path | None, force: bool) -> None:
    """Write a file for the application in this folder: from what it finds, or from a Compose file."""
    if file.exists() and not force:
        raise RefusedError(f"{file} is there already; nothing was changed", "--force overwrites it")
    left: list[NotCarried] = []
    if compose:
        from crossfade.file.init.compose import from_compose

        text, left = from_compose(compose)
    else:
        from crossfade.file.init.starter import starter

        text = starter(file.absolute().parent)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{file} cannot be written: {error.strerror}", "name another with --file") from error
    lines = [f"{file} is written; `crossfade check` reads it, `crossfade deploy` ships it"]
    lines += ["What could not be carried over:", *(f"  {item}" for item in left)] if left else []
    data = {"file": str(file), "left": [{"where": i.where, "what": i.what, "why": i.why} for i in left]}
    call.answer(data, "\n".join(lines))


@click.command(epilog="Examples: crossfade check | crossfade check -f deploy/web.yaml -e prod --json")
@called(file=True, state=False)
def check(call: Call) -> None:
    """Say whether the file is right, in every environment, without running anything."""
    from crossfade.file.load import load

    path = call.required()
    app = load(path, call.environment)
    services = ", ".join(app.deploy_order)
    call.answer(
        {
            "ok": True,
            "file": str(path),
            "app": app.name,
            "environment": app.environment,
            "services": list(app.deploy_order),
        },
        f"{path} is right: app {app.name}, environment {app.environment}, services {services}",
    )


@click.command(epilog="Examples: crossfade schema > crossfade.schema.json")
@called(state=False)
def schema(call: Call) -> None:
    """Print the JSON Schema of the file: editors complete keys and mark mistakes with it."""
    from crossfade.file.schema import schema as made

    click.echo(json.dumps(made(), indent=None if call.json else 2))
