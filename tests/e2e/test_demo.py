"""`crossfade demo`: what a newcomer sees first."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

STEPS = [
    ("v1", "succeeded"),
    ("v2", "succeeded"),
    ("rollback to v1", "succeeded"),
    ("v2, controller killed", "succeeded"),
    ("v3 as a canary", "rolled_back"),
    ("v4", "rolled_back"),
]


class Demo:
    """A run of the demo whose temporary folder is ours, so that everything of it can be found."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        folder.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", "demo", *words],
            env={**os.environ, "TMPDIR": str(folder), "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def left(self) -> list[str]:
        """Commands that still run in its folder, and files that lie there."""
        mark = f"{self.folder}/crossfade-demo-"
        running = subprocess.run(
            ["pgrep", "-af", mark], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        return [*running, *(str(path) for path in self.folder.iterdir() if path.name.startswith("crossfade-demo-"))]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=60)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short, because sockets lie below it."""
    return Path("/tmp") / f"cfd-{os.getpid()}-{time.monotonic_ns() % 100_000}"


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    made = Demo(folder, "--json")
    yield made
    made.close()
    subprocess.run(["rm", "-rf", folder], check=False)


@pytest.mark.long  # a minute of a processor for what other tests show one by one; the next one sees that it plays
def test_nothing_is_lost_and_nothing_is_left(demo: Demo) -> None:
    """Every step as told, no request lost, the 500s of v3 counted by clients and balancer alike.

    By itself it takes half a minute; here other tests run beside it.
    """
    out, err = demo.process.communicate(timeout=120)
    assert demo.process.returncode == 0, err or out
    data = json.loads(out.splitlines()[-1])
    assert (data["ok"], data["failed"]) == (True, 0)
    assert data["requests"] > 1000
    assert [(step["name"], step["state"]) for step in data["steps"]] == STEPS
    for step in data["steps"]:
        assert {"name", "state", "seconds", "switch_ms", "requests", "failed"} <= step.keys()
        assert step["balancer"]["failed"] == step["bad_answers"]
    assert data["steps"][4]["bad_answers"] > 0
    assert demo.left() == []


def test_ctrl_c_cleans_up(demo: Demo) -> None:
    """In the middle of a deploy: everything stops, and no file stays."""
    while not list(demo.folder.glob("crossfade-demo-*/state/api.sock")):
        assert demo.process.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=60)
    assert demo.process.returncode == 130
    assert demo.left() == []
