"""The mark that every process of ours carries: its session's file in the environment, which all children inherit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.paths import SESSION
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process

NAME = SESSION
_APP, _SERVICE = b"CROSSFADE_APP", b"CROSSFADE_SERVICE"


@dataclass(frozen=True, slots=True)
class Marked:
    """A process of ours: the file of the session it began in, and the `app/service` it works for, if it says so."""

    process: Process
    session: Path
    service: str


def marked(below: Path) -> Iterator[Marked]:
    """All running processes whose session is recorded below this folder."""
    for process in proc.everyone():
        environment = proc.environment(process.pid)
        if NAME.encode() not in environment or process.pid == os.getpid():
            continue
        pairs = (pair.partition(b"=") for pair in environment.split(b"\0"))
        names = {name: value for name, _, value in pairs}
        session = Path(os.fsdecode(names.get(NAME.encode(), b"")))
        if session.is_relative_to(below):
            app, service = (names.get(name, b"").decode(errors="replace") for name in (_APP, _SERVICE))
            yield Marked(process, session, f"{app}/{service}" if app and service else "")


def carried(pid: int, *names: str) -> Iterator[str]:
    """The files of the sessions that a process began in, by these names of the mark, wherever it is by now."""
    environment = proc.environment(pid)
    for name in names:
        mark = f"{name}=".encode()
        if mark in environment:
            yield from (os.fsdecode(p.removeprefix(mark)) for p in environment.split(b"\0") if p.startswith(mark))
