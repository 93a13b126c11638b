"""`crossfade plan`: the decisions of a deploy on a simulated fleet."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click

from crossfade.cli import completion
from crossfade.cli.call import STRATEGY, Call, called
from crossfade.cli.client import NotRunningError
from crossfade.core.errors import CrossfadeError
from crossfade.telling.text import plain, table

_IF_BUILT = "if its build makes an image other than the one that runs, otherwise nothing:"


@click.command(epilog="Examples: crossfade plan | crossfade plan web --strategy canary -e prod")
@click.argument("service", required=False, shell_complete=completion.services)
@called(file=True)
@STRATEGY
def plan(call: Call, *, service: str | None, strategy: str | None) -> None:
    """Show what a deploy would do, step by step with times, and do nothing.

    The same code decides as in a deploy, on a fleet like the one that runs; how long an app takes to boot is a guess.
    """
    from crossfade.cli.application import absent, ends, key, read
    from crossfade.cli.secrets import values_of
    from crossfade.cli.ship.stores import planned, saved

    wanted = read(call, service, strategy)
    if wanted.get("hosts"):
        from crossfade.cli.hosts.deploy import plan_over_hosts

        plan_over_hosts(call, wanted)
        return
    beside = {} if service else _beside(call, wanted)  # what it costs is that of all services
    call, services = _known(replace(call, environment=wanted["environment"]), wanted["platform"]), wanted["services"]
    together = [key(one) for one in services]
    values = {} if call.environment else values_of(wanted, commands=False).found
    plans = [_plan(call, one, together, values.get(one["name"], {})) for one in services]
    others: list[str] = []
    with suppress(NotRunningError):
        others = [] if service else absent(services, wanted.get("stores") or [], call.client())
    stores = _stores(call, wanted.get("stores") or [])
    changing = [one for one, made in zip(services, plans, strict=True) if not made.get("unchanged")]
    backed_up = saved(wanted.get("stores") or [], changing)
    parts = ["\n".join(planned(stores["stores"], stores["changes"], backed_up))] if stores else []
    parts += [f"{one['service']}\n{said_of(one)}" for one in plans]
    parts += ["\n".join(map(ends, others))] if others else []
    parts += [f"while both fleets run, an hour costs {beside['both_fleets_hour']:,.2f} USD more"] if beside else []
    kept = {"stores": stores["stores"], "store_changes": stores["changes"], "backed_up": backed_up} if stores else {}
    call.answer({"plans": plans, "not_in_file": others, **kept, **beside}, "\n\n".join(parts))


def _beside(call: Call, wanted: Mapping[str, Any]) -> dict[str, float]:
    """What AWS takes for an hour of the second fleet, on top of the first; empty where there is none, or it is free."""
    if wanted["platform"] == "local" or all(one["strategy"]["name"] == "recreate" for one in wanted["services"]):
        return {}
    from crossfade.cli.aws.cost.source import bills_of

    [(bill, _)] = bills_of(replace(call, environment=wanted["environment"]))
    return {"both_fleets_hour": float(bill.beside)} if bill.beside else {}


def _stores(call: Call, stores: list[Any]) -> dict[str, Any]:
    """By app/store, what a deploy would do with it, and what changed of it; empty where the file has none.

    Where no controller runs, nothing was ever started.
    """
    if not stores:
        return {}
    try:
        found: dict[str, Any] = call.client().post("/v1/stores", stores=stores)
    except NotRunningError:
        started = {f"{one['service']['app']}/{one['service']['name']}": "started" for one in stores}
        return {"stores": started, "changes": {}}
    return found


def _known(call: Call, platform: str) -> Call:
    """The call with the environment that it can ask about what runs there; without one it plans a first deploy."""
    if platform == "local":
        return replace(call, environment=None)
    try:
        call.away()
    except CrossfadeError as error:
        click.echo(
            plain(f"planned as a first deploy, because {call.environment} could not be asked: {error.cause}"), err=True
        )
        return replace(call, environment=None)
    return call


def _plan(call: Call, service: Any, together: list[str], values: Mapping[str, str]) -> Any:
    """`values` are those of its secrets, with another of which it would be another release."""
    try:
        return call.client().post("/v1/plan", service=service, together=together, secrets=values)
    except NotRunningError:
        from crossfade.core.service import Service
        from crossfade.core.wire import decode
        from crossfade.engine.plan import plan as locally

        wanted = decode(Service, service)
        return {"service": wanted.key, "unchanged": None, "steps": locally(wanted, None)}


def said_of(one: Mapping[str, Any]) -> str:
    """A plan's steps as a table, or why there are none."""
    if one.get("unchanged"):  # a host of an earlier version says nothing of it
        return f"unchanged: {one['unchanged']}"
    steps = table([(f"{step['at']:8.1f} s", step["do"]) for step in one["steps"]])
    return f"{_IF_BUILT}\n{steps}" if one.get("if_built") else steps
