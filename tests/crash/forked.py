"""A process of a program that is loaded already: hundreds of them start without half a second of imports each."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")


class Forked:
    """A function running in a process and a session of its own; what it writes is appended to `log`."""

    def __init__(self, run: Callable[..., None], *arguments: object, log: Path) -> None:
        _FORKS.set_forkserver_preload([run.__module__])
        self._process = _FORKS.Process(target=_alone, args=(run, arguments, log))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.pid is not None:
            os.kill(self._process.pid, number)

    def wait(self, timeout: float) -> int:
        """How it ended. TimeoutError when it runs longer than that."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"pid {self._process.pid} still runs after {timeout} s")
        return self._process.exitcode


def _alone(run: Callable[..., None], arguments: tuple[object, ...], log: Path) -> None:
    os.setsid()
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    run(*arguments)
