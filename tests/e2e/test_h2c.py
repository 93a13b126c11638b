"""Services that speak HTTP/2 without TLS: gRPC through Envoy, and what their health is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
from tests.contract.balancer_kits import routing, service
from tests.support.backend import Backend
from tests.support.edge import running_envoy, settled
from tests.support.ports import free_port

from crossfade.core.service import HealthCheck
from crossfade.platforms.local.probes import HttpProbe

CHECK = HealthCheck(interval=1.0, timeout=2.0, h2c=True)


@asynccontextmanager
async def shouting() -> AsyncIterator[str]:
    """A gRPC server that answers in capitals; its address."""

    async def shout(said: bytes, _: object) -> bytes:
        return said.upper()

    server = grpc.aio.server()
    methods = {"Shout": grpc.unary_unary_rpc_method_handler(shout)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Crowd", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_grpc_goes_through_with_its_trailers(tmp_path: Path) -> None:
    """The status of a call is in them: without, a client has no answer."""
    web = service(protocol="h2c", health=CHECK)
    async with running_envoy(tmp_path) as balancer, shouting() as address:
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": address}, 1)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{web.listener.http}") as channel:
            assert await channel.unary_unary("/Crowd/Shout")(b"hello", timeout=10) == b"HELLO"


async def test_requests_of_our_own_are_answered(tmp_path: Path) -> None:
    """A GET has no answer in gRPC: a good release was taken back for it wherever few visitors came."""
    web = service(protocol="h2c", health=CHECK)
    probe = HttpProbe()
    try:
        async with running_envoy(tmp_path) as balancer, shouting() as address:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": address}, 1)
            await probe.visit(f"http://127.0.0.1:{web.listener.http}{web.asked}", {}, 20, 5.0)
            traffic = await settled(balancer, web)
    finally:
        await probe.close()
    assert (traffic.total.requests, traffic.total.errors) == (20, 0)


async def test_an_instance_is_healthy_when_it_speaks_http_2() -> None:
    """Another one says what is wrong with it."""
    probe = HttpProbe()
    try:
        async with shouting() as address:
            assert await probe.ask(address, CHECK) == ""
        async with Backend("a") as plain:
            assert "protocol: h2c" in await probe.ask(plain.address, CHECK)
        assert "nothing listens" in await probe.ask(f"127.0.0.1:{free_port()}", CHECK)
    finally:
        await probe.close()
