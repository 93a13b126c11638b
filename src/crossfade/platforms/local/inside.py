"""Doors of the balancer for an app's own parts, so that calls among them lose nothing in a deploy either.

Containers reach it at the gateway of their app's network, processes at an address of loopback that is the service's
own.
"""

import ipaddress
from pathlib import Path

from crossfade.core.service import Inside, Service
from crossfade.platforms.local.runtimes.docker import network
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.environment import loopback


class Doors:
    """Finds the doors of services; `state` is whose they are."""

    def __init__(self, state: Path) -> None:
        self._state = state.resolve()
        self._daemon = Daemon()

    async def of(self, service: Service) -> tuple[Inside, ...]:
        """None for a service that nobody in its app can call. Docker is asked only where the app has containers."""
        names = service.names
        if service.name not in {peer.name for peer in names.peers}:
            return ()
        found = []
        if names.processes:
            host, port = loopback(self._state, service.key)
            found.append(Inside(host=host, port=port, clients=("127.0.0.0/8",)))
        if names.containers:
            there = await self._daemon.ask(lambda client: network.ensure(client, service.app, self._state))
            found.append(Inside(host=there.gateway, port=service.port, clients=_containers(there)))
        return tuple(found)

    async def close(self) -> None:
        await self._daemon.close()


def _containers(there: network.DockerNetwork) -> tuple[str, ...]:
    """All of the subnet but the machine itself, which has the gateway's address."""
    rest = ipaddress.IPv4Network(there.subnet).address_exclude(ipaddress.IPv4Network(there.gateway))
    return tuple(str(one) for one in sorted(rest))
