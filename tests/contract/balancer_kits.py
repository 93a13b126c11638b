"""How the contract suite gets at each balancer: an adapter, a second one on the same state, and a way to ask."""

import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.support.ports import free_port

from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.core.service import HealthCheck, Listener, Service
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.platform import Platform
from crossfade.engine.ports.balancer import LoadBalancer, Report
from crossfade.platforms.local.address import SOCKETS, socket_of
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.haproxy import HaproxyBalancer
from crossfade.platforms.local.balancers.nginx import NginxBalancer

HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # where Debian puts it


@dataclass(frozen=True)
class Answer:
    """Status 0 is no answer, or not all of it."""

    status: int
    body: str = ""


def service(name: str = "web", *, app: str = "shop", port: int | None = None, **fields: object) -> Service:
    """A service on a port of its own."""
    defaults = {
        "health": HealthCheck(path="/health", interval=30, timeout=1),
        "listener": Listener(host="127.0.0.1", http=port or free_port()),
    }
    return Service(app=app, name=name, **{**defaults, **fields})  # type: ignore[arg-type]


def routing(
    weights: Mapping[int, int],
    groups: Mapping[int, str],
    *,
    draining: str = "",
    preview: int | None = None,
    pinned: tuple[int, ...] = (),
) -> Routing:
    """`routing({1: 90, 2: 10}, {1: "a b", 2: "c"}, draining="b")`."""
    gone = set(draining.split())
    made = tuple(
        TargetGroup(
            release=release,
            registered=tuple(sorted(set(ids.split()) - gone)),
            draining=tuple(sorted(set(ids.split()) & gone)),
        )
        for release, ids in sorted(groups.items())
    )
    return Routing(groups=made, weights=weights_of(weights), preview=preview, pinned=pinned)


@dataclass
class Kit:
    """One balancer under test. `lossless`: a change of its routing loses nothing.

    What it says in words of its own, or cannot say: `failed` and `unserved` are causes of failures, `tells_in_flight`
    is whether it knows who holds requests, `tells_previews` whether it can leave those of a preview out.
    """

    balancer: LoadBalancer
    fence: TokenFence
    lossless: bool = True
    directory: Path = Path()
    failed: ClassVar[str] = "500 from instance"
    unserved: ClassVar[str] = "no release serving"
    tells_in_flight: ClassVar[bool] = True
    tells_previews: ClassVar[bool] = True
    switches: ClassVar[int] = 20  # that are worth their time

    @property
    def sockets(self) -> Path:
        """Where instances that listen on sockets make them."""
        folder = self.directory / SOCKETS
        folder.mkdir(exist_ok=True, parents=True, mode=0o700)
        return folder

    def again(self) -> LoadBalancer:
        """Another adapter on the same state."""
        raise NotImplementedError

    async def ask(
        self, service: Service, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request of a client."""
        raise NotImplementedError

    async def counted(self, service: Service) -> Report:
        """The report that has all that was asked before."""
        await self.balancer.catch_up()
        return await self.balancer.report(service.key)

    def knows_nothing_of(self, report: Report) -> bool:
        """Whether this is the report of a service that has no routing."""
        return report == Report()

    def turned_away(self, answer: Answer) -> bool:
        """Whether this is the answer of a service that was removed."""
        return answer.status == 0

    @contextmanager
    def obstructed(self, service: Service) -> Iterator[str]:
        """Something is in the way of exposing the service: what is said of it."""
        raise NotImplementedError


@dataclass
class RealKit(Kit):
    """A balancer that listens on ports; clients keep their connections."""

    http: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)

    async def ask(
        self, service: Service, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await fetch(self.http, f"http://127.0.0.1:{service.listener.http}{path}", method, headers)

    @contextmanager
    def obstructed(self, service: Service) -> Iterator[str]:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", service.listener.http or 0))
            holder.listen()
            yield f"port {service.listener.http} is in use"


class EnvoyKit(RealKit):
    def again(self) -> LoadBalancer:
        return EnvoyBalancer(self.directory, self.fence, parent_shutdown=5)


class HaproxyKit(RealKit):
    def again(self) -> LoadBalancer:
        return HaproxyBalancer(self.directory, self.fence, shutdown=5)


class NginxKit(RealKit):
    def again(self) -> LoadBalancer:
        return NginxBalancer(self.directory, self.fence)


@dataclass
class MemoryKit(Kit):
    """The balancer in memory decides; the request is carried to the instance by us."""

    platform: Platform = field(default_factory=Platform)
    http: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)

    def again(self) -> LoadBalancer:
        return DryBalancer(self.platform, self.fence)

    async def ask(
        self, service: Service, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        with suppress(ConnectionRefusedError), self.platform.request(service.key, headers or {}) as exchange:
            if not exchange.address:
                return Answer(503)
            answer = await self._carry(exchange.address, path, method, headers)
            exchange.status = answer.status
            return answer
        return Answer(0)

    async def _carry(self, address: str, path: str, method: str, headers: Mapping[str, str] | None) -> Answer:
        if not (unix := socket_of(address)):
            return await fetch(self.http, f"http://{address}{path}", method, headers)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(unix)) as http:
            return await fetch(http, f"http://localhost{path}", method, headers)

    @contextmanager
    def obstructed(self, service: Service) -> Iterator[str]:
        assert isinstance(self.balancer, DryBalancer)
        self.balancer.refuses = f"port {service.listener.http} is in use"
        yield self.balancer.refuses
        self.balancer.refuses = ""


async def fetch(
    http: aiohttp.ClientSession, url: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    try:
        async with http.request(method, url, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, await answer.text())
    except aiohttp.ClientError:
        return Answer(0)


@asynccontextmanager
async def kit(name: str, directory: Path) -> AsyncIterator[Kit]:
    """The named balancer, running; gone with the block."""
    fence = TokenFence()
    made: Kit
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        if name == "memory":
            platform = Platform()
            made = MemoryKit(
                balancer=DryBalancer(platform, fence), fence=fence, directory=directory, platform=platform, http=http
            )
        elif name == "envoy":
            balancer = EnvoyBalancer(directory, fence, parent_shutdown=5)
            made = EnvoyKit(balancer=balancer, fence=fence, directory=directory, http=http)
        elif name == "haproxy":
            if HAPROXY is None:
                pytest.skip("haproxy is not installed")
            haproxy = HaproxyBalancer(directory, fence, shutdown=5)
            made = HaproxyKit(balancer=haproxy, fence=fence, directory=directory, http=http)
        elif name == "nginx":
            if shutil.which("nginx") is None:
                pytest.skip("nginx is not installed")
            nginx = NginxBalancer(directory, fence)
            made = NginxKit(balancer=nginx, fence=fence, lossless=False, directory=directory, http=http)
        else:
            raise LookupError(f"{name} has no kit here, without which nobody knows what it keeps")
        try:
            await made.balancer.ensure()
            yield made
        finally:
            await made.balancer.shutdown()
            await made.balancer.close()
