"""Lines of several services as one answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from crossfade.controller.api.streams import as_they_come
from crossfade.core.errors import PlatformError
from crossfade.engine.ports.logs import Said


async def says(*lines: str) -> AsyncIterator[Said]:
    for line in lines:
        yield Said(0.0, "web", line)


async def fails() -> AsyncIterator[Said]:
    await asyncio.sleep(0)
    raise PlatformError("the log is gone")
    yield


async def test_following_ends_where_nobody_has_any_more_to_come() -> None:
    """Files of a site write one line and no more: who follows them alone gets an answer that ends."""
    async with asyncio.timeout(60):
        found = [said.line async for _, said in as_they_come({"shop/site": says("a"), "shop/web": says("b", "c")})]
    assert sorted(found) == ["a", "b", "c"]


async def test_trouble_with_one_is_told() -> None:
    """Its lines would be missing otherwise, and nobody would know."""
    with pytest.raises(PlatformError, match="the log is gone"):
        async with asyncio.timeout(60):
            _ = [said async for said in as_they_come({"shop/site": says("a"), "shop/web": fails()})]
