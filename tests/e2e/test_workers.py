"""A worker on a real queue: every job is done once, whatever is deployed meanwhile."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.support.consumer import Redis
from tests.support.machine import ROOT, App, Machine

from crossfade.core.service import HealthCheck, RollbackOn, Service, Strategy

pytestmark = pytest.mark.asyncio(loop_scope="session")
JOBS, DEPLOYS = 1000, 10


@pytest.fixture
def queue(machine: Machine) -> Iterator[Path]:
    """A Redis of its own, on a unix socket."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    path = machine.root / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(machine.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield path
    finally:
        server.terminate()
        server.wait(10)


async def redis(path: Path) -> Redis:
    """A connection, as soon as there is somebody to connect to."""
    async with asyncio.timeout(60):
        while True:
            try:
                return Redis(str(path))
            except OSError:
                await asyncio.sleep(0.02)


def worker(shop: App, path: Path, strategy: Strategy) -> Service:
    code = shop.machine.root / f"{shop.name}-consumer"
    if not code.exists():
        code.mkdir()
        shutil.copy(ROOT / "tests" / "support" / "consumer.py", code)
    return shop.service(
        kind="worker",
        source=str(code),
        command=f"exec {sys.executable} -S consumer.py {path}",
        health=HealthCheck(after=0.2),
        drain=0.0,
        grace=10.0,
        strategy=strategy,
    )


@pytest.mark.long
async def test_ten_deploys_lose_no_job_and_do_none_twice(shop: App, queue: Path) -> None:
    """A thousand jobs, blue-green and rolling in turn: each is counted once, and the record says "no traffic"."""
    asked = await redis(queue)
    quick = Strategy(timeout=60.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=0))
    results = []
    for n in range(DEPLOYS):
        asked.ask("RPUSH", "jobs", *range(n * JOBS // DEPLOYS, (n + 1) * JOBS // DEPLOYS))
        strategy = replace(quick, name="rolling") if n % 2 else quick
        results.append(await shop.deploy(worker(shop, queue, strategy), version=f"v{n}", force=True))

    async def all_done() -> bool:
        return asked.ask("HLEN", "done") == JOBS

    await until(all_done, 60)
    done = asked.ask("HVALS", "done")
    assert isinstance(done, list)
    assert set(done) == {"1"}
    assert {result["rollout"]["state"] for result in results} == {"succeeded"}
    assert {result["traffic"] for result in results} == {None}
    releases = asked.ask("HKEYS", "by release")
    assert isinstance(releases, list)
    assert len(releases) > 1  # the work went over from release to release
    await shop.settled(DEPLOYS)
    status = await shop.until(lambda s: s["last"]["ended"]["ending"] == 0)  # its record closes after its last old one
    assert status["last"]["ended"]["killed"] == 0


async def test_a_worker_that_dies_in_its_bake_is_taken_back(shop: App, queue: Path) -> None:
    """The old ones never left, and go on working."""
    await redis(queue)
    baked = Strategy(timeout=20.0, bake=30.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=0))
    good = worker(shop, queue, replace(baked, bake=0.0))
    await shop.deploy(good)
    before = {one["id"] for one in (await shop.status())["instances"]}
    dies = replace(good, command="sleep 0.6; echo no such queue; exit 3", strategy=baked)
    result = await shop.deploy(dies)
    assert result["rollout"]["state"] == "rolled_back"
    assert "exited with code 3: no such queue" in result["rollout"]["reason"]
    status = await shop.settled(1)
    assert {one["id"] for one in status["instances"]} == before
