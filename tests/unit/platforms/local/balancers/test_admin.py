"""What a question to Envoy ends with when nobody answers it."""

import asyncio
from pathlib import Path

import pytest
from tests.adapters.until import until

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.envoy.admin import Admin


async def test_questions_end_with_a_platform_error_when_envoy_is_replaced(tmp_path: Path) -> None:
    """Those that are being asked, and those that wait for their turn; none is cancelled, none waits on."""
    asked: list[asyncio.StreamWriter] = []

    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(never_answers, str(tmp_path / "admin.sock"))
    async with server, Admin(tmp_path) as admin:
        questions = [asyncio.create_task(admin.get("/stats")) for _ in range(6)]
        await until(lambda: len(asked) == 4)
        await admin.close()
        done, _ = await asyncio.wait(questions, timeout=5)
        assert len(done) == 6
        assert {type(question.exception()) for question in done} == {PlatformError}


async def test_who_is_cancelled_while_asking_is_cancelled(tmp_path: Path) -> None:
    """A task that somebody ends does not go on with an error instead."""
    server = await asyncio.start_unix_server(lambda *_: None, str(tmp_path / "admin.sock"))
    async with server, Admin(tmp_path) as admin:
        question = asyncio.create_task(admin.get("/stats"))
        await asyncio.sleep(0)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question


async def test_nobody_there_is_a_platform_error(tmp_path: Path) -> None:
    """And no answer."""
    async with Admin(tmp_path) as admin:
        with pytest.raises(PlatformError, match="does not answer"):
            await admin.get("/stats")
        assert not await admin.answers(1.0)
