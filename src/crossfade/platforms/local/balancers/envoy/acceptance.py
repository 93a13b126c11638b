"""Envoy's own check of new instances: it sends nothing to one that has not passed it."""

import asyncio
import time
from collections import Counter

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.admin import Admin
from crossfade.platforms.local.balancers.envoy.statistics.targets import asked

_OWN_CHECK = 2.0  # seconds beyond the check's timeout until a new instance has to have passed Envoy's check


def newcomers(old: Routing, new: Routing) -> frozenset[str]:
    """The instances that Envoy has to accept before `new` takes over from `old`."""
    return (new.serving() - old.serving()) | (new.registered() - old.registered())


async def accepted(admin: Admin, entry: Entry, instances: frozenset[str]) -> None:
    """Wait until Envoy's own check passed for these, each for as long as its release's check may take.

    PlatformError names one for which it does not.
    """
    began = time.monotonic()
    while waiting := instances - await _healthy(admin, entry.service.key):
        for instance in sorted(waiting):
            check = _check_of(entry, instance)
            limit = check.timeout + _OWN_CHECK
            if time.monotonic() > began + limit:
                raise PlatformError(
                    f"Envoy's own check of {instance} does not pass: "
                    f"GET {check.path} at {entry.address(instance)}, {limit:.0f} s long",
                    "look into the instance's log; nothing was changed",
                )
        await asyncio.sleep(0.005)


def _check_of(entry: Entry, instance: str) -> HealthCheck:
    release = next(group.release for group in entry.routing.groups if instance in {*group.registered, *group.draining})
    return entry.made(release).health


async def _healthy(admin: Admin, service: str) -> frozenset[str]:
    """Those that passed in all clusters of their release that check them; each is in two at least."""
    hosts = [host for host in await admin.hosts(asked(service)) if not host.standing_in]
    passed = Counter(host.instance for host in hosts if host.healthy)
    asked_in = Counter(host.instance for host in hosts)
    return frozenset(i for i, times in passed.items() if times == asked_in[i] > 1)
