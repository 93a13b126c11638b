"""A machine that is used and hurt for minutes under load: nothing is lost, nothing is left, nothing grows.

`make soak MINUTES=10`; half a minute of it is a test of `make check`. What each thing that is done lost is counted by
clients of its own, which begin before it and end after it.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from tests.support.crowd import Crowd
from tests.support.machine import App, Machine

from crossfade.core.service import RollbackOn, Service, Strategy
from crossfade.load import LoadReport, Mode

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.5"))
SEED = int(os.environ.get("SOAK_SEED", "7"))
GETS = (Mode.KEEPALIVE, Mode.CONNECTION)
RULES = RollbackOn(min_requests=5)
STRATEGIES = (
    Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RULES),
    Strategy(name="rolling", timeout=10.0, min_healthy=100, max_surge=50, keep_previous=0.0, rollback_on=RULES),
    Strategy(name="canary", steps=(50, 100), bake=0.3, timeout=10.0, keep_previous=0.0, rollback_on=RULES),
)
RETAINED = 5  # releases of a service whose files are kept
LOGS = 20  # of a service: the newest


@dataclass
class Soak:
    """One app on one machine, what was done to it, and what its clients got. `good` is the release that serves."""

    machine: Machine
    app: App
    random: random.Random
    good: int = 0
    done: dict[str, int] = field(default_factory=dict)
    report: LoadReport | None = None
    outages: int = 0  # requests lost while Envoy was dead, as docs/cutover.md says

    def service(self, **changes: Any) -> Service:
        return self.app.service(strategy=self.random.choice(STRATEGIES), drain=0.3, **changes)

    async def deploy(self) -> None:
        await self._rolled_out(await self.app.deploy(self.service(tag=str(time.monotonic()))))

    async def deploy_a_bad_one(self) -> None:
        fault = self.random.choice(("sick", "broken"))
        bad = self.service(fault=fault)
        result = await self.app.deploy(replace(bad, strategy=replace(bad.strategy, timeout=2.0)), force=True)
        assert result["rollout"]["state"] == "rolled_back", result

    async def roll_back(self) -> None:
        await self._rolled_out(await self.app.rollback())
        await self.deploy()  # so that there is always one to go back to

    async def abort(self) -> None:
        rollout = await self.app.begin(self.service(tag=str(time.monotonic())))
        await self.app.machine.ask("POST", "/v1/order/abort", {"app": self.app.name, "service": "web", "by": "tester"})
        result = await self.app.outcome(rollout)
        self.good = result["rollout"]["to"] if result["rollout"]["state"] == "succeeded" else self.good

    async def scale(self) -> None:
        await self.app.scale(3)
        await self.app.scale(2)

    async def restart_the_balancer(self) -> None:
        deadline = time.monotonic() + 30.0  # the one before may still have to answer
        while (await self.machine.ask("POST", "/v1/balancer/restart", {}))[0] >= HTTPStatus.BAD_REQUEST:
            assert time.monotonic() < deadline, self.machine.log()
            await asyncio.sleep(0.2)

    async def kill_an_instance(self) -> None:
        before = {i["id"] for i in (await self.app.status())["instances"]}
        os.kill(self.app.pid_of(self.random.choice(sorted(before))), signal.SIGKILL)
        await self.app.until(lambda s: not before <= {i["id"] for i in s["instances"]}, 30.0)

    async def stop_the_controller_for_a_while(self) -> None:
        assert self.machine.process is not None
        rollout = await self.app.begin(self.service(tag=str(time.monotonic())))
        self.machine.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2.0)
        self.machine.process.send_signal(signal.SIGCONT)
        await self._rolled_out(await self.app.outcome(rollout))

    async def kill_the_controller(self) -> None:
        rollout = await self.app.begin(self.service(tag=str(time.monotonic())))
        await asyncio.sleep(self.random.random())
        self.machine.kill()
        await self.machine.up()
        await self._rolled_out(await self.app.outcome(rollout))

    async def kill_envoy(self) -> None:
        os.kill(self.machine.balancer_pid(), signal.SIGKILL)
        deadline = time.monotonic() + 30.0
        while not await self._answers():
            assert time.monotonic() < deadline, self.machine.log()
            await asyncio.sleep(0.05)

    async def under_load(self, act: Callable[[], Awaitable[None]], *, loses: bool = False) -> None:
        """Do it under load and wait until all is whole again. Nothing may be lost unless it says so."""
        async with Crowd(self.app.url, *GETS) as crowd:
            await act()
            await self.app.settled(self.good)
        name = act.__name__  # type: ignore[attr-defined]  # a method of ours
        self.done[name] = self.done.get(name, 0) + 1
        self.report = crowd.report if self.report is None else self.report + crowd.report
        assert loses or crowd.report.failed == 0, (name, crowd.report.losses, self.machine.log())
        self.outages += crowd.report.failed

    async def _answers(self) -> bool:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.app.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer.startswith(b"HTTP/1.1 200")
        return False

    async def _rolled_out(self, result: Any) -> None:
        assert result["rollout"]["state"] == "succeeded", (result, self.machine.log())
        assert result["traffic"]["failed"] == 0, result
        self.good = result["rollout"]["to"]


@dataclass(frozen=True)
class Use:
    """What the machine's own processes hold, and how many files lie in its state directory."""

    controller: int  # bytes
    controller_files: int
    envoy: int  # bytes
    envoy_files: int
    state_files: int

    @classmethod
    def of(cls, machine: Machine) -> "Use":
        pid = machine.process.pid  # type: ignore[union-attr]  # a Popen
        envoy = machine.balancer_pid()
        state = sum(len(files) for folder, _, files in os.walk(machine.state) if "/releases" not in folder)
        return cls(_memory(pid), _files(pid), _memory(envoy), _files(envoy), state)


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _of(state: Path) -> list[str]:
    """Processes that carry the mark of a session below this directory."""
    mark, found = f"CROSSFADE_SESSION={state}".encode(), []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.mark.long
