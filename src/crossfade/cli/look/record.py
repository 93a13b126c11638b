"""releases and events: what is on record of a service, the newest releases first, or step by step."""

import json

import click

from crossfade.cli import completion
from crossfade.cli.call import Call, called
from crossfade.cli.client import ControllerClient
from crossfade.cli.look.status import require_known_app
from crossfade.cli.streams import end_with_reader
from crossfade.telling.story import Stories, newest
from crossfade.telling.text import clock, table


@click.command(epilog="Examples: crossfade releases | crossfade releases web --json")
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
def releases(call: Call, *, service: str | None) -> None:
    """The releases of SERVICE, newest first, with what became of them."""
    client = call.client()
    found = client.get("/v1/releases", **call.target(client, service))
    head = ("RELEASE", "VERSION", "OUTCOME", "TAGS", "SOURCE", "WHEN", "BY", "")
    rows = [
        (
            str(r["number"]),
            r["version"],
            r["outcome"],
            " ".join(r["tags"]),
            (r["git_sha"] or r["digest"].rpartition(":")[2])[:7],
            clock(r["at"]),
            r["by"],
            r["why"],
        )
        for r in found["releases"]
    ]
    call.answer(found, f"{found['service']}\n{table([head, *rows])}")


def _whose(call: Call, client: ControllerClient, service: str | None) -> dict[str, str]:
    """Which lines of the journal are meant: a service's, a store's, an app's with its release groups, or all."""
    if service:
        return call.target(client, service)
    app = call.chosen_app()
    if app and not call.environment:
        require_known_app(call, app, client.get("/v1/status", app=app))
        return {"whole": app}
    return call.target(client, None) if app else {}


@click.command(epilog="Examples: crossfade events | crossfade events web --follow | crossfade events --limit 0 --json")
@click.argument("service", required=False, shell_complete=completion.parts)
@called(app=True)
@click.option("--follow", is_flag=True, help="Go on with what happens from now on.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="The newest lines shown; 0 is all."
)
def events(call: Call, *, service: str | None, follow: bool, limit: int) -> None:
    """Everything that happened to SERVICE, a store or a whole app, step by step, as the journal has it."""
    if follow:
        end_with_reader()
    client = call.client()
    where = _whose(call, client, service)
    going_on = 1 if follow else None
    if call.json:
        for event in client.lines("/v1/events", **where, limit=limit, follow=going_on):
            click.echo(json.dumps(event))
        return
    stories, after = Stories(), 0
    lines: list[str] = []
    if limit:
        stories, lines, after = newest(lambda asked: client.lines("/v1/events", **where, limit=asked), limit)
    for line in lines:
        click.echo(line)
    if follow or not limit:
        for event in client.lines("/v1/events", **where, after=after, follow=going_on):
            for line in stories.tell(event):
                click.echo(line)
