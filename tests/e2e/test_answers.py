"""What is one answer is no stream: the answer tells, not what the client would take."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.balancer_kits import routing, service
from tests.support.backend import Backend
from tests.support.edge import running_envoy, settled, target
from tests.support.wire import EVENTS, WEBSOCKET, stream

from crossfade.core.service import Service
from crossfade.engine.ports.balancer import LoadBalancer, Target

MCP = "POST {path} HTTP/1.1\nhost: x\naccept: application/json, text/event-stream\ncontent-length: 0\n"
GENERATE = "POST /events HTTP/1.1\nhost: x\naccept: application/json\ncontent-length: 0\n"  # asks in its body


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[tuple[LoadBalancer, Service, Backend]]:
    async with running_envoy(directory) as balancer, Backend("1") as backend:
        web = service()
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": backend.address}, 1)
        yield balancer, web, backend


async def holds(balancer: LoadBalancer, web: Service, wanted: Callable[[Target], bool]) -> Target:
    async with asyncio.timeout(60):
        while not wanted(found := await target(balancer, web, "a")):  # noqa: ASYNC110  Envoy decides
            await asyncio.sleep(0.02)
    return found


@pytest.mark.parametrize("path", ["/hold", "/begin"])
async def test_one_json_is_in_flight_though_its_client_would_take_events(tmp_path: Path, path: str) -> None:
    """Before its answer began, and while that is on its way: its drain waits for it."""
    async with serving(tmp_path) as (balancer, web, backend):
        reader, writer = await stream(web, MCP.format(path=path))
        found = await holds(balancer, web, lambda t: t.in_flight > 0)
        assert (found.in_flight, found.streams) == (1, 0)
        if path == "/begin":
            assert b" 200 " in await reader.readline()
            found = await target(balancer, web, "a")
            assert (found.in_flight, found.streams) == (1, 0)
        backend.gate.set()
        await holds(balancer, web, lambda t: t.in_flight == 0)
        writer.close()


@pytest.mark.parametrize("head", [EVENTS, GENERATE, MCP.format(path="/events"), WEBSOCKET])
async def test_an_answer_that_is_a_stream_is_one_whatever_its_client_said(tmp_path: Path, head: str) -> None:
    """It is counted while it is open, is no failure when it ends, and its client learns nothing of how it is told."""
    async with serving(tmp_path) as (balancer, web, _):
        reader, writer = await stream(web, head)
        answer = await reader.readuntil(b"\r\n\r\n")
        found = await holds(balancer, web, lambda t: t.streams > 0)
        assert (found.in_flight, found.streams) == (0, 1)
        assert b"x-crossfade" not in answer.lower()
        writer.close()
        await holds(balancer, web, lambda t: t.streams == 0)
        assert (await settled(balancer, web)).failed == ()


async def test_a_json_that_was_cut_is_a_failure_though_its_client_would_take_events(tmp_path: Path) -> None:
    """It was no stream, so its end was not for the instance to choose."""
    async with serving(tmp_path) as (balancer, web, _):
        reader, writer = await stream(web, MCP.format(path="/cut"))
        await reader.read()
        writer.close()
        assert dict((await settled(balancer, web)).failed) == {"truncated answer": 1}


async def test_what_comes_ahead_of_an_answer_is_no_request(tmp_path: Path) -> None:
    """An app's 103 completes a request for Envoy as its answer does: each was counted twice."""
    async with serving(tmp_path) as (balancer, web, _):
        for number in range(1, 4):
            reader, writer = await stream(web, "GET /hint HTTP/1.1\nhost: x\nconnection: close\n")
            assert b" 200 " in await reader.read()
            writer.close()
            assert (await settled(balancer, web)).total.requests == number


async def test_a_successor_of_envoy_knows_the_streams_that_are_opened_with_it(tmp_path: Path) -> None:
    """Those of its predecessor end with that, and are not taken for its own."""
    async with serving(tmp_path) as (balancer, web, _):
        _, first = await stream(web, EVENTS)
        await holds(balancer, web, lambda t: t.streams == 1)
        await balancer.restart()
        first.close()
        await holds(balancer, web, lambda t: t.streams == 0 and t.in_flight == 0)
        _, second = await stream(web, EVENTS)
        found = await holds(balancer, web, lambda t: t.streams + t.in_flight > 0)
        second.close()
        assert found.streams + found.in_flight == 1
