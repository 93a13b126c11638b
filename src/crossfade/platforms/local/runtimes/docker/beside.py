"""A short command beside an instance, in its container: its health command. No thread waits for it."""

import asyncio
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.hook import SHOWN_LINES, TIMED_OUT
from crossfade.platforms.local.runtimes.processes.logs import spoken

if TYPE_CHECKING:
    from docker import DockerClient

BLOCK = 1 << 14
KEPT = 1 << 16  # bytes of what it wrote last
HEADER = 8  # bytes before each piece of output: the stream, three zeros, the length
# Docker can start a command in a container but not end it: it says first by which number it can be.
NUMBERED = 'echo $$; exec /bin/sh -c "$1"'
KILL = "kill -9 -{number} 2>/dev/null || kill -9 {number}"


async def run(daemon: Daemon, container: str, command: str, limit: float) -> HookResult:
    """Run it with the container's environment, folder and user; it ends with this call, `limit` seconds at most."""

    def begin(client: "DockerClient") -> tuple[str, socket.socket, Any]:
        words = ["/bin/sh", "-c", NUMBERED, "sh", command]
        begun = str(client.api.exec_create(container, words)["Id"])
        stream: Any = client.api.exec_start(begun, socket=True)
        return begun, getattr(stream, "_sock", stream), stream

    begun, raw, stream = await daemon.ask(begin)
    raw.settimeout(0)
    said = bytearray()
    with closing(stream):
        try:
            async with asyncio.timeout(limit):
                await _read(raw, said)
        except TimeoutError:
            number = said.partition(b"\n")[0].strip().decode()
            if number.isdecimal():
                await daemon.ask(lambda client: _kill(client, container, number))
            words = spoken(bytes(said.partition(b"\n")[2]), SHOWN_LINES)
            return HookResult(code=TIMED_OUT, output=f"{words}\ntimed out after {limit:g} s".strip())
    code = await daemon.ask(lambda client: client.api.exec_inspect(begun)["ExitCode"])
    return HookResult(code=code, output=spoken(bytes(said.partition(b"\n")[2]), SHOWN_LINES))


async def _read(raw: socket.socket, said: bytearray) -> None:
    """All that it writes, without the headers between; of much only the number in its first line, and the end."""
    loop, frames = asyncio.get_running_loop(), bytearray()
    while more := await loop.sock_recv(raw, BLOCK):
        frames += more
        while len(frames) >= HEADER and len(frames) >= (end := HEADER + int.from_bytes(frames[4:HEADER], "big")):
            said += frames[HEADER:end]
            del frames[:end]
        if len(said) > 2 * KEPT:
            first = said.index(b"\n") + 1
            del said[first:-KEPT]


def _kill(client: "DockerClient", container: str, number: str) -> None:
    words = ["/bin/sh", "-c", KILL.format(number=number)]
    client.api.exec_start(client.api.exec_create(container, words)["Id"], detach=True)
