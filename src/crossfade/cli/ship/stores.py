"""The stores of a deploy: what it says and hands on of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossfade.cli.client import ControllerClient
from crossfade.cli.secrets import given

_SAID = {
    "started": "the store {} was started",
    "changed": "the store {} changed in the file and runs on as it is: --replace-stores recreates it, with its data",
    "replaced": "the store {} was recreated, with its data",
}


def stores_of(wanted: Mapping[str, Any], *, replace: bool) -> dict[str, Any]:
    """The part of an order that is about stores, with the values of their secrets by app/store."""
    stores = wanted.get("stores") or []
    services = [one["service"] for one in stores]
    found, values = given({"services": services, "sources": wanted["sources"]}) if services else ([], {})
    kept = [{**store, "service": service} for store, service in zip(stores, found, strict=True)]
    return {"stores": kept, "replace_stores": replace, "store_values": values}


_PLANNED = {
    "started": "the store {} is started first",
    "runs": "the store {} runs as the file says",
    "changed": "the store {} changed in the file: it runs on as it is, --replace-stores recreates it, with its data",
}


def planned(outcomes: Mapping[str, str], changes: Mapping[str, Sequence[str]], saved: Sequence[str]) -> list[str]:
    """What a deploy would do with each store, what of it the file says otherwise than it was made, and a backup."""
    lines = []
    for key, outcome in outcomes.items():
        lines.append(_PLANNED[outcome].format(key))
        lines += [f"  {change}" for change in changes.get(key, ()) if outcome == "changed"]
        lines += ["  it is backed up before the migration"] if key in saved else []
    return lines


def awaited(client: ControllerClient, stores: Sequence[Mapping[str, Any]], *, replace: bool) -> str:
    """What a deploy waits for first: the stores that it starts or makes anew, as the beginning of a sentence."""
    outcomes = client.post("/v1/stores", stores=stores)["stores"] if stores else {}
    new = [key for key, outcome in outcomes.items() if outcome == "started" or (outcome == "changed" and replace)]
    return f"making {'stores' if len(new) > 1 else 'the store'} {', '.join(new)} ready, then " if new else ""


def saved(stores: Sequence[Mapping[str, Any]], services: Sequence[Mapping[str, Any]]) -> list[str]:
    """The stores that are backed up first, where one of these services, which change, has a `migrate` hook."""
    if not any(service["hooks"]["migrate"] for service in services):
        return []
    return [f"{one['service']['app']}/{one['service']['name']}" for one in stores if one["backup"]]


def told_of_stores(outcomes: Mapping[str, str]) -> Iterator[str]:
    """A line for each store that is not simply there, as it was."""
    return (_SAID[outcome].format(key) for key, outcome in outcomes.items() if outcome in _SAID)
