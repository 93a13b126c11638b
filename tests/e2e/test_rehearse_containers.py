"""A rehearsal of containers with a store beside them: built here, under their limits, and nothing of them left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.runtime_kits import DockerImages, docker_is_missing

pytestmark = pytest.mark.long

# The web server begins only where the store answers by its name: it is there first, as it would be in production.
SERVES = (
    "mkdir -p /tmp/www && wget -q -O /tmp/www/stock.txt http://stock:9000/stock.txt && echo ok > /tmp/www/health && "
    "echo hello > /tmp/www/index.html && exec httpd -f -p $PORT -h /tmp/www"
)
KEEPS = "test -f /data/stock.txt || echo 42 > /data/stock.txt; exec httpd -f -p 9000 -h /data"
FILE = """\
app: {app}
services:
  web:
    image: acme/{app}
    port: 8080
    command: {serves}
    replicas: 2
    health: {{path: /health, interval: 10s}}
    resources: {{cpu: 0.25, memory: 512M}}
    grace: 1s
    deploy: {{strategy: canary, steps: [50, 100], bake: 60s, keep_previous: 0s, rollback_on: {{min_requests: 5}}}}
cloud:
  region: us-east-1
  targets: {{requests: 100}}
environments:
  local:
    stores:
      stock:
        image: {image}
        command: {keeps}
        volumes: [stock:/data]
        health: {{command: wget -q -O /dev/null http://127.0.0.1:9000/stock.txt}}
        grace: 1s
  prod: {{platform: aws}}
"""
TEST = """\
think: 100ms-300ms
stages: [{users: 8, for: 10s}]
journeys:
  buy: {steps: [{get: /stock.txt, contains: "42"}, {get: /index.html, contains: hello}]}
"""


class Rehearsal:
    """An app that is built from the Dockerfile beside it, and a temporary folder that is ours."""

    def __init__(self, folder: Path, base: str) -> None:
        self.name = f"carts{os.getpid()}"
        self.scratch, self.folder = folder / "scratch", folder / "app"
        self.scratch.mkdir(parents=True)
        self.folder.mkdir()
        words = {"app": self.name, "image": base, "serves": json.dumps(SERVES), "keeps": json.dumps(KEEPS)}
        (self.folder / "crossfade.yaml").write_text(FILE.format(**words))
        (self.folder / "loadtest.yaml").write_text(TEST)
        (self.folder / "Dockerfile").write_text(f"FROM {base}\n")

    def begin(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", "rehearse", "-e", "prod", "--faster", "60", "--json"],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.scratch), "HOME": os.environ.get("HOME", "/root")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def left(self, docker: Any) -> list[str]:
        """What Docker has of it, and what is in the temporary folder."""
        found = [one.name for one in docker.containers.list(all=True, ignore_removed=True) if self.name in one.name]
        found += [tag for one in docker.images.list() for tag in one.tags if self.name in tag]
        found += [one.name for one in docker.networks.list() if self.name in one.name]
        found += [one.name for one in docker.volumes.list() if self.name in one.name]
        return [*found, *map(str, self.scratch.iterdir())]


@pytest.fixture
def docker() -> Iterator[Any]:
    if why := docker_is_missing():
        pytest.skip(why)
    import docker

    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def rehearsal(docker: Any) -> Iterator[Rehearsal]:
    images, folder = DockerImages(), Path("/tmp") / f"cfc-{os.getpid()}-{time.monotonic_ns() % 100_000}"
    made = Rehearsal(folder, images.add("base"))
    yield made
    for container in docker.containers.list(all=True, ignore_removed=True):
        if made.name in container.name:
            container.remove(force=True)
    images.remove()
    shutil.rmtree(folder, ignore_errors=True)


def test_what_was_killed_is_cleared_away_and_containers_are_played_as_in_production(
    rehearsal: Rehearsal, docker: Any
) -> None:
    """SIGKILL to all leaves containers, images and a volume; the next one takes these away, plays, and leaves none."""
    first = rehearsal.begin()
    deadline = time.monotonic() + 120
    while sum(rehearsal.name in one.name for one in docker.containers.list()) < 2:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for pid in _of(rehearsal.scratch):
        os.kill(pid, signal.SIGKILL)
    first.kill()
    first.communicate()
    assert any(one.startswith("crossfade-") for one in rehearsal.left(docker))
    out, err = rehearsal.begin().communicate(timeout=300)
    data = json.loads(out.splitlines()[-1])
    assert "error" not in data, (data, err)
    [service] = data["services"]
    assert (service["played_by"], service["instances"]) == ("containers", 2)
    assert data["good"]["rollout"]["state"] == "succeeded"
    assert data["sick"]["rollout"]["state"] == "rolled_back"
    assert data["visitors"]["a good release"]["failed"] == 0
    [need] = data["production"]["instances"]
    assert need["cpu_ms"] > 0, "the containers' own time was measured"
    assert rehearsal.left(docker) == []


def _of(folder: Path) -> list[int]:
    """The controller of the rehearsal and what it started on this machine."""
    said = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in said.split()]
