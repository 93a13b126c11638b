"""What takes long is made once in a test run, also when several processes share it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run have."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once(file: Path, make: Callable[[], str]) -> str:
    """The content of a file, made by whoever comes first while the others wait."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            text = make()
            file.write_text(text)
        return file.read_text()
