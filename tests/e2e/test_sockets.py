"""An app whose instances listen on Unix sockets, deployed, killed and taken over under load."""

import os
import signal
import socket
from pathlib import Path

import pytest
from tests.support.crowd import Crowd
from tests.support.machine import App, Machine
from tests.support.nobody import as_nobody

from crossfade.core.service import RollbackOn, Service, Strategy
from crossfade.load import Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 180.0


def listening(shop: App, tag: str = "") -> Service:
    rollback_on = RollbackOn(min_requests=5)
    strategy = Strategy(name="blue-green", timeout=PATIENCE, keep_previous=0.0, rollback_on=rollback_on)
    return shop.service(listen_on="socket", strategy=strategy, tag=tag)


def sockets(machine: Machine) -> set[str]:
    return {str(path) for path in (machine.state / "balancer" / "sockets").iterdir()}


async def test_its_deploys_lose_nothing_and_nobody_else_gets_near(own_machine: Machine) -> None:
    """Another user can neither reach a socket nor take the place of one, and none is left by those that go."""
    shop = own_machine.app()
    assert (await shop.deploy(listening(shop)))["rollout"]["state"] == "succeeded"
    (old, _) = (await shop.settled(1))["instances"]
    assert old["address"].removeprefix("unix:") in sockets(own_machine)
    if os.geteuid() == 0:
        assert "Permission denied" in as_nobody(lambda: knock(old["address"].removeprefix("unix:")))
        assert "Permission denied" in as_nobody(lambda: squat(own_machine.state / "balancer" / "sockets" / "mine"))
    async with Crowd(shop.url, Mode.KEEPALIVE, Mode.POST, Mode.CONNECTION) as crowd:
        result = await shop.deploy(listening(shop, "2"))
        await shop.until(lambda s: {i["release"] for i in s["instances"]} == {2}, PATIENCE)
    assert result["rollout"]["state"] == "succeeded", result
    assert (result["traffic"]["failed"], crowd.report.failed) == (0, 0), crowd.report.losses
    assert {"1", "2"} <= set(crowd.report.releases)
    assert len(sockets(own_machine)) == 2

    own_machine.kill()  # and while nobody looks, an instance dies with its socket left behind
    (first, second) = shop.processes()[:2]
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGKILL)
    left = sockets(own_machine)
    await own_machine.up()
    status = await shop.until(
        lambda s: (
            [i["state"] for i in s["instances"]] == ["healthy"] * 2
            and not {i["address"].removeprefix("unix:") for i in s["instances"]} & left
        ),
        PATIENCE,
    )
    assert sockets(own_machine) == {i["address"].removeprefix("unix:") for i in status["instances"]}
    await shop.down()
    assert sockets(own_machine) == set()


def knock(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def squat(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
