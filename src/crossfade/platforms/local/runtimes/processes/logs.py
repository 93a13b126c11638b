"""The log files of processes: written by them, read, shortened and thrown away by us."""

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.logs import Said, Writer, writer_of
from crossfade.platforms.local.runtimes.processes.times import Times
from crossfade.telling.traces import telling

KEPT_FILES = 20  # a service, and as many again of its jobs' runs
RUN = "job-"  # begins the names of those
FULL_BYTES = 50 << 20  # a log that reaches this size is shortened ...
KEPT_BYTES = 10 << 20  # ... to a new start, and this much of its end is kept beside it as `.old`
BLOCK = 1 << 16
LONGEST = 1 << 20  # bytes of a line: what a program writes without ever ending one is shown in such pieces
# What a terminal acts on: CSI sequences such as colours, OSC sequences such as titles, and other control characters.
SEQUENCES = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
SHOWN = 200  # characters of a last line
NEWEST = 5  # builds, hooks and runs that are shown where nobody says since when


class ProcessLogs:
    """`<directory>/<app>/<service>/<instance>.log`, with those of builds and hooks beside them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.times = Times()

    def folder(self, service: str) -> Path:
        folder = self._directory / service
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def path(self, service: str, name: str) -> Path:
        return self.folder(service) / f"{name.replace('/', '%2F')}.log"

    def find(self, service: str, instance: str) -> Path:
        """The log of an instance that runs or ran; WrongInputError names those there are."""
        path = self.path(service, instance)
        if path.exists():
            return path
        there = ", ".join(log.stem for log in self._newest_first(service)) or "none"
        raise WrongInputError(f"there is no log of {instance} of {service}", f"it has logs of: {there}")

    def latest(self, service: str) -> list[str]:
        """The name that was written last, if there is any."""
        return [log.stem for log in self._newest_first(service)[:1]]

    def of(self, service: str, writers: Collection[Writer], since: float | None) -> list[str]:
        """Whose logs are kept of these writers: those that were written since then, else the newest."""
        logs = [log for log in self._newest_first(service) if writer_of(log.stem, service) in writers]
        if since is None:
            return [log.stem for log in logs[:NEWEST]]
        return [log.stem for log in logs if log.stat().st_mtime >= since]

    def read(self, service: str, name: str, *, lines: int, since: float | None = None) -> tuple[list[Said], int]:
        """The last lines of a log, those since then where that is given, and where reading goes on."""
        path = self.path(service, name)
        found, position = tail(path, lines)
        begin = position - sum(len(line) for line in found)
        said = [Said(at, name, line) for at, line in self._stamped(path, found, begin)]
        return [one for one in said if since is None or one.at >= since], position

    def read_on(self, service: str, name: str, position: int) -> tuple[list[Said], int]:
        """The complete lines after `position`, and where reading goes on."""
        path = self.path(service, name)
        found, after = since(path, position)
        begin = after - sum(len(line) for line in found)
        return [Said(at, name, line) for at, line in self._stamped(path, found, begin)], after

    def look_after(self, log: Path) -> None:
        """Keep a log that is written just now within its size, and remember when it grew."""
        shorten(log)
        self.times.mark(log)

    def _stamped(self, log: Path, lines: Iterable[bytes], begin: int) -> Iterable[tuple[float, str]]:
        when = self.times.of(log)
        for line in lines:
            begin += len(line)
            yield when(begin), line.decode(errors="replace").rstrip("\r\n")

    def prune(self, service: str, in_use: Iterable[str]) -> None:
        """Keep the newest files, and those that an instance still writes."""
        kept = {self.path(service, name) for name in in_use}
        others = [log for log in self._newest_first(service) if not log.name.startswith(RUN)]
        self._remove(log for log in others[KEPT_FILES:] if log not in kept)

    def prune_runs(self, service: str) -> None:
        """The same for runs of jobs: a job of every minute would push out all else."""
        self._remove([log for log in self._newest_first(service) if log.name.startswith(RUN)][KEPT_FILES:])

    def _newest_first(self, service: str) -> list[Path]:
        return sorted(self.folder(service).glob("*.log"), key=lambda log: log.stat().st_mtime, reverse=True)

    def _remove(self, logs: Iterable[Path]) -> None:
        for log in logs:
            log.unlink(missing_ok=True)
            log.with_suffix(".old").unlink(missing_ok=True)
            self.times.forget(log)


def shorten(log: Path) -> None:
    """Start a log anew that grew too big. It is opened for appending, so its writer goes on at the new end.

    What is written between our reading and our cutting is lost: microseconds, once in 50 MB.
    """
    try:
        if log.stat().st_size < FULL_BYTES:
            return
    except FileNotFoundError:
        return
    old = log.with_suffix(".old")
    try:
        with log.open("rb") as file:
            file.seek(-KEPT_BYTES, os.SEEK_END)
            old.write_bytes(file.read())
    except OSError:  # the disk is full: then space matters more than old lines
        old.unlink(missing_ok=True)
    os.truncate(log, 0)


def tail(log: Path, lines: int) -> tuple[list[bytes], int]:
    """The last complete lines, and the position after them: there reading goes on. Nothing when there is no log."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            position, found, blocks = end, 0, list[bytes]()
            while position > 0 and end - position < FULL_BYTES and found <= lines:
                size = min(BLOCK, position)
                position = file.seek(position - size)
                blocks.append(file.read(size))
                found += blocks[-1].count(b"\n")
    except FileNotFoundError:
        return [], 0
    data = b"".join(reversed(blocks))
    whole = data[: _complete(data)]
    return _lines(whole)[-lines:] if lines > 0 else [], end - len(data) + len(whole)


def since(log: Path, position: int) -> tuple[list[bytes], int]:
    """The complete lines after `position`, and the next one; a log that was shortened is read from its new start."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(position if position <= size else 0)
            start = file.tell()
            data = file.read(KEPT_BYTES)
    except FileNotFoundError:
        return [], 0
    whole = data[: _complete(data)]
    return _lines(whole), start + len(whole)


def last_words(log: Path, lines: int = 1) -> str:
    """The last lines that say something, without colours and what else a terminal acts on, complete or not.

    Of one line it is the one that says why: see `telling`.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - BLOCK))
            return spoken(file.read(), lines)
    except FileNotFoundError:
        return ""


def spoken(data: bytes, lines: int) -> str:
    """The last lines of `data` that are not empty, without colours and the like; of one the one that says why."""
    said = [clean for line in _text(data) if (clean := SEQUENCES.sub("", line).rstrip())]
    return telling(said)[:SHOWN] if lines == 1 else "\n".join(line[:SHOWN] for line in said[-lines:])


def _complete(data: bytes) -> int:
    """The length of the lines that came to their end, and of the pieces of one that does not."""
    end = data.rfind(b"\n") + 1
    return end + (len(data) - end) // LONGEST * LONGEST


def _lines(data: bytes) -> list[bytes]:
    """Each with its end, which only a line feed is; longer ones than `LONGEST` in pieces."""
    *ended, rest = data.split(b"\n")
    whole = [*(line + b"\n" for line in ended), rest]
    return [line[at : at + LONGEST] for line in whole for at in range(0, len(line), LONGEST)]


def _text(data: bytes) -> list[str]:
    return [line.rstrip("\r") for line in data.decode(errors="replace").removesuffix("\n").split("\n")] if data else []
