"""crossfade: its balancers alone, as the peers are measured, and the whole controller through its API."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tests.support.machine import Machine

from benchmarks.children import ORIGIN, BrokenError, listening
from benchmarks.proxies.haproxy import HaproxyMap
from benchmarks.proxies.proxy import Proxy, short_version
from crossfade import __version__
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import HealthCheck, Listener, Service
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.platforms.local.balancers.book import load
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.envoy.config import Config
from crossfade.platforms.local.balancers.envoy.process import installed
from crossfade.platforms.local.balancers.envoy.xds.discovery import Discovery
from crossfade.platforms.local.balancers.haproxy import HaproxyBalancer

TOKEN = 1


class Alone:
    """The fence of somebody who is alone. A balancer asks it for the last time right before it writes new routing."""

    asked_at = 0.0

    async def check(self, service: str, token: int) -> None:  # noqa: ARG002  nobody else can have a newer token
        self.asked_at = time.monotonic()


def envoy_binary() -> str:
    """The one that crossfade runs."""
    return str(installed())


@asynccontextmanager
async def telling(directory: Path) -> AsyncIterator[None]:
    """Tell an Envoy that somebody else starts what the last one of this directory was to run."""
    discovery = Discovery(directory)
    book, _ = load(directory / "book.json")
    discovery.offer(Config().render(book.entries, {}, {}))
    await discovery.open()
    try:
        yield
    finally:
        await discovery.dispose()


def envoy_version() -> str:
    done = subprocess.run([envoy_binary(), "--version"], capture_output=True, text=True, check=True)
    return short_version(done.stdout.replace("version:", ""))


class Balancer(Proxy):
    """One of our adapters alone. `adapter` is called with a directory and a fence."""

    adapter: ClassVar[Callable[..., LoadBalancer]]

    @property
    def directory(self) -> Path:
        return self.place / "balancer"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._service = Service(
            app="bench",
            name="web",
            health=HealthCheck(path="/health"),
            listener=Listener(host="127.0.0.1", http=self.port),
        )
        self._fence = Alone()
        self._balancer = type(self).adapter(self.directory, self._fence)
        try:
            await self._apply("1")
            yield
        finally:
            await self._balancer.shutdown()
            await self._balancer.close()

    async def switch(self, release: str) -> float:
        await self._apply(release)
        return self._fence.asked_at

    async def _apply(self, release: str) -> None:
        routing = Routing(
            groups=tuple(TargetGroup(release=int(name), registered=(f"web-{name}",)) for name in sorted(self.origins)),
            weights=((int(release), 1),),
        )
        addresses = {f"web-{name}": f"127.0.0.1:{port}" for name, port in self.origins.items()}
        await self._balancer.apply(self._service, routing, addresses, TOKEN)


class CrossfadeEnvoy(Balancer):
    name = "crossfade, Envoy"
    how = "`EnvoyBalancer.apply` with the other release's weight; returns when every worker of Envoy's confirmed it"
    adapter = EnvoyBalancer

    @classmethod
    def version(cls) -> str:
        return f"{__version__}, Envoy {envoy_version()}"


class CrossfadeHaproxy(Balancer):
    name = "crossfade, HAProxy"
    how = "`HaproxyBalancer.apply`, which sets a map and servers' states on the socket of HAProxy's master"
    adapter: ClassVar[Callable[..., LoadBalancer]] = HaproxyBalancer

    @classmethod
    def version(cls) -> str:
        installed_one = HaproxyMap.version()
        return f"{__version__}, HAProxy {installed_one}" if installed_one else ""


class Controller(Proxy):
    """Starts the two releases itself: the origins that it is given stay idle."""

    name = "crossfade, controller"
    how = "`POST /v1/rollback` to the release that is kept warm; returns when the rollout is over and on record"

    @classmethod
    def version(cls) -> str:
        return CrossfadeEnvoy.version()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        machine = Machine()
        self._app = machine.app("bench")
        self._app.port = self.port
        try:
            await machine.up()
            service = self._app.service(
                command=f"exec {sys.executable} -S {ORIGIN}",
                replicas=1,
                health=HealthCheck(path="/health", interval=1.0),
            )
            # Release 1 comes last, and release 2 is kept warm beside it: each switch is a rollback to the other.
            service = replace(service, strategy=replace(service.strategy, keep_previous=3600.0))
            for tag in ("one", "two"):
                _succeeded(await self._app.deploy(replace(service, env=(("TAG", tag),))))
            await self.switch("1")
            await listening(self.port)
            yield
        finally:
            await machine.close()

    async def switch(self, release: str) -> float:
        now = time.monotonic()
        # What was rolled back counts as bad: going there again has to be forced.
        _succeeded(await self._app.rollback(to=release, force=True))
        return now


def _succeeded(result: dict[str, dict[str, object]]) -> None:
    if result["rollout"]["state"] != "succeeded":
        raise BrokenError(f"a rollout of crossfade's ended otherwise: {result['rollout']}")
