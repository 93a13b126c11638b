"""A worker on a real queue as tasks of ECS: every job is done once, whatever is deployed meanwhile."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.place import make, make_worker
from tests.support import consumer
from tests.support.consumer import Redis
from tests.support.shipped import LIMIT, PACE, Ran, Shipped

pytestmark = pytest.mark.long
FILE = """
app: jobs
services:
  web:
    image: {web}
    port: 8080
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    deploy: {{keep_previous: 0s, rollback_on: {{min_requests: 0}}}}
  worker:
    kind: worker
    image: {worker}
    replicas: 2
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{after: 1s}}
    grace: 30s
    env: {{RUN: "{run}"}}
    command: {command}
    deploy: {{strategy: {strategy}, timeout: 60s}}
environments:
  dev: {{platform: aws, cloud: {{region: us-east-1}}}}
"""
JOBS = 200  # while each release goes out


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of its own, on a unix socket."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(tmp_path / "redis"), "--save", "", "--dir", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as server:
        while True:
            try:
                yield Redis(str(tmp_path / "redis"))
            except OSError:
                time.sleep(0.02)
            else:
                break
        server.terminate()


class Jobs(Shipped):
    """A web service with a worker beside it, and the folder that they are shipped from."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        super().__init__(rig, folder)
        self.web = make(rig, "jobs", desired=0)
        name = "jobs-dev-worker"
        self.image = f"{name}@{rig.images.add(f'{name}:1', [sys.executable, '-S', consumer.__file__])}"
        make_worker(rig, self.web, "worker", self.image)
        self.command = f"exec {sys.executable} -S {consumer.__file__} {folder / 'redis'}"

    def deploy(self, run: int, strategy: str, command: str = "") -> Ran:
        known = {"web": self.web.image, "worker": self.image, "run": run, "strategy": strategy}
        self.file(FILE.format(**known, command=command or self.command))
        return self.run("deploy", "worker", "-e", "dev", "--version", f"v{run}", "--json")


def _done(queue: Redis) -> int:
    found = queue.ask("HLEN", "done")
    assert isinstance(found, int)
    return found


def _all_done(queue: Redis, count: int) -> None:
    deadline = time.monotonic() + LIMIT
    while _done(queue) < count:
        assert time.monotonic() < deadline, f"{_done(queue)} of {count} jobs are done"
        time.sleep(0.1)


def test_a_worker_goes_out_and_comes_back_and_every_job_is_done_once(queue: Redis, tmp_path: Path) -> None:
    """New beside old, one after the other, one at a time only; one that ends at once goes back and takes no job."""
    with Rig(pace=PACE, lag=2) as rig:
        jobs, asked = Jobs(rig, tmp_path), 0
        for run, strategy in enumerate(("blue-green", "blue-green", "rolling", "recreate"), start=1):
            queue.ask("RPUSH", "jobs", *range(asked, asked + JOBS))
            asked += JOBS
            ran = jobs.deploy(run, strategy)
            assert (ran.code, ran.last["rollout"]["state"]) == (0, "succeeded"), ran.out + ran.err
            _all_done(queue, asked)
        bad = jobs.deploy(5, "blue-green", command="echo no queue; exit 3")
        assert (bad.code, "no queue" in bad.last["rollout"]["reason"]) == (1, True), bad.out + bad.err
        queue.ask("RPUSH", "jobs", *range(asked, asked + JOBS))
        _all_done(queue, asked + JOBS)
        assert jobs.run("rollback", "worker", "-e", "dev").code == 0
        assert jobs.releases("worker")[0][1] != "good"
        assert jobs.run("down", "-e", "dev", "--yes").code == 0
    times = queue.ask("HVALS", "done")
    assert times == ["1"] * (asked + JOBS)
