"""A state directory that was copied, with a balancer in both: the one that serves knows nothing of it."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.contract.balancer_kits import fetch, kit, routing, service
from tests.support.backend import Backend

from crossfade.platforms.local.balancers.known import working_in


@pytest.mark.parametrize(
    "name", ["envoy", *(pytest.param(name, marks=pytest.mark.long) for name in ("haproxy", "nginx"))]
)
async def test_a_copy_leaves_the_original_its_process_and_its_port(tmp_path: Path, name: str) -> None:
    """Its record names a process that is not its own; a port that it shared would give it half of the clients. It takes
    new routings meanwhile, and opens the door with them once nobody else has the port.
    """
    original, copy = tmp_path / "original" / "balancer", tmp_path / "copy" / "balancer"
    web = service()
    url = f"http://127.0.0.1:{web.listener.http}/"
    connector = aiohttp.TCPConnector(force_close=True)
    async with Backend("original") as one, Backend("later") as two, aiohttp.ClientSession(connector=connector) as http:
        async with kit(name, original) as made:
            await made.balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            first = min(working_in(original), key=lambda known: known.started)  # others may be about to end
            copied = await asyncio.create_subprocess_exec("cp", "-a", original.parent, copy.parent)  # sockets, too
            assert await copied.wait() == 0
            beside = type(made.balancer)(copy, TokenFence())  # type: ignore[call-arg]
            try:
                await beside.ensure()
                (told,) = beside.complaints()  # type: ignore[attr-defined]
                assert f"port {web.listener.http} is in use by" in told
                assert [(await fetch(http, url)).body for _ in range(20)] == ["original"] * 20
                assert first in working_in(original)
                await beside.apply(web, routing({1: 100}, {1: "b"}), {"b": two.address}, 2)
                mine = working_in(copy)
                await beside.ensure()
                assert set(working_in(copy)) <= set(mine)  # nothing is loaded anew for a door that stays shut
                assert [(await fetch(http, url)).body for _ in range(20)] == ["original"] * 20
                await made.balancer.shutdown()
                await beside.ensure()
                assert not beside.complaints()  # type: ignore[attr-defined]
                assert (await fetch(http, url)).body == "later"
            finally:
                await beside.shutdown()
                await beside.close()
        assert working_in(copy) == []
