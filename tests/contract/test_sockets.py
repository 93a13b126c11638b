"""Instances that listen on Unix sockets: what every LoadBalancer and the process runtime keep for them too."""

import asyncio
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.contract.balancer_kits import Kit, RealKit, kit, routing, service
from tests.contract.runtime_kits import process_kit
from tests.contract.test_balancers import Hammer
from tests.support.backend import Backend
from tests.support.nobody import as_nobody

from crossfade.adapters import BALANCERS
from crossfade.core.errors import WrongInputError
from crossfade.core.service import HealthCheck
from crossfade.platforms.local.address import socket_of
from crossfade.platforms.local.probes import HttpProbe
from crossfade.platforms.local.runtimes.processes.addresses.sockets import Sockets

TOKEN = 1
SERVES = f"""exec {sys.executable} -c '
import http.server, os, socketserver
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["Host"] == "localhost" else 400)
        self.end_headers()
    def address_string(self):
        return "somebody"
socketserver.UnixStreamServer(os.environ["CROSSFADE_SOCKET"], Answer).serve_forever()
'"""


@pytest.fixture(params=["memory", *BALANCERS])
async def lb(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made


@asynccontextmanager
async def backends(lb: Kit, names: str) -> AsyncIterator[tuple[dict[str, Backend], dict[str, str]]]:
    """Instances by name, each on a socket of its own, and their addresses."""
    async with AsyncExitStack() as stack:
        made = {
            name: await stack.enter_async_context(Backend(name, socket=lb.sockets / f"{name}0f1c9a2"))
            for name in names.split()
        }
        yield made, {name: backend.address for name, backend in made.items()}


async def test_it_answers_drains_and_goes(lb: Kit) -> None:
    """A request under way is counted in flight until it is answered; every new one goes elsewhere."""
    web = service(listen_on="socket")

    async def in_flight(number: int) -> bool:
        return (await lb.balancer.report(web.key)).targets["a"].in_flight == number

    async with backends(lb, "a b") as (made, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        held = asyncio.create_task(lb.ask(web, "/hold"))
        await until(lambda: in_flight(1))
        await lb.balancer.apply(web, routing({1: 100}, {1: "a b"}, draining="a"), addresses, 1)
        assert await in_flight(1)
        assert {(await lb.ask(web)).body for _ in range(20)} == {"b"}
        made["a"].gate.set()
        assert (await held).body == "a"
        await until(lambda: in_flight(0))
        await lb.balancer.apply(web, routing({1: 100}, {1: "b"}), addresses, 1)
        assert "a" not in (await lb.balancer.report(web.key)).targets


async def test_a_service_may_go_from_a_port_to_a_socket_and_back(lb: Kit) -> None:
    """Under load, as with any other release."""
    web, groups = service(), {1: "a", 2: "b"}
    on_socket = replace(web, listen_on="socket")
    async with backends(lb, "b") as (_, addresses), Backend("a") as on_port:
        both = {**addresses, "a": on_port.address}
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), both, 1)
        async with Hammer(lb, web) as hammer:
            await lb.balancer.apply(on_socket, routing({2: 100}, groups, draining="a"), both, 1)
            assert {(await lb.ask(web)).body for _ in range(10)} == {"b"}
            await lb.balancer.apply(web, routing({1: 100}, groups, draining="b"), both, 1)
            assert {(await lb.ask(web)).body for _ in range(10)} == {"a"}
        if lb.lossless:
            assert hammer.lost() == []


