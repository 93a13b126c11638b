"""The end of a rollout or a release group, as text or JSON and as an exit code."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from crossfade.cli.call import Call
from crossfade.core.errors import PlatformError
from crossfade.telling.text import outcome, plain, sentence

Json = Mapping[str, Any]
_SHOWN = 4  # addresses of a service


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
    """Of what is out for the first time, each by its name where that is more than one."""
    first = {one["rollout"]["service"]: one["rollout"]["state"] for one in results if one["rollout"]["from"] is None}
    new = [one for one in services if one["kind"] != "worker" and f"{one['app']}/{one['name']}" in first]
    if not new or any(state != "succeeded" for state in first.values()):
        return ""
    if len(new) == 1:
        return f"Visitors find it at {_some(_addresses(new[0]))}."
    each = [f"{one['name']} at {_some(_addresses(one))}" for one in new]
    return f"Visitors find {', '.join(each)}."


def _addresses(service: Json) -> list[str]:
    """Where its routes are asked for: by their own hosts, else by what this machine listens at."""
    listener = service["listener"]
    redirected = listener["https"] is not None and (listener.get("tls") or {}).get("redirect")
    scheme = "https" if listener["http"] is None or redirected else "http"
    everywhere = listener["host"] in ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104  said, not listened at
    here = "localhost" if everywhere else f"[{listener['host']}]" if ":" in listener["host"] else listener["host"]
    found = [
        f"{scheme}://{here if route['host'] == '*' else route['host']}:{listener[scheme]}{_path(route['path'])}"
        for route in service["routes"]
    ]
    return list(dict.fromkeys(found))


def _path(route: str) -> str:
    """As one types it: all below / needs no word, and all below /api begins there."""
    return route.removesuffix("*").removesuffix("/") if route.endswith("*") else route


def _some(addresses: Sequence[str]) -> str:
    more = len(addresses) - _SHOWN
    return ", ".join(addresses[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _together(made: Json) -> str:
    names = ", ".join(member["service"] for member in made["members"])
    if made["state"] == "succeeded":
        return f"{names} are out together."
    return f"{names} went back together: {sentence(made['reason'])}"
