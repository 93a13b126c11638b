"""The end of a rollout or a release group, as text or JSON and as an exit code."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from crossfade.cli.call import Call
from crossfade.core.errors import PlatformError
from crossfade.telling.text import outcome, plain, sentence

Json = Mapping[str, Any]


def answered(
    call: Call,
    result: Json,
    beside: Json | None = None,
    *,
    wanted: str = "succeeded",
    services: Sequence[Json] = (),
) -> int:
    """How it ended. Of a group all rollouts are named, and the last one is the result that `--json` had before.

    Of `services` that were deployed it says where visitors come in, once each is out for the first time.

    A release that went back because the platform refused something for good is no failed one: trouble of the platform.
    """
    made = result.get("group")
    results = result["results"] if made else [result]
    state = made["state"] if made else result["rollout"]["state"]
    if call.json:
        last = results[-1] if results else {}
        several = {"group": made, "rollouts": [one["rollout"] for one in results]} if made else {}
        click.echo(json.dumps({**last, **several, **(beside or {})}))
    else:
        for one in results:
            click.echo(plain("\n".join(outcome(one))))
        if made:
            click.echo(plain(_together(made)))
        if where := _door(results, services):
            click.echo(plain(where))
    if state == wanted:
        return 0
    return PlatformError.exit_code if any(one["rollout"].get("denied") for one in results) else 1


def _door(results: Sequence[Json], services: Sequence[Json]) -> str:
    web = {f"{one['app']}/{one['name']}": one["listener"] for one in services if one["kind"] != "worker"}
    first = [one["rollout"] for one in results if one["rollout"]["from"] is None]
    listener = next((web[one["service"]] for one in first if one["service"] in web), None)
    if listener is None or any(one["state"] != "succeeded" for one in first):
        return ""
    scheme = "https" if listener["http"] is None else "http"
    everywhere = listener["host"] in ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104  said, not listened at
    host = "localhost" if everywhere else f"[{listener['host']}]" if ":" in listener["host"] else listener["host"]
    routed = [route["host"] for one in services if one["kind"] != "worker" for route in one["routes"]]
    if routed and not any(name.startswith("*") for name in routed):  # nobody else is answered
        host = routed[0]
    return f"Visitors find it at {scheme}://{host}:{listener[scheme]}."


def _together(made: Json) -> str:
    names = ", ".join(member["service"] for member in made["members"])
    if made["state"] == "succeeded":
        return f"{names} are out together."
    return f"{names} went back together: {sentence(made['reason'])}"
