"""Rollouts that this process carries itself, because no daemon does: taken up, followed to their end, or left."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from crossfade.cli.call import Call
from crossfade.cli.ship.follow import follow, group, rollout
from crossfade.cli.ship.screens import Screen, screen
from crossfade.telling.text import clock

Json = Mapping[str, Any]


def carried_on(call: Call, services: Sequence[str], shown: Screen) -> list[Json]:
    """Go on to its end with what another process left of these services; how it ended, as the API has it.

    Nothing happens on this machine, where the controller does. RefusedError while the other process still carries it.
    """
    elsewhere = call.away()
    if elsewhere is None:
        return []
    left = elsewhere.client.post("/v1/carry", services=services)
    if "held" in left:
        held = left["held"]
        who = f"{held['who']} has had {held['service']} since {clock(held['since'])}"
        with shown.doing(f"{who}: seeing whether it is still there"):
            left = elsewhere.client.post("/v1/carry", services=services, wait=True)
    for one in _moving(left):
        shown.say(f"{_named(one)} by {one['by']} was left: going on with it")
    return seen_through(call, left, shown)


def seen_through(call: Call, carrying: Json, shown: Screen) -> list[Json]:
    """Follow what this process carries to its end; how it ended, as the API has it."""
    ended = []
    for one in _moving(carrying):
        together = "members" in one
        shown.several = together
        ended.append(follow(call, group(one) if together else rollout(one), carrying["seq"], shown))
        shown.several = False
    return ended


def _moving(carrying: Json) -> list[Json]:
    return [carrying["group"]] if "group" in carrying else carrying["rollouts"]


def _named(one: Json) -> str:
    if "members" in one:
        return f"release group {one['id']} of {one['app']}"
    return f"rollout {one['id']} of {one['service']}"


def settle(call: Call, shown: Screen) -> None:
    """Wait until instances on their way out are gone, where nobody else would see to it."""
    elsewhere = call.away()
    if elsewhere is None:
        return
    with shown.doing("the old instances finish what they hold"):
        settled = elsewhere.client.post("/v1/settle")["settled"]
    if not settled:
        shown.say("old instances have not gone yet; the next command sees to it")


@contextmanager
def on_screen(call: Call) -> Iterator[Screen]:
    """A screen for what is followed. Ctrl-C says what becomes of it."""
    shown = screen(as_json=call.json)
    try:
        yield shown
    except KeyboardInterrupt:
        click.echo(f"\n{_stays(call)}", err=True)
        raise
    finally:
        shown.close()


def _stays(call: Call) -> str:
    """What becomes of a rollout that one stopped waiting for."""
    if call.environment is None:
        return "the rollout goes on by itself: `crossfade watch` shows it, `crossfade abort` takes it back"
    return (
        "nobody carries the rollout now: traffic stays as it is; "
        f"`crossfade resume -e {call.environment}` goes on, `crossfade abort -e {call.environment}` takes it back"
    )