async def test_a_new_controller_goes_on_and_what_fails_is_counted(lb: Kit) -> None:
    """It knows the addresses from before; an answer that breaks off and a socket that nobody listens on are counted."""
    web = service(listen_on="socket")
    async with backends(lb, "a") as (made, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        await lb.balancer.close()
        lb.balancer = lb.again()
        await lb.balancer.ensure()
        assert (await lb.ask(web)).body == "a"
        assert (await lb.ask(web, "/cut")).status == 0
        assert (await lb.ask(web, "/fail")).status == 500
        if isinstance(lb, RealKit):
            await until(lambda: _failed(lb, web.key, {"truncated answer": 1, "500 from instance": 1}))
            made["a"].kill()
            assert (await lb.ask(web, method="POST")).status != 200


async def _failed(lb: Kit, key: str, expected: dict[str, int]) -> bool:
    await lb.balancer.catch_up()
    return dict((await lb.balancer.report(key)).traffic.failed) == expected


@pytest.mark.parametrize("name", ["envoy", "haproxy"])
async def test_its_streams_are_told_from_requests(name: str, tmp_path: Path) -> None:
    """An event stream is no request in flight."""
    web = service(listen_on="socket")
    async with kit(name, tmp_path / "balancer") as lb, backends(lb, "a") as (_, addresses):
        assert isinstance(lb, RealKit)
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        url, asks = f"http://127.0.0.1:{web.listener.http}/events", {"Accept": "text/event-stream"}
        async with lb.http.get(url, headers=asks):

            async def told() -> bool:
                target = (await lb.balancer.report(web.key)).targets["a"]
                return (target.in_flight, target.streams) == (0, 1)

            await until(told)


async def test_a_process_has_a_socket_for_its_life(tmp_path: Path) -> None:
    """Nobody else can enter its folder; it is probed there, and removed with it, also when it was killed."""
    made = process_kit(tmp_path)
    runtime, probe, check = made.adapter(), HttpProbe(), HealthCheck(timeout=5.0)
    release = await made.release(runtime, SERVES, listen_on="socket")
    await runtime.launch("one", release, {}, TOKEN)
    (found,) = await runtime.instances(f"{made.app}/web")
    path = Path(socket_of(found.address))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    async def healthy() -> bool:
        return await probe.ask(found.address, check) == ""

    try:
        await until(healthy)
        await runtime.close()
        runtime = made.adapter()  # which sweeps what nobody needs
        assert await probe.ask(found.address, check) == ""
        assert "Permission denied" in as_nobody(lambda: _knock(path)) or os.geteuid() != 0
    finally:
        await runtime.stop("one", 0, TOKEN)
        await probe.close()
    assert not await asyncio.to_thread(lambda: list(path.parent.iterdir()))


def _knock(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


async def test_a_process_that_listens_elsewhere_is_told(tmp_path: Path) -> None:
    """The socket is named where nobody listens on it, and what it listens on instead."""
    made = process_kit(tmp_path)
    runtime = made.adapter()
    command = f"exec {sys.executable} -m http.server --bind 127.0.0.1 0"
    release = await made.release(runtime, command, listen_on="socket")
    await runtime.launch("one", release, {}, TOKEN)
    try:
        (found,) = await runtime.instances(f"{made.app}/web")
        probe = HttpProbe()
        assert await probe.ask(found.address, HealthCheck()) == (
            f"nothing listens on the socket $CROSSFADE_SOCKET, {socket_of(found.address)}"
        )
        await probe.close()

        async def told() -> str:
            return await runtime.silent(found.address)

        said = await until(told)
        assert said.startswith("listens on 127.0.0.1:")
        assert said.endswith(", not on the socket $CROSSFADE_SOCKET")
    finally:
        await runtime.stop("one", 0, TOKEN)


def test_a_socket_that_somebody_listens_on_is_not_swept(tmp_path: Path) -> None:
    """What runs without a record goes on being reached; what is left of a killed one goes."""
    sockets = Sockets(tmp_path / "s")
    kept, served, left = sockets.take(), sockets.take(), sockets.take()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(served)
        listening.listen()
        for path in (left, kept):
            with socket.socket(socket.AF_UNIX) as gone:
                gone.bind(path)
        sockets.sweep({kept})
    assert [Path(path).exists() for path in (kept, served, left)] == [True, True, False]


async def test_a_state_directory_that_lies_too_deep_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """A socket's path is 107 bytes at most."""
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    made = process_kit(deep)
    with pytest.raises(WrongInputError, match="107 is the most"):
        await made.release(made.adapter(), SERVES, listen_on="socket")
