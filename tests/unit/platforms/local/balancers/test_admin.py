"""What a question to Envoy ends with when nobody answers it."""

import asyncio
import os
import resource
from contextlib import suppress
from pathlib import Path

import pytest
from tests.adapters.until import until

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.envoy.admin import Admin, UnableError
from crossfade.platforms.local.balancers.known import KnownProcess


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


async def test_who_asks_while_a_connection_is_closed_gets_another(tmp_path: Path) -> None:
    """The one that closes takes no question any more; the next is asked on a new one."""

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    server = await asyncio.start_unix_server(answers, str(tmp_path / "admin.sock"))
    async with server, Admin(tmp_path) as admin:
        for _ in range(20):
            assert await admin.get("/ready") == "hi"
            closing = asyncio.create_task(admin.close())
            await asyncio.sleep(0)
            assert await admin.get("/ready") == "hi"
            await closing


async def test_who_is_cancelled_while_asking_is_cancelled(tmp_path: Path) -> None:
    """A task that somebody ends does not go on with an error instead."""
    server = await asyncio.start_unix_server(lambda *_: None, str(tmp_path / "admin.sock"))
    async with server, Admin(tmp_path) as admin:
        question = asyncio.create_task(admin.get("/stats"))
        await asyncio.sleep(0)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question


async def test_who_has_no_file_left_to_ask_with_says_nothing_about_envoy(tmp_path: Path) -> None:
    """Neither that it answers nor that it is silent: one that is taken to hang is killed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with Admin(tmp_path) as admin:
        open_ = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  numbers
        taken, us = [], KnownProcess.of(os.getpid())  # asks for a file itself
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, open_ - 1), hard))
            with suppress(OSError):
                while True:
                    taken.append(os.open("/dev/null", os.O_RDONLY))
            for question in (admin.answers(1.0), admin.ready()):
                with pytest.raises(UnableError, match="cannot be asked"):
                    await question
            for look in (lambda: us.running, lambda: us.lives):
                with pytest.raises(OSError, match="Too many open files"):
                    look()
        finally:
            for file in taken:
                os.close(file)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_nobody_there_is_a_platform_error(tmp_path: Path) -> None:
    """And no answer. That its socket is gone, which somebody removed while it runs, has a way out."""
    async with Admin(tmp_path) as admin:
        with pytest.raises(PlatformError, match="does not answer") as refused:
            await admin.get("/stats")
        assert "its socket admin.sock is gone" in refused.value.way_out
        assert "crossfade up --balancer-restart" in refused.value.way_out
        assert not await admin.answers(1.0)
