"""Targets: what each instance holds, by Envoy's endpoints and by statistics that say what they do not show."""

import re
from collections import Counter
from collections.abc import Mapping

from crossfade.core.errors import RefusedError
from crossfade.engine.ports.balancer import Target
from crossfade.platforms.local.address import near
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.admin import AdminHost
from crossfade.platforms.local.balancers.envoy.clusters import ASSETS, PREVIEW, STREAMS, group_of, name

_ACTIVE = ".upstream_rq_active"


def asked(service: str) -> str:
    """The clusters whose endpoints are asked for. Those of previews hold the same, and would double a long answer."""
    return f"^{re.escape(service)}/[0-9]+({STREAMS}|{ASSETS})?$"


def targets(
    entry: Entry, hosts: list[AdminHost], besides: Mapping[str, int], streams: Mapping[str, int]
) -> dict[str, Target]:
    """What each instance holds. `besides` is what else is held of each cluster: previews, or by Envoy's predecessor.

    Nobody knows which instance that is with, so each draining one of the release is taken to hold it. `streams` says by
    address how much of all that are streams: until its answer begins, a request is none.
    """
    found: dict[str, Target] = {}
    for group in entry.routing.groups:
        for instance in (*group.registered, *group.draining):
            mine = [host for host in hosts if host.instance == instance]
            held = sum(host.active for host in mine)
            if instance in group.draining:
                held += sum(n for c, n in besides.items() if group_of(c) == name(entry.service.key, group.release))
            # Asked for one after the other, so that one that ended in between may be in one number alone.
            address = entry.address(instance)
            open_ = min(held, max(0, streams.get(near(address) or address, 0)))
            found[instance] = Target(in_flight=held - open_, streams=open_)
    return found


def unseen(stats: Mapping[str, str], hosts: list[AdminHost], *, predecessor: bool) -> dict[str, int]:
    """What no endpoint in `hosts` holds: previews always, the rest only while a predecessor finishes what it has."""
    found = elsewhere(stats, hosts)
    previews = {cluster: n for cluster, n in found.items() if cluster.removesuffix(STREAMS).endswith(PREVIEW)}
    return found if predecessor else previews


def elsewhere(stats: Mapping[str, str], hosts: list[AdminHost]) -> dict[str, int]:
    """Requests by cluster that Envoy counts as active, but this process's own endpoints do not have."""
    active = {
        stat.removeprefix("cluster.").removesuffix(_ACTIVE): int(value)
        for stat, value in stats.items()
        if stat.startswith("cluster.") and stat.endswith(_ACTIVE)
    }
    own = Counter[str]()
    for host in hosts:
        own[host.cluster] += host.active
    return {cluster: max(0, count - own[cluster]) for cluster, count in active.items()}


def require_answered(stats: Mapping[str, str], hosts: list[AdminHost]) -> None:
    """RefusedError while a predecessor has requests that end with it."""
    if any(elsewhere(stats, hosts).values()):
        raise RefusedError(
            "the Envoy before this one still answers requests that another restart would cut off",
            "wait until they are done: an hour at most",
        )


def group_names(entry: Entry | None) -> frozenset[str]:
    """The groups that are routed to."""
    return frozenset(name(entry.service.key, group.release) for group in entry.routing.groups) if entry else frozenset()


def known_groups(entry: Entry, stats: Mapping[str, str]) -> frozenset[str]:
    """The groups that are routed to, and those that Envoy still counts for."""
    return group_names(entry) | {group_of(stat.removeprefix("cluster.").partition(".")[0]) for stat in stats}


def passed(hosts: list[AdminHost]) -> frozenset[str]:
    """The instances that Envoy's own check passed in all clusters that have them; each is in two at least."""
    asked_in, passed_in = Counter[str](), Counter[str]()
    for host in (host for host in hosts if not host.standing_in):
        asked_in[host.instance] += 1
        passed_in[host.instance] += host.healthy
    return frozenset(i for i, times in passed_in.items() if times == asked_in[i] > 1)
