"""HAProxy's runtime API by the socket of its master, which reaches every worker, also those that only finish."""

import asyncio
import contextlib
import csv
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.haproxy.settings import MASTER, WORKER

_LIMIT = 5.0  # seconds for one answer
_TOLD = re.compile(r"^(New server registered|no need to change|IP changed|port changed)|changed from .* to ")
SOCKET = "unix"  # the address of a server that is a socket, whichever it is
_BACKENDS, _SERVERS = 2, 4  # of the kinds of things that `show stat` tells of
_PAYLOAD = 8192  # bytes of a map handed over at once: HAProxy reads a command into a buffer of 16 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process that answers requests. `old` ones were replaced and finish what they hold."""

    pid: int
    old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HaproxyServer:
    """An instance as one worker has it."""

    backend: str
    name: str
    address: str
    status: str  # UP, DOWN, MAINT, DRAIN, with `no check` where there is none
    check: str  # how its last health check went: L7OK; INI before the first
    checking: bool = False  # one is under way
    held: int  # requests and streams that it answers now

    @property
    def up(self) -> bool:
        return self.status.startswith(("UP", "no check"))

    @property
    def draining(self) -> bool:
        return self.status.startswith("DRAIN")

    @property
    def out(self) -> bool:
        """In maintenance, from where it may be removed."""
        return self.status.startswith("MAINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendTally:
    """How many requests came to their end in a backend, how many of them with a status, and with one of 500 and up."""

    ended: int
    answered: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """What a worker says of its instances, and of the requests in each backend."""

    servers: list[HaproxyServer]
    tallies: dict[str, BackendTally]
    rate: int  # requests in the last second, of the backend that has most


class RuntimeApi:
    """One question a connection. PlatformError when the master or a worker does not answer, or ends before it has."""

    def __init__(self, directory: Path) -> None:
        # A socket's path may be 107 bytes long and a state directory longer: it is reached through an open directory.
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        self._held: dict[int, asyncio.StreamWriter] = {}  # by pid

    async def workers(self) -> list[Worker]:
        """The current one first."""
        old, found = False, []
        for line in (await self._ask("show proc")).splitlines():
            if line.startswith("# old workers"):
                old = True
            words = line.split()
            if len(words) > 1 and words[1] == "worker":
                found.append(Worker(pid=int(words[0]), old=old))
        return found

    async def info(self, worker: Worker) -> dict[str, str]:
        """What it says of itself: its structure is its `description`."""
        said = await self.ask(worker, "show info")
        return dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)

    async def servers(self, worker: Worker) -> list[HaproxyServer]:
        return (await self.status(worker)).servers

    async def status(self, worker: Worker) -> WorkerStatus:
        said = await self.ask(worker, f"show stat -1 {_BACKENDS | _SERVERS} -1")
        rows = [row for row in csv.DictReader(said.lstrip("# ").splitlines()) if row["pxname"]]
        servers = [
            HaproxyServer(
                backend=row["pxname"],
                name=row["svname"],
                address=row["addr"],
                status=row["status"],
                check=row["check_status"].removeprefix("* "),
                checking=row["check_status"].startswith("* "),
                held=int(row["scur"] or 0),
            )
            for row in rows
            if row["svname"] != "BACKEND"
        ]
        backends = [row for row in rows if row["svname"] == "BACKEND"]
        return WorkerStatus(
            servers=servers,
            tallies={row["pxname"]: _tally(row) for row in backends},
            rate=max((int(row["rate"]) for row in backends), default=0),
        )

    async def streams(self, worker: Worker, backends: Iterable[str]) -> dict[tuple[str, str], int]:
        """WebSocket and event streams by backend and server."""
        found = {}
        for backend in backends:
            for line in (await self.ask(worker, f"show table {backend}")).splitlines():
                words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
                if "key" in words and int(words.get("conn_cur", 0)):
                    found[backend, words["key"]] = int(words["conn_cur"])
        return found

    async def map(self, worker: Worker, name: str) -> dict[str, str] | None:
        """Its entries; None when the worker does not use it: there is no port yet."""
        said = await self.ask(worker, f"show map {name}")
        rows = [line.split() for line in said.splitlines() if line.startswith("0x")]
        return None if said.startswith("Unknown map") else {row[1]: row[2] for row in rows}

    async def set_map(self, worker: Worker, name: str, text: str) -> None:
        """Replace the whole map in one step."""
        version = (await self.ask(worker, f"prepare map {name}")).split()[-1]
        for part in _parts(text):
            await self.act(worker, f"add map @{version} {name} <<\n{part}")
        await self.act(worker, f"commit map @{version} {name}")

    async def hold(self, worker: Worker) -> None:
        """Keep the current one from ending after its last answer once it is replaced, so that it can be asked about it.

        It waits for who is connected to it, but not for more than 10 s for one who says nothing.
        """
        with contextlib.suppress(OSError):
            _, self._held[worker.pid] = await asyncio.open_unix_connection(f"/proc/self/fd/{self._directory}/{WORKER}")

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def release(self, but: Collection[int]) -> None:
        """Let all go that are held but these, by pid."""
        for pid in self._held.keys() - set(but):
            self._held.pop(pid).close()

    async def act(self, worker: Worker, *commands: str) -> None:
        """Carry them out, one after the other. PlatformError in HAProxy's words when one is refused."""
        if not commands:
            return
        said = await self._ask("; ".join(f"@!{worker.pid} {command}" for command in commands), len(commands))
        refused = [line for line in said.splitlines() if line.strip() and not _TOLD.search(line)]
        if refused:
            raise PlatformError(f"HAProxy refused: {refused[0]}", "nothing was changed: the old routing runs")

    async def ask(self, worker: Worker, command: str) -> str:
        return await self._ask(f"@!{worker.pid} {command}")

    async def _ask(self, command: str, answers: int = 1) -> str:
        said = await self._said(command)
        if _ended(said) < answers:  # also after "Can't find the target PID"
            raise PlatformError(
                f"HAProxy ended before it answered `{command.splitlines()[0]}`",
                "its own log is haproxy.log beside its files",
            )
        return said

    async def _said(self, command: str) -> str:
        try:
            async with asyncio.timeout(_LIMIT):
                reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{self._directory}/{MASTER}")
                try:
                    writer.write(f"{command}\n".encode())
                    writer.write_eof()
                    return (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
        except (TimeoutError, OSError) as error:
            raise PlatformError(
                f"HAProxy does not answer: {error or type(error).__name__}",
                "its own log is haproxy.log beside its files",
            ) from error

    def close(self) -> None:
        self.release(but=())
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1


def _ended(said: str) -> int:
    """How many answers are whole: each ends with an empty line, and so does one that says nothing.

    A version and an empty line are one answer, two empty lines are two; a worker that is killed leaves none or a part.
    """
    return said.split("\n").count("") - 1


def _tally(row: Mapping[str, str]) -> BackendTally:
    ended = int(row["stot"]) - int(row["scur"])
    return BackendTally(ended=ended, answered=int(row["req_tot"] or 0), failed=int(row["hrsp_5xx"] or 0))


def _parts(text: str) -> Iterable[str]:
    """Whole lines, as many as fit; a payload ends with an empty one."""
    part = ""
    for line in text.splitlines(keepends=True):
        if part and len(part) + len(line) > _PAYLOAD:
            yield part
            part = ""
        part += line
    if part:
        yield part