async def test_nothing_is_lost_left_or_grown() -> None:
    """Deploys, rollbacks, kills and stops for as long as was asked, then everything down."""
    machine = Machine()
    try:
        await machine.up()
        soak = Soak(machine, machine.app(), random.Random(SEED))
        began = time.monotonic()
        for _ in range(2):  # to have one to go back to
            await soak.deploy()
        gentle = [soak.deploy, soak.deploy_a_bad_one, soak.roll_back, soak.abort, soak.scale, soak.kill_an_instance]
        rough = [soak.stop_the_controller_for_a_while, soak.kill_the_controller, soak.restart_the_balancer]
        await _round(soak, gentle)
        before = Use.of(machine)
        await _round(soak, gentle)
        while time.monotonic() - began < 0.5 * MINUTES * 60:
            await _round(soak, gentle)
        after = Use.of(machine)
        await _round(soak, rough)
        while time.monotonic() - began < MINUTES * 60:
            await _round(soak, [*gentle, *rough])
        await soak.under_load(soak.kill_envoy, loses=True)
        _print(soak, before, after, time.monotonic() - began)
        _grew_little(before, after)
        _kept_little(machine)
        await machine.call("POST", "/v1/down", {"all": True, "by": "tester"})
        assert _of(machine.state) == []
        assert not list((machine.state / "instances").iterdir())
    finally:
        await machine.close()


async def _round(soak: Soak, acts: list[Callable[[], Awaitable[None]]]) -> None:
    for act in soak.random.sample(acts, len(acts)):
        await soak.under_load(act)


def _grew_little(before: Use, after: Use) -> None:
    """A leak of a file or of memory a release shows long before that; a heap that settles does not."""
    assert after.controller_files <= before.controller_files + 12
    assert after.envoy_files <= before.envoy_files + 40  # idle connections to instances that are there
    assert after.controller <= before.controller + 48 * 2**20
    assert after.envoy <= before.envoy + 64 * 2**20
    assert after.state_files <= before.state_files + 2 * LOGS


def _kept_little(machine: Machine) -> None:
    kept = [home for home in (machine.state / "releases").iterdir() if not home.name.startswith(".")]
    assert len(kept) <= RETAINED + 2
    assert len(list((machine.state / "logs" / "shop" / "web").glob("*.log"))) <= LOGS + 2


def _print(soak: Soak, before: Use, after: Use, seconds: float) -> None:
    report = soak.report
    assert report is not None
    out = sys.stdout.write
    out(f"\nsoak of {seconds:.0f} s, seed {SEED}: {report.requests:,} requests, ")
    out(f"{report.failed - soak.outages:,} lost, and {soak.outages:,} while Envoy was dead\n")
    out("  " + ", ".join(f"{name.replace('_', ' ')} {count}x" for name, count in sorted(soak.done.items())) + "\n")
    for name in before.__dataclass_fields__:
        out(f"  {name.replace('_', ' ')}: {getattr(before, name):,} -> {getattr(after, name):,}\n")
