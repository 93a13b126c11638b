"""logs: what instances, builds, hooks and jobs wrote."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from crossfade.cli import completion
from crossfade.cli.call import Call, called
from crossfade.cli.look.since import since as moment
from crossfade.cli.streams import end_with_reader
from crossfade.telling.text import clock, plain

_LAST = 100
_ALL = 10_000  # of each writer, since a moment


@click.command(
    epilog="Examples: crossfade logs -f | crossfade logs web --since 10m | crossfade logs --hooks --since 14:30 | "
    "crossfade logs web --instance feedback-web-7-x3f9 --lines 500"
)
@click.argument("service", required=False, shell_complete=completion.parts)
@called(app=True, f=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option("--since", metavar="WHEN", help="From then on: 90s, 10m, 1h30m, 2d ago; 14:30; 2026-11-29T14:30.")
@click.option(
    "--instance", metavar="ID", shell_complete=completion.instances, help="Only this one, even if it is gone."
)
@click.option("--builds", is_flag=True, help="What builds wrote.")
@click.option("--hooks", is_flag=True, help="What hooks such as migrate wrote.")
@click.option("--jobs", is_flag=True, help="What runs of jobs wrote.")
@click.option(
    "--lines",
    type=click.IntRange(min=0),
    help=f"The last of each that writes. Default: {_LAST}, with --since {_ALL:,}.",
)
def logs(call: Call, *, service: str | None, follow: bool, **wanted: Any) -> None:
    """What the instances of SERVICE, a store or all services wrote, and when.

    With --builds, --hooks or --jobs what these wrote instead: the newest, or all since a moment.
    """
    if follow:
        end_with_reader()
    client = call.client()
    where = call.target(client, service)
    for said in client.lines("/v1/logs", **where, **query(wanted), follow=1 if follow else None):
        click.echo(json.dumps(said) if call.json else shown(said))


def query(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the API has them."""
    since = moment(wanted["since"], datetime.now(UTC).timestamp()) if wanted["since"] else None
    writers = [one for one in ("build", "hook", "job") if wanted[f"{one}s"]]
    lines = wanted["lines"] if wanted["lines"] is not None else _ALL if since is not None else _LAST
    return {"instance": wanted["instance"], "since": since, "writers": ",".join(writers) or None, "lines": lines}


def shown(said: Mapping[str, Any], host: str = "") -> str:
    """A line for people; what others wrote moves no terminal of ours."""
    line = f"{clock(said['at'])} {host}{' ' if host else ''}{said['instance']} | {said['line']}"
    return plain(line, colours=True) if sys.stdout.isatty() else line
