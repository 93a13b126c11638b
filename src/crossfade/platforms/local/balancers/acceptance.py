"""A balancer's own check of new instances: it sends nothing to one that has not passed it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck
from crossfade.platforms.local.balancers.book import Entry

_OWN_CHECK = 2.0  # seconds beyond the check's timeout until a new instance has to have passed the balancer's check


def newcomers(old: Routing, new: Routing) -> frozenset[str]:
    """The instances that the balancer has to accept before `new` takes over from `old`."""
    return (new.serving() - old.serving()) | (new.registered() - old.registered())


async def accepted(
    balancer: str, entry: Entry, instances: frozenset[str], passed: Callable[[], Awaitable[frozenset[str]]]
) -> None:
    """Wait until these are among those that `passed`, each for as long as its release's check may take.

    PlatformError names one that is not, and the balancer.
    """
    began = time.monotonic()
    while instances and (waiting := instances - await passed()):
        for instance in sorted(waiting):
            check = _check_of(entry, instance)
            limit = check.timeout + _OWN_CHECK
            if time.monotonic() > began + limit:
                raise PlatformError(
                    f"{balancer}'s own check of {instance} does not pass: "
                    f"{_asked(check)} at {entry.address(instance)}, {limit:.0f} s long",
                    "look into the instance's log; nothing was changed",
                )
        await asyncio.sleep(0.005)


def _check_of(entry: Entry, instance: str) -> HealthCheck:
    release = next(group.release for group in entry.routing.groups if instance in {*group.registered, *group.draining})
    return entry.made(release).health


def _asked(check: HealthCheck) -> str:
    return "a connection" if check.elsewhere else f"GET {check.path}"
