"""MiniStack: an AWS on this machine, for as long as a test session lasts."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.ports import free_port

# What MiniStack cannot do, or reads back otherwise, is turned off by these files and by nothing else.
SWITCHES = Path(__file__).parent / "ministack"
READY = 60.0


def turn_off(infrastructure: Path, environment: str) -> None:
    """Lay the switches over what `infra init` wrote, wherever there is something to turn off."""
    for file in sorted((SWITCHES / "modules").rglob("*.tf")):
        target = infrastructure / file.relative_to(SWITCHES)
        if target.parent.is_dir():
            shutil.copy(file, target)
    main = infrastructure / "environments" / environment / "main.tf"
    for file in sorted((SWITCHES / "environments").glob("*_override.tf")):
        if f'module "{file.stem.removesuffix("_override")}"' in main.read_text():
            shutil.copy(file, main.parent)


@contextmanager
def ministack(home: Path) -> Iterator[dict[str, str]]:
    """The variables by which everything finds it: Terraform, its state, botocore. It listens on loopback only."""
    program = Path(sys.executable).with_name("ministack")
    if not program.exists():
        pytest.skip("ministack is not installed: pip install -e '.[dev]'")
    port = free_port()
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([program], env=_environment(home, port), stdout=log, stderr=log, cwd=home)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_for(endpoint, process, home / "log")
        yield {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(home: Path, port: int) -> dict[str, str]:
    """Nothing outlives it, and it starts no containers: no image could be fetched, and none is needed here."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "DOCKER_HOST": f"unix://{home}/no-docker",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(home),
        "TMPDIR": str(home),
        "SFTP_ENABLED": "0",
    }


def _wait_for(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"ministack did not come up: {log.read_text(errors='replace')[-2000:]}")
