"""The mark that every process of ours carries: its session's file in the environment, which all children inherit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.platforms.local.runtimes.processes import proc
from crossfade.platforms.local.runtimes.processes.proc import Process

NAME = "CROSSFADE_SESSION"
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


def carries(pid: int, session: Path, *, also: str = NAME) -> bool:
    """Did the process begin in this session, wherever it is by now? `also` is another name that counts as the mark."""
    return not {f"{name}={session}".encode() for name in (NAME, also)}.isdisjoint(proc.environment(pid).split(b"\0"))
