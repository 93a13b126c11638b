"""A person's command where instances are: their environment, its own exit code, and a terminal where there is one."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest
from tests.adapters.until import until
from tests.contract import runtime_kits as kits
from tests.contract.runtime_kits import Kit

from crossfade.engine.ports.runtime import Runtime
from crossfade.engine.ports.seats import Seat, Seats

TOKEN = 1
SOON = 20.0
SIT = """import json, sys
from crossfade.platforms.local.terminal import take_place
told = json.load(open(sys.argv[1]))
sys.exit(take_place(told["seat"], told["words"]))
"""


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.long)])
async def kit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    if request.param == "docker" and (why := kits.docker_is_missing()):
        pytest.skip(why)
    made = {"process": kits.process_kit, "docker": kits.docker_kit}[request.param](tmp_path)
    yield made
    runtime = made.adapter()
    for instance in await runtime.instances(f"{made.app}/web"):
        await runtime.stop(instance.id, 0, made.fence.newest)
    await runtime.close()
    made.clear()


def told(tmp_path: Path, seat: Seat, words: Sequence[str]) -> list[str]:
    """How the command line sits down: what it was given is in a file, as it would be in an answer."""
    file = tmp_path / "seat.json"
    file.write_text(json.dumps({"seat": asdict(seat), "words": list(words)}))
    return [sys.executable, "-c", SIT, str(file)]


async def seated(kit: Kit, runtime: Runtime, words: Sequence[str], instance: str = "", **how: Any) -> Seat:
    release = await kit.release(runtime, number=3, env=(("COLOUR", "green"),))
    if instance:
        await runtime.launch(instance, release, {"PASSWORD": "s3cret"}, TOKEN)

        async def runs() -> bool:
            return any(not one.exited for one in await runtime.instances(f"{kit.app}/web"))

        await until(runs)
    return await cast(Seats, runtime).seat(
        release, {"PASSWORD": "s3cret"}, words, instance, interactive=how.get("interactive", False)
    )


@pytest.mark.parametrize("beside", [False, True])
async def test_a_command_has_the_releases_environment_and_its_own_exit_code(
    kit: Kit, tmp_path: Path, *, beside: bool
) -> None:
    """In a seat of its own, and beside an instance; what is piped in reaches it, and its end is passed on."""
    runtime, instance = kit.adapter(), kit.id() if beside else ""
    words = ["/bin/sh", "-c", 'echo "$COLOUR $PASSWORD $CROSSFADE_INSTANCE"; cat; echo oops >&2; exit 7']
    seat = await seated(kit, runtime, words, instance)
    done = await asyncio.to_thread(
        subprocess.run, told(tmp_path, seat, words), input="piped\n", capture_output=True, text=True, timeout=SOON
    )
    assert (done.returncode, done.stderr) == (7, "oops\n")
    assert done.stdout.splitlines() == [f"green s3cret {instance}", "piped"]


async def test_on_a_terminal_it_has_a_terminal(kit: Kit, tmp_path: Path) -> None:
    """It says so, and Ctrl-C reaches it and not who passes it on."""
    runtime = kit.adapter()
    words = ["/bin/sh", "-c", "trap 'echo caught; exit 5' INT; test -t 0 && echo terminal; while :; do sleep 0.1; done"]
    seat = await seated(kit, runtime, words, interactive=True)
    ours, theirs = pty.openpty()
    process = _on(theirs, told(tmp_path, seat, words))
    os.close(theirs)
    try:
        async with asyncio.timeout(SOON):
            await asyncio.to_thread(_read_until, ours, b"terminal")
            os.write(ours, b"\x03")
            await asyncio.to_thread(_read_until, ours, b"caught")
        assert await asyncio.to_thread(process.wait, SOON) == 5
    finally:
        process.kill()
        os.close(ours)


@pytest.mark.parametrize("told_to", [signal.SIGTERM, signal.SIGHUP])
async def test_it_ends_with_who_asked_for_it(kit: Kit, tmp_path: Path, told_to: signal.Signals) -> None:
    """A job of CI that is cancelled, or a terminal that is closed, leaves nothing running that nobody knows of."""
    runtime = kit.adapter()
    words = ["/bin/sh", "-c", f"trap 'echo told; exit 9' {told_to.name[3:]}; echo begun; while :; do sleep 0.1; done"]
    seat = await seated(kit, runtime, words)
    process = _piped(told(tmp_path, seat, words))
    assert process.stdout
    try:
        assert await asyncio.to_thread(process.stdout.readline) == "begun\n"
        process.send_signal(told_to)
        assert await asyncio.to_thread(process.stdout.readline) == "told\n"
        assert await asyncio.to_thread(process.wait, SOON) == 9
    finally:
        process.kill()
        process.stdout.close()
    assert _left(seat) == []


async def test_nobody_that_listens_ends_it(kit: Kit, tmp_path: Path) -> None:
    """As in `crossfade run -- ... | head -1`, whatever there is still to say."""
    runtime = kit.adapter()
    words = ["/bin/sh", "-c", "while :; do echo more; done"]
    seat = await seated(kit, runtime, words)
    process = _piped(told(tmp_path, seat, words))
    assert process.stdout
    try:
        assert await asyncio.to_thread(process.stdout.readline) == "more\n"
        process.stdout.close()
        await asyncio.to_thread(process.wait, SOON)
    finally:
        process.kill()
    assert _left(seat) == []


def _piped(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def _left(seat: Seat) -> list[str]:
    """Names of containers that were made for it and are still there."""
    if not seat.container:
        return []
    asked = ["docker", "ps", "--all", "--no-trunc", "--quiet", "--filter", f"id={seat.container}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def _on(terminal: int, command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=_take_the_terminal,  # noqa: PLW1509  before any other thread is begun
    )


def _take_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(terminal: int, word: bytes) -> None:
    said = b""
    while word not in said:
        said += os.read(terminal, 1024)
