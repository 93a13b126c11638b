"""The stores of a deploy: what it says and hands on of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossfade.cli.secrets import given

_SAID = {
    "started": "the store {} was started",
    "changed": "the store {} changed in the file and runs on as it is: --replace-stores makes it anew, with its data",
    "replaced": "the store {} was made anew, with its data",
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
    "changed": "the store {} changed in the file: it runs on as it is, --replace-stores makes it anew, with its data",
}


def planned(outcomes: Mapping[str, str], changes: Mapping[str, Sequence[str]]) -> list[str]:
    """What a deploy would do with each store, and what of it the file says otherwise than it was made."""
    lines = []
    for key, outcome in outcomes.items():
        lines.append(_PLANNED[outcome].format(key))
        lines += [f"  {change}" for change in changes.get(key, ()) if outcome == "changed"]
    return lines


def told_of_stores(outcomes: Mapping[str, str]) -> Iterator[str]:
    """A line for each store that is not simply there, as it was."""
    return (_SAID[outcome].format(key) for key, outcome in outcomes.items() if outcome in _SAID)
