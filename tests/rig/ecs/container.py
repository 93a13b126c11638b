"""One container of a task: a process of this machine in a session of its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

_KEPT = ("HOME", "LANG", "PATH", "TMPDIR")  # of our own environment
_LOOK = 0.2  # seconds between two looks at how much memory it has
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KILLED = 128 + signal.SIGKILL


class Container:
    """`start` it once; `exit_code` is as ECS shows it: 137 for one that was killed."""

    def __init__(self, name: str, *, essential: bool, memory: int | None) -> None:
        """`memory` in MiB, above which it is killed."""
        self.name, self.essential, self.memory = name, essential, memory
        self.out_of_memory = False
        self._process: asyncio.subprocess.Process | None = None
        self._work: list[asyncio.Task[None]] = []

    async def start(
        self, command: tuple[str, ...], folder: str, environment: Mapping[str, str], heard: Callable[[str], None]
    ) -> None:
        """OSError when there is no such command. `heard` gets each line that it writes."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *command,
            env={**kept, **environment},
            cwd=folder or None,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._work = [asyncio.create_task(self._read(self._process, heard))]
        if self.memory:
            self._work.append(asyncio.create_task(self._watch_memory(self._process, self.memory)))

    @property
    def started(self) -> bool:
        return self._process is not None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        if self._process is None or self._process.returncode is None:
            return None
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    async def ended(self) -> None:
        """Until it has."""
        if self._process is not None:
            await self._process.wait()

    async def wait(self) -> None:
        """Until it has ended and all that it wrote was heard."""
        if self._process is not None:
            await self._process.wait()
            await self._work[0]

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109  of the container, as Docker calls it
        """SIGTERM, and SIGKILL `timeout` seconds later to all that is left of it."""
        if self._process is None:
            return
        if self.running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), timeout)
        self._signal(signal.SIGKILL)
        await self._process.wait()
        for task in self._work[1:]:
            task.cancel()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def _read(self, process: asyncio.subprocess.Process, heard: Callable[[str], None]) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line longer than the reader keeps
                continue
            if not line:
                return
            heard(line.decode(errors="replace").rstrip("\n"))

    async def _watch_memory(self, process: asyncio.subprocess.Process, most: int) -> None:
        while process.returncode is None:
            with contextlib.suppress(OSError, IndexError):
                if _resident(process.pid) > most * 2**20:
                    self.out_of_memory = True
                    self._signal(signal.SIGKILL)
            await asyncio.sleep(_LOOK)


def _resident(pid: int) -> int:
    """Bytes of memory. OSError when there is no such process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
