"""`crossfade rehearse`: production's plan on this machine, and nothing of it left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import tiny

pytestmark = pytest.mark.slow

FILE = """\
app: shop
services:
  web:
    source: .
    command: exec python3 tiny.py
    replicas: 2
    health: {path: /health, interval: 10s}
    secrets: [TOKEN]
    deploy: {strategy: canary, steps: [50, 100], bake: 60s, keep_previous: 10m, rollback_on: {min_requests: 5}}
cloud:
  targets: {requests: 100, deploy: 1h, recovery: 10m}
environments:
  local: {}
  prod:
    platform: aws
    services:
      web:
        image: acme/web
        source: null
        command: null
        resources: {cpu: 0.5, memory: 1G}
        scale: {min: 2, max: 4, cpu: 70%}
    cloud: {secrets: {TOKEN: {}}}
"""


class Rehearsal:
    """A run whose temporary folder is ours, so that everything of it can be found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = folder / "app"
        self.app.mkdir(parents=True)
        shutil.copy(tiny.__file__, self.app)
        (self.app / "crossfade.yaml").write_text(FILE)
        self.processes: list[subprocess.Popen[str]] = []

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", "rehearse", *words],
            cwd=self.app,
            env={**os.environ, "TMPDIR": str(self.folder), "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def left(self) -> list[str]:
        mark = f"{self.folder}/crossfade-rehearse-"
        running = subprocess.run(["pgrep", "-af", mark], capture_output=True, text=True, check=False).stdout
        return [*running.splitlines(), *map(str, self.folder.glob("crossfade-*"))]

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    """Short, because sockets lie below it."""
    made = Rehearsal(Path("/tmp") / f"cfr-{os.getpid()}-{time.monotonic_ns() % 100_000}")
    yield made
    made.close()


@pytest.mark.long
def test_the_app_itself_is_shipped_as_production_would(rehearsal: Rehearsal) -> None:
    """Its processes, production's canary in a stated part of its time, a sick release taken back, and nothing left."""
    out, err = rehearsal.begin("-e", "prod", "--users", "10", "--json", "-o", "seen.html").communicate(timeout=300)
    data = json.loads(out.splitlines()[-1])
    assert "error" not in data, err
    assert data["faster"] > 1
    [service] = data["services"]
    assert (service["played_by"], service["instances"]) == ("processes", 2)
    assert (data["good"]["rollout"]["strategy"], data["good"]["rollout"]["state"]) == ("canary", "succeeded")
    assert data["visitors"]["a good release"]["failed"] == 0
    assert data["sick"]["rollout"]["state"] == "rolled_back"
    assert 0 < data["visitors"]["a sick release"]["failed"] < data["visitors"]["a sick release"]["requests"]
    [need] = data["production"]["instances"]
    assert need["cpu_ms"] > 0, "the processes' own time was measured"
    assert need["by_cpu"] >= 1
    assert data["production"]["seconds"] > 120, "two bakes of 60 s"
    assert data["production"]["both_fleets"] > 0
    assert data["unknown"]
    page = (rehearsal.app / "seen.html").read_text()
    assert "What this machine cannot know" in page
    assert "TOKEN" not in page
    assert rehearsal.left() == []


def test_ctrl_c_leaves_nothing(rehearsal: Rehearsal) -> None:
    """In the middle of the first release, with a stand-in: everything stops, and no file stays."""
    process = rehearsal.begin("-e", "prod", "--stand-in", "web")
    deadline = time.monotonic() + 60
    while not list(rehearsal.folder.glob("crossfade-rehearse-*/state/api.sock")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "a stand-in was asked for" in out
    assert rehearsal.left() == []


@pytest.mark.long
def test_what_cannot_be_played_is_one_message(rehearsal: Rehearsal) -> None:
    """An app that does not start, a service that is not there, no environment: nothing is left of any."""
    (rehearsal.app / "tiny.py").write_text("raise SystemExit('no database')\n")
    wrong = rehearsal.begin("-e", "prod", "--faster", "600")
    _, err = wrong.communicate(timeout=120)
    assert wrong.returncode == 3
    assert "the app does not run here: " in err
    assert "--stand-in SERVICE" in err
    for words, cause in (
        (("-e", "prod", "--stand-in", "wb"), "did you mean web?"),
        ((), "no environment to rehearse is named"),
        (("-e", "x"), "no environment"),
    ):
        refused = rehearsal.begin(*words)
        _, err = refused.communicate(timeout=60)
        assert refused.returncode == 2
        assert cause in err
        assert "Traceback" not in err
    assert rehearsal.left() == []
