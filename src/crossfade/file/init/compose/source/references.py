"""Services of a Compose file that name others which it does not have, or wait for each other."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from crossfade.file.reading.document import Keys, Written
from crossfade.file.reading.problem import Problem, shown

_OF_A_SERVICE = ("network_mode", "ipc", "pid")  # service:NAME


def leading_nowhere(root: Written, plain: dict[str, Any]) -> Iterator[Problem]:
    """Each name of another service that is none, and a circle: Compose refuses both. `plain` is what the file says."""
    services = plain["services"]
    for name, service in services.items():
        for below, other in _named(service) if isinstance(service, dict) else ():
            if other not in services:
                place = root.at(("services", name, *below)).place
                found = f"found {shown(other)}, which is not a service of the file"
                yield Problem(place, found, f"one of {', '.join(one for one in services if one != name) or 'none'}")
    try:
        TopologicalSorter({name: _waits(service) for name, service in services.items()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))  # each now depends on the next
        place = root.at(("services", circle[0], "depends_on", circle[1])).place
        allowed = "services that wait for each other in one direction only"
        yield Problem(place, f"found a circle: {' -> '.join(circle)}", allowed)


def _waits(service: Any) -> list[str]:
    waits = service.get("depends_on") if isinstance(service, dict) else None
    return list(waits) if isinstance(waits, dict) else []


def _named(service: dict[str, Any]) -> Iterator[tuple[Keys, str]]:
    waits = service.get("depends_on")
    for other, how in waits.items() if isinstance(waits, dict) else ():
        if not isinstance(how, dict) or how.get("required", True):
            yield ("depends_on", other), other
    links = service.get("links")
    for index, link in enumerate(links if isinstance(links, list) else ()):
        yield ("links", index), str(link).partition(":")[0]
    for key in _OF_A_SERVICE:
        kind, _, other = str(service.get(key) or "").partition(":")
        if kind == "service":
            yield (key,), other
    lenders = service.get("volumes_from")
    for index, lender in enumerate(lenders if isinstance(lenders, list) else ()):
        other = str(lender).partition(":")[0]
        if other != "container":
            yield ("volumes_from", index), other
