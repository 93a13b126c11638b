"""Hundreds of services behind one Envoy: what one more costs, what a switch loses, what Envoy takes of the machine."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.children import free_port, listening, origin, workplace
from benchmarks.clients import Clients
from benchmarks.origin import HOSTS
from benchmarks.proxies.crossfade import TOKEN, Alone
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from benchmarks.usage import Usage
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import HealthCheck, Listener, Rule, Service
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer

NOUN = "services"
CLIENTS = 16
SWITCHES = 10
HOW = f"""\
Services with two instances each share one port, told apart by path, and are applied one after the other, as their
rollouts would. Then one of them goes to and fro between two releases {SWITCHES} times while {CLIENTS} keep-alive
clients ask it as fast as they are answered. Two processes stand in for all instances: what is measured is Envoy and
who tells it what to run. A switch is timed from the order to send the new routes until all workers run them. Linux
gives a user 128 inotify instances where it is not told otherwise, and Envoy aborts when it gets none.
"""


@dataclass(slots=True)
class Machine:
    """Many services on one balancer; the first answers what no other does."""

    balancer: EnvoyBalancer
    directory: Path
    port: int
    ports: dict[str, int]  # by release
    services: list[Service] = field(default_factory=list)

    async def add(self) -> float:
        """One more service at release 1; the seconds it took."""
        index = len(self.services)
        made = Service(
            app="bench",
            name=f"s{index}",
            health=HealthCheck(path="/health", interval=30),
            listener=Listener(host="127.0.0.1", http=self.port),
            routes=(Rule(path=f"/s{index}/*" if index else "/*"),),
        )
        began = time.monotonic()
        await self._apply(made, "1")
        self.services.append(made)
        return time.monotonic() - began

    async def switch(self, release: str) -> float:
        """All traffic of the first service to this release; the seconds of the switch itself."""
        return await self._apply(self.services[0], release)

    async def _apply(self, service: Service, release: str) -> float:
        ids = {name: (f"{service.name}-{name}-a", f"{service.name}-{name}-b") for name in ("1", release)}
        groups = tuple(TargetGroup(release=int(name), registered=both) for name, both in sorted(ids.items()))
        addresses = {
            one: f"{host}:{self.ports[name]}"
            for name, both in ids.items()
            for one, host in zip(both, HOSTS, strict=True)
        }
        return await self.balancer.apply(
            service, Routing(groups=groups, weights=((int(release), 1),)), addresses, TOKEN
        )

    def envoy(self) -> int:
        """Its pid."""
        return next(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _is(p, self.directory))


async def measure(scale: Scale) -> Result:
    with workplace() as place, origin("1", place) as one, origin("2", place) as two:
        for port in (one, two):
            await listening(port, place)
        async with _machine(place, {"1": one, "2": two}) as machine:
            added = [await machine.add() for _ in range(scale.services)]
            async with Clients(machine.port, CLIENTS) as clients:
                await clients.lap(1, old="", new="1")
                switches, lost, asked = [], 0, 0
                for turn in range(SWITCHES):
                    old, new = ("1", "2") if turn % 2 == 0 else ("2", "1")
                    switches.append(await machine.switch(new))
                    lap = await clients.lap(100, old, new)
                    lost, asked = lost + lap.failed, asked + lap.requests
            taken = _taken(machine.envoy())
            report = await _timed(machine.balancer.report(machine.services[0].key))
            os.kill(machine.envoy(), signal.SIGKILL)
            back = await _timed(_again(machine))
    milliseconds = [seconds * 1000 for seconds in switches]
    rows = [
        ("one more service, median of the first ten", f"{number(median(added[:10]) * 1000)} ms"),
        ("one more service, median of the last ten", f"{number(median(added[-10:]) * 1000)} ms"),
        ("switch, median", f"{number(median(milliseconds))} ms"),
        ("switch, longest", f"{number(max(milliseconds))} ms"),
        ("requests meanwhile", f"{asked:,}"),
        ("what the balancer says of one service", f"{number(report * 1000)} ms"),
        ("Envoy back after SIGKILL", f"{number(back * 1000)} ms"),
        *((f"Envoy's {what}", f"{value:,}") for what, value in taken.items()),
    ]
    return Result(
        noun=NOUN,
        title=f"{scale.services} services with {2 * scale.services:,} instances on one machine",
        how=HOW,
        figures=(
            Figure(name=f"requests lost in {SWITCHES} switches", value=lost, most=0),
            Figure(name="inotify instances of Envoy", value=taken["inotify instances"], most=0),
            Figure(name="Envoy back after SIGKILL", value=back * 1000, unit="ms", most=1000),
        ),
        tables=(Table(head=("", "measured"), rows=rows),),
        data={"switch_ms": milliseconds, "lost": lost, "requests": asked, "envoy": taken, "back_s": back},
    )


@asynccontextmanager
async def _machine(place: Path, ports: dict[str, int]) -> AsyncIterator[Machine]:
    directory = place / "balancer"
    balancer = EnvoyBalancer(directory, Alone())
    try:
        await balancer.ensure()
        yield Machine(balancer, directory, free_port(), ports)
    finally:
        await balancer.shutdown()
        await balancer.close()


async def _again(machine: Machine) -> None:
    """Until Envoy answers again: the controller looks five times a second."""
    await asyncio.sleep(0.2)
    await machine.balancer.ensure()
    await listening(machine.port)


async def _timed(work: Awaitable[object]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


def _taken(pid: int) -> dict[str, int]:
    """What it holds that a machine has only so many of."""
    held = list(filter(None, map(_leads_to, Path(f"/proc/{pid}/fd").iterdir())))
    return {
        "inotify instances": sum("inotify" in one for one in held),
        "open files": len(held),
        "memory, MB": round(Usage.of(pid).mb),
    }


def _leads_to(opened: Path) -> str:
    """What an open file is; nothing when it was closed since it was listed."""
    try:
        return str(opened.readlink())
    except OSError:
        return ""


def _is(process: Path, directory: Path) -> bool:
    """Does it run in this directory? Envoy is the only one that does."""
    try:
        return (process / "cwd").readlink() == directory
    except OSError:
        return False
