"""A controller of a history: what it is connected to meets trouble, and is cut when it dies."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from tests.property.history import KEY
from tests.property.invariants import ACTS, concerned
from tests.property.trouble import DiskFull, Killed, LineLost, Struck

from crossfade.controller.orders import Orders
from crossfade.core.errors import PlatformError, TakenError
from crossfade.core.release import Release
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.cloud import LAG, CloudBalancer, CloudRuntime
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.engine.ports.journal import Journal
from crossfade.engine.world import Pace, World

if TYPE_CHECKING:
    from tests.property.simulation import Simulation

Act = Callable[[], Awaitable[Any]]
Fate = Callable[[Act], Awaitable[Any]]  # what becomes of an act that does not go as it should

PACE = Pace(busy=2.0, idle=4.0, probe=(0.5, 2.0))
CLOUD_PACE = Pace(busy=4.0, idle=8.0, retry=4.0, lease=60.0, settle=LAG + 0.5)


class Control:
    """One controller: what it is connected to is cut when it dies."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.dead = False
        self.away = 0.0  # how long nobody comes after it
        self.balancer_back = 0.0
        clock = SystemClock(wall=simulation.wall, passed=simulation.timeline.time)
        lines = simulation.paper.events
        clock.not_before(lines[-1].at if lines else 0.0)
        journal = DryJournal(clock, simulation.paper)
        platform, cloud = simulation.platform, simulation.cloud
        balancer = CloudBalancer(cloud, journal) if cloud else DryBalancer(platform, journal)
        adapter = CloudRuntime(cloud, journal) if cloud else DryRuntime(platform, journal)
        runtime = cast(CloudRuntime, Port(self, "runtime", adapter, self._called))
        self.world = World(
            journal=cast(Journal, Port(self, "journal", journal, self._written)),
            runtimes={"process": runtime},
            sizers={"process": runtime} if cloud else {},
            balancer=cast(LoadBalancer, Port(self, "balancer", balancer, self._called)),
            ask=platform.ask,
            visit=self._visit,
            clock=clock,
            secrets=lambda _: {},
            told=lambda _: None,
            pace=CLOUD_PACE if cloud else PACE,
            new_id=simulation.new_id,
        )
        self.orders = Orders(self.world, "the controller", Secrets())
        self.registry = self.orders.registry

    async def gone(self) -> Any:
        """Nothing is answered to the dead."""
        await asyncio.get_running_loop().create_future()

    def die(self, seconds: float) -> None:
        self.dead, self.away = True, seconds

    async def _visit(self, url: str, headers: Mapping[str, str], count: int, patience: float) -> None:
        platform = self.simulation.platform
        there = [key for key, exposure in platform.exposed.items() if exposure.service.listener.http == _port(url)]
        for key in count * there:
            with suppress(ConnectionRefusedError), platform.request(key, headers) as exchange:
                exchange.status = 200

    def _written(self, name: str) -> Fate | None:
        """A line is to be written: maybe the disk is full, the answer is lost, or we die over it."""
        simulation = self.simulation
        if not simulation.began or simulation.calm or name in {"journal.read", "journal.token", "journal.check"}:
            return None
        if name == "journal.append":
            simulation.writes += 1
            for trouble in simulation.history.troubles:
                match trouble:
                    case DiskFull(nth=nth, seconds=seconds) if nth == simulation.writes:
                        simulation.full_until = simulation.now + seconds
                    case Killed(nth=nth) | LineLost(nth=nth) if nth == simulation.writes:
                        return partial(self._lose, trouble)
                    case _:
                        pass
        if simulation.now < simulation.full_until:
            raise PlatformError("the disk is full")
        return None

    async def _lose(self, trouble: Killed | LineLost, act: Act) -> Any:
        """The line's answer, or ourselves."""
        if isinstance(trouble, LineLost):
            await act()
            raise PlatformError("the line's answer was lost")
        if trouble.written:
            await act()
        self.die(trouble.seconds)
        return await self.gone()

    def _called(self, name: str) -> Fate | None:
        simulation = self.simulation
        if not simulation.began or simulation.calm:
            return None
        now = simulation.now
        if now < self.balancer_back and name.startswith("balancer"):
            raise PlatformError("the balancer does not answer")
        if now < simulation.denied.get(name, 0.0):
            raise TakenError(f"nobody may {name} any more", "give the right back")
        until, share = simulation.throttled
        if now < until and simulation.chance.random() < share:
            raise PlatformError("too many calls")
        simulation.calls += 1
        struck = simulation.struck.get(simulation.calls)
        return None if struck is None else partial(self._strike, struck)

    async def _strike(self, struck: Struck, act: Act) -> Any:
        match struck.how:
            case "refused":
                raise PlatformError("the platform refuses")
            case "lost":
                await act()
                raise PlatformError("the answer was lost")
            case "slow":
                await asyncio.sleep(struck.seconds)
                raise PlatformError("the call timed out")
            case "late":
                done = await act()
                await asyncio.sleep(struck.seconds)
                return done
            case "twice":
                await act()
                return await act()


_is_stream = cache(isasyncgenfunction)  # by function: each controller of each history asks it of all that it uses


def _port(url: str) -> int | None:
    return urlsplit(url).port


class Port:
    """An adapter as one controller reaches it: every call may meet trouble, and none goes through once it is dead."""

    def __init__(self, control: Control, name: str, adapter: Any, meet: Callable[[str], Fate | None]) -> None:
        self._control, self._name, self._adapter, self._meet = control, name, adapter, meet

    def __getattr__(self, method: str) -> Any:
        act = getattr(self._adapter, method)
        if not callable(act) or _is_stream(getattr(type(self._adapter), method, None)):  # it decides nothing
            return act
        called = partial(self._call, f"{self._name}.{method}", self._watched(method, act))
        setattr(self, method, called)  # found at once from now on
        return called

    async def _call(self, name: str, act: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        if self._control.dead:
            raise PlatformError("its controller is dead")
        fate = self._meet(name)
        return await (act(*args, **kwargs) if fate is None else fate(partial(act, *args, **kwargs)))

    def _watched(self, method: str, act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same act, looked upon by who knows the truth."""
        simulation = self._control.simulation
        platform, leases, watch = simulation.platform, simulation.paper.leases, simulation.watch

        async def look(service: str) -> Any:
            simulation.looks += service == KEY
            return await act(service)

        async def really(*args: Any, **kwargs: Any) -> Any:
            key = concerned(method, args, platform)
            if key == KEY:
                watch.before(method, args)
            newest = leases[key].token if key in leases else 0
            result = await act(*args, **kwargs)
            if method == "resize":
                watch.resized()
            watch.nobody_acts_under_an_old_token(method, args, newest)
            return result

        return look if method == "instances" else really if method in ACTS else act


class Secrets:
    """None are needed."""

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        return ""

    def save(self, service: str, values: Mapping[str, str]) -> str:
        return ""

    def of(self, release: Release) -> Mapping[str, str]:
        return {}

    def forget(self, mark: str) -> None: ...
