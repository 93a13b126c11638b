"""The servers of a worker: which instances it shall have, and what has to be said to it so that it has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossfade.core.service import Service
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy.backends import server
from crossfade.platforms.local.balancers.haproxy.runtime_api import SOCKET, HaproxyServer
from crossfade.platforms.local.balancers.haproxy.slots import Slots, backend


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedServer:
    """One instance in one backend."""

    service: Service  # as its release wants to be checked
    address: str
    draining: bool


Key = tuple[str, str]  # backend, server


def wanted(entries: Iterable[Entry], slots: Slots) -> dict[Key, WantedServer]:
    return {
        (backend(entry.service.key, slots.of(entry.service.key)[group.release]), instance): WantedServer(
            service=entry.made(group.release), address=entry.address(instance), draining=instance in group.draining
        )
        for entry in entries
        for group in entry.routing.groups
        for instance in (*group.registered, *group.draining)
    }


def changes(there: Iterable[HaproxyServer], asked: Mapping[Key, WantedServer]) -> list[str]:
    """Commands that make a worker's servers the ones that are asked for. Who drains and is not there needs nothing."""
    known = {(one.backend, one.name): one for one in there}
    found = []
    for key, want in asked.items():
        name = "/".join(key)
        have = known.get(key)
        if have is None:
            if not want.draining:
                found += [f"add server {name} {server(want.service, key[1], want.address)}"]
                found += [f"enable health {name}", f"enable server {name}"]
        elif want.draining:
            found += [] if have.draining or have.out else [f"set server {name} state drain"]
        else:
            if have.address not in {want.address, SOCKET}:  # an instance has one socket for life
                host, port = want.address.rsplit(":", 1)
                found.append(f"set server {name} addr {host} port {port}")
            if have.draining or have.out:
                found.append(f"set server {name} state ready")
    gone = [one for key, one in known.items() if key not in asked and not one.out]
    return found + [f"set server {one.backend}/{one.name} state maint" for one in gone]


def leavers(there: Iterable[HaproxyServer], asked: Mapping[Key, WantedServer]) -> list[str]:
    """Commands that remove those of whom nothing is asked any more; HAProxy refuses while one has a connection."""
    return [f"del server {s.backend}/{s.name}" for s in there if s.out and (s.backend, s.name) not in asked]
