"""The controller is killed with SIGKILL at every journal write of every strategy; the next start finishes the rollout.

Real controller, real Envoy, real instances, real traffic. Each kill is one deploy: the next write number follows until
a deploy ends without the controller having died. The simulation does this in thousands of histories; what processes
add to it (a lock, a socket, a half-written file) a few writes of one strategy show in every run.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from tests.crash import controller
from tests.crash.forked import Forked
from tests.support.machine import App, Machine

from crossfade.core.service import Hooks, RollbackOn, Service, Strategy
from crossfade.load import LoadGenerator

STRATEGIES = {
    "blue-green": Strategy(name="blue-green", bake=0.1),
    "canary": Strategy(name="canary", steps=(50, 100), bake=0.1),
    "rolling": Strategy(name="rolling", min_healthy=50, max_surge=50, checkpoints=(50, 100)),
    "recreate": Strategy(name="recreate"),
    "taken back": Strategy(name="canary", steps=(50, 100), bake=5.0),
}
MOST_WRITES = 60


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    yield machine
    await machine.close()


@pytest.mark.parametrize(
    ("name", "when", "every"),
    [
        ("rolling", "after", 8),
        *(pytest.param(name, "after", 1, marks=pytest.mark.long) for name in ("rolling", "taken back")),
        *(pytest.param(name, "after", 3, marks=pytest.mark.long) for name in ("blue-green", "canary", "recreate")),
        *(pytest.param(name, "before", 3, marks=pytest.mark.long) for name in ("rolling", "taken back")),
    ],
)
async def test_from_a_crash_at_any_journal_write_the_rollout_ends_and_no_orphan_remains(
    machine: Machine, name: str, when: str, every: int
) -> None:
    """From a crash at any journal write the rollout reaches a terminal state and no orphan remains."""
    rules = RollbackOn(error_rate=0.01, min_requests=5, unhealthy=1)
    strategy = replace(STRATEGIES[name], timeout=10.0, keep_previous=0.0, rollback_on=rules)
    fault = "errors" if name == "taken back" else ""
    shop = machine.app()
    await _up(machine)
    first = await shop.deploy(shop.service(strategy=strategy, hooks=Hooks(smoke="true")))
    assert first["rollout"]["state"] == "succeeded", first
    machine.kill(15)

    lost: dict[int, list[str]] = {}
    for turn, write in enumerate(range(1, MOST_WRITES, every), start=2):
        await _up(machine, kill_at=(when, write))
        service = shop.service(strategy=strategy, tag=f"{when}{write}", fault=fault, hooks=Hooks(smoke="true"))
        async with LoadGenerator(shop.url, clients=2, rate=200) as traffic:
            died = await _dies_or_settles(shop, service, rollout=turn)
            try:
                outcome, instances = await _end(shop, turn)
            except aiohttp.ClientError:  # also when it died of its very last write, after all was done
                died = True
                await _up(machine)
                outcome, instances = await _end(shop, turn)
        state = outcome["rollout"]["state"]
        expected = "rolled_back" if fault else "succeeded"
        assert state == expected, (write, outcome, machine.log())
        assert len(shop.processes()) == len(instances) == 2, (write, instances)
        report = traffic.report()
        allowed = report.statuses.get(500, 0) if fault else 0  # the bad release's own answers
        if name != "recreate" and report.failed > allowed:
            lost[write] = [str(loss) for loss in report.losses]
        machine.kill(15)
        if not died:
            break
    else:
        pytest.fail(f"more than {MOST_WRITES} journal writes in one rollout")
    assert write > 5, "the controller was hardly ever killed"
    assert not lost


async def _up(machine: Machine, kill_at: tuple[str, int] | None = None) -> None:
    await machine.up(Forked(controller.run, machine.state, machine.balancer, kill_at, log=machine.log_file))


async def _end(shop: App, rollout: int) -> tuple[Any, list[Any]]:
    """Wait until the rollout is over and only two instances are left: its outcome, and them."""
    outcome = await shop.outcome(rollout)
    status = await shop.until(
        lambda s: len(s["instances"]) == 2 and all(i["state"] == "healthy" for i in s["instances"])
    )
    return outcome, status["instances"]


async def _dies_or_settles(shop: App, service: Service, rollout: int) -> bool:
    """Deploy, and wait for whichever comes first: the controller's death, or that all is done."""
    try:
        await shop.begin(service)
        await _end(shop, rollout)
        async with asyncio.timeout(20):
            while all(e["data"]["rollout"] != rollout for e in await shop.events("record closed")):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except aiohttp.ClientError:  # its socket may refuse us before its end can be seen
        assert shop.machine.process is not None
        await asyncio.to_thread(shop.machine.process.wait, 30.0)
        return True
    return False
