"""What tests of Envoy at the edge share: an Envoy of their own, clients, and what was counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from tests.adapters.token_fence import TokenFence
from tests.contract.balancer_kits import fetch

from crossfade.core.service import Service
from crossfade.engine.ports.balancer import LoadBalancer, Target, Traffic
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer


@asynccontextmanager
async def running_envoy(directory: Path, *, connections: int | None = None) -> AsyncIterator[EnvoyBalancer]:
    """Gone with the block; one that is replaced gets 4 s to finish."""
    balancer = EnvoyBalancer(directory, TokenFence(), parent_shutdown=4, connections=connections)
    try:
        await balancer.ensure()
        yield balancer
    finally:
        await balancer.shutdown()
        await balancer.close()


def url(service: Service, path: str = "/") -> str:
    return f"http://127.0.0.1:{service.listener.http}{path}"


async def keep_asking(http: aiohttp.ClientSession, service: Service, method: str, statuses: list[int]) -> None:
    while True:
        statuses.append((await fetch(http, url(service), method)).status)


async def settled(balancer: LoadBalancer, service: Service) -> Traffic:
    """Traffic once the failures log had time to be written."""
    await asyncio.sleep(0.4)
    return (await balancer.report(service.key)).traffic


async def target(balancer: LoadBalancer, service: Service, instance: str) -> Target:
    return (await balancer.report(service.key)).targets[instance]
