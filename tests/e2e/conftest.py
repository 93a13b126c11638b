"""One real machine (controller and Envoy) for all tests of a worker; every test has an app of its own on it."""

import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from tests.support.machine import ROOT, App, Machine

from crossfade.core.service import Service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def machine() -> AsyncIterator[Machine]:
    """Shared: tests that kill its parts take `own_machine`."""
    machine = Machine()
    try:
        yield await machine.up()
    finally:
        await machine.close()


@pytest_asyncio.fixture(loop_scope="session")
async def own_machine() -> AsyncIterator[Machine]:
    machine = Machine()
    try:
        yield await machine.up()
    finally:
        await machine.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(machine: Machine) -> AsyncIterator[App]:
    """An app that runs tiny.py once it is deployed."""
    app = machine.app(f"shop-{secrets.token_hex(3)}")  # Docker is one for all workers
    yield app
    await app.down()


@pytest_asyncio.fixture(loop_scope="session")
async def other(machine: Machine) -> AsyncIterator[App]:
    """A second one beside it."""
    app = machine.app(f"other-{secrets.token_hex(3)}")
    yield app
    await app.down()


@pytest.fixture
def live() -> Callable[..., Service]:
    """`live(shop, strategy=...)`: the service of an app that runs examples/live, with WebSockets and event streams."""

    def service(app: App, **changes: Any) -> Service:
        pytest.importorskip("uvicorn", reason="examples/live needs the `examples` extra")
        code = app.machine.root / f"{app.name}-live"
        if not code.exists():
            shutil.copytree(ROOT / "examples" / "live", code, ignore=shutil.ignore_patterns("__pycache__"))
        env = (("EVENT_SECONDS", "0.05"), *changes.pop("env", ()))
        made = app.service(env=env, grace=5.0, **changes)
        return replace(made, source=str(code), command=f"exec {sys.executable} -m live --port $PORT")

    return service
