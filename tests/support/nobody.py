"""Doing something as a user who may do little, also where the tests run as root."""

import codecs
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NOBODY = 65534


def as_nobody(work: Callable[[], object]) -> str:
    """Run `work` in a child process without privileges: the message of what it raised, empty when nothing."""
    codecs.lookup("ascii")  # Python's own files may be root's alone, and what it has not loaded by now it cannot load
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        message = ""
        try:
            _become_nobody()
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, the parent is told
            message = str(error) or repr(error)
        finally:
            os.write(writer, message.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        message = said.read()
    os.waitpid(child, 0)
    return message


@contextmanager
def beside_nobody(work: Callable[[], object]) -> Iterator[int]:
    """A process of such a user that has done `work` and stays until the end of the block: its pid."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            _become_nobody()
            work()
            os.write(writer, b"!")
            signal.pause()
        finally:
            os._exit(1)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as said:
            assert said.read(1) == b"!"
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
