"""The record of a rollout on paper."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import Call, called
from crossfade.cli.client import ControllerClient
from crossfade.cli.output import write
from crossfade.core.errors import WrongInputError

if TYPE_CHECKING:
    from crossfade.telling.account import ReleaseAccount

NEWEST = "latest"
FORMS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


@click.command(
    epilog="Examples: crossfade report | crossfade report web/7 -o rollout-7.html | crossfade report 7 --format html"
)
@click.argument("rollout", metavar="[[SERVICE/]ROLLOUT]", default=NEWEST)
@called(app=True)
@click.option(
    "--format", "form", type=click.Choice(["html", "markdown"]), help="Default: markdown, or what -o ends in."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there. Default: print.")
def report(call: Call, *, rollout: str, form: str | None, output: Path | None) -> None:
    """Write down a rollout for others: who, what, when, why, the shares, requests, failures and latency, and its proof.

    ROLLOUT is its number, or latest. One file that needs nothing else, made from the journal.
    """
    client = call.client()
    made = _account(call, client, rollout)
    form = form or (FORMS.get(output.suffix.lower()) if output else None) or "markdown"
    text = _written(made, form)
    named = {"service": made.service, "rollout": made.rollout["id"], "format": form}
    if output is None:
        call.answer({**named, "text": text}, text.rstrip("\n"))
        return
    write(output, text)
    call.answer({**named, "file": str(output)}, f"{output} tells rollout {named['rollout']} of {made.service}")


def _account(call: Call, client: ControllerClient, said: str) -> "ReleaseAccount":
    from crossfade.telling.account import account, events_of

    name, _, number = said.rpartition("/")
    target = call.target(client, name or None)
    target = {**target, "service": client.get("/v1/releases", **target)["service"].partition("/")[2]}
    results = client.get("/v1/rollouts", **target)["rollouts"]
    wanted = _number(client, target, results, number)
    result = next((one for one in results if one["rollout"]["id"] == wanted), None)
    made = account(events_of(client.lines("/v1/events", **target, limit=0), wanted), result, None)
    if made is None:
        known = [one["rollout"]["id"] for one in results]
        said = f"known: {', '.join(map(str, reversed(known[:10])))}" if known else "none is known"
        raise WrongInputError(f"{target['app']}/{target['service']} has no rollout {wanted}", said)
    releases = client.get("/v1/releases", **target)["releases"]
    release = next((one for one in releases if one["number"] == made.rollout["target"]), None)
    from dataclasses import replace

    return replace(made, release=release)


def _number(client: ControllerClient, target: dict[str, str], results: list[dict[str, Any]], said: str) -> int:
    if re.fullmatch(r"[0-9]{1,15}", said):
        return int(said)
    if said != NEWEST:
        raise WrongInputError(f"'{said}' is not a rollout", "give its number, or latest; `crossfade events` shows them")
    for service in client.get("/v1/status", app=target["app"])["services"]:
        if service["name"] == target["service"] and service["rollout"]:
            return int(service["rollout"]["id"])
    if not results:
        raise WrongInputError(
            f"{target['app']}/{target['service']} had no rollout yet", "`crossfade deploy` begins one"
        )
    return int(results[0]["rollout"]["id"])


def _written(made: "ReleaseAccount", form: str) -> str:
    if form == "html":
        from crossfade.telling.paper.html import html

        return html(made)
    from crossfade.telling.paper.markdown import markdown

    return markdown(made)
