"""Waiting in tests: bounded, and for what happens outside of this event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(question: Callable[[], T | Awaitable[T]], seconds: float = 60.0) -> T:
    """Ask again and again until the answer is something true, and return it; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            answer = question()
            found = await answer if isinstance(answer, Awaitable) else answer
            if found:
                return found
            await asyncio.sleep(0.02)
