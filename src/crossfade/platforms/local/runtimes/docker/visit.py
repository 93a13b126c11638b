"""A person's command in a container, on the terminal of who asked: attached, sized like it, and its exit code.

The container is made by the controller, so that no value of a secret comes here; here it is only attached to.
"""

import os
import select
import shutil
import signal
import socket
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import PlatformError

if TYPE_CHECKING:
    from docker import APIClient

BLOCK = 1 << 14
HEADER = 8  # bytes before each piece of output where there is no terminal: the stream, three zeros, the length
STDERR = 2
WHOLE_DAY = 86_400  # seconds that a command may be silent


def attach(container: str) -> int:
    """Start a container that was made for this, be its terminal, and return its exit code."""
    with _daemon() as api:
        interactive = bool(api.inspect_container(container)["Config"]["Tty"])
        ends = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        stream = _raw(api.attach_socket(container, params=ends))
        try:
            api.start(container)
            for number in (signal.SIGTERM, signal.SIGHUP):  # we are told to end: so is what runs for us
                signal.signal(number, lambda told, _: api.kill(container, told))
            _be_its_terminal(
                stream,
                interactive=interactive,
                resize=lambda height, width: api.resize(container, height, width),
                interrupt=lambda: api.kill(container, "SIGINT"),
            )
            return int(api.wait(container)["StatusCode"])
        finally:  # also where nobody reads any more what it says, as in `| head`: it would run on for ever
            api.remove_container(container, force=True)


def execute(container: str, words: Sequence[str], *, interactive: bool) -> int:
    """Run a command in a container that runs, on this terminal, and return its exit code."""
    with _daemon() as api:
        begun = api.exec_create(container, list(words), stdin=True, tty=interactive)["Id"]
        stream = _raw(api.exec_start(begun, tty=interactive, socket=True))
        _be_its_terminal(
            stream,
            interactive=interactive,
            resize=lambda height, width: api.exec_resize(begun, height, width),
            interrupt=stream.close,
        )
        return int(api.exec_inspect(begun)["ExitCode"] or 0)


@contextmanager
def _daemon() -> "Iterator[APIClient]":
    import docker  # noqa: PLC0415  150 ms that only those pay who run containers
    import docker.errors  # noqa: PLC0415
    import requests  # noqa: PLC0415

    try:
        client = docker.from_env(timeout=WHOLE_DAY)
        with closing(client):
            yield client.api
    except docker.errors.APIError as error:
        raise PlatformError(f"Docker refused: {error.explanation or error}", "see: docker ps -a") from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise PlatformError(f"Docker cannot be reached: {error}", "does it run, and may you use it?") from error


def _raw(stream: Any) -> socket.socket:
    """The connection itself below what the SDK wraps around it."""
    raw: socket.socket = getattr(stream, "_sock", stream)
    raw.settimeout(None)
    return raw


def _be_its_terminal(
    stream: socket.socket,
    *,
    interactive: bool,
    resize: Callable[[int, int], None],
    interrupt: Callable[[], None],
) -> None:
    """Pass on what is typed and what it says until it ends."""

    def sized(*_: Any) -> None:
        columns, lines = shutil.get_terminal_size()
        with suppress(Exception):  # it may have ended
            resize(lines, columns)

    if not interactive:
        signal.signal(signal.SIGINT, lambda *_: interrupt())
        _pass_on(stream, _framed(stream))
        return
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)  # Ctrl-C is a byte like any other, for the terminal over there to act on
        signal.signal(signal.SIGWINCH, sized)
        sized()
        _pass_on(stream, _plain(stream))
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _pass_on(stream: socket.socket, output: Iterator[tuple[int, bytes]]) -> None:
    typed = True  # there may be more
    while True:
        ends: list[int | socket.socket] = [stream, 0] if typed else [stream]
        ready = select.select(ends, [], [])[0]
        if 0 in ready:
            sent = os.read(0, BLOCK)
            typed = bool(sent)
            with suppress(OSError):
                stream.sendall(sent) if sent else stream.shutdown(socket.SHUT_WR)
        if stream in ready:
            said = next(output, None)
            if said is None:
                return
            file = sys.stderr if said[0] == STDERR else sys.stdout
            file.buffer.write(said[1])
            file.buffer.flush()


def _plain(stream: socket.socket) -> Iterator[tuple[int, bytes]]:
    with suppress(OSError):
        while said := stream.recv(BLOCK):
            yield 1, said


def _framed(stream: socket.socket) -> Iterator[tuple[int, bytes]]:
    with suppress(OSError):
        while header := _exactly(stream, HEADER):
            yield header[0], _exactly(stream, int.from_bytes(header[4:], "big"))


def _exactly(stream: socket.socket, size: int) -> bytes:
    """So many bytes; nothing when it ended before."""
    read = b""
    while len(read) < size:
        more = stream.recv(size - len(read))
        if not more:
            return b""
        read += more
    return read
