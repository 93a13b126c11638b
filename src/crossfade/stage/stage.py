"""A temporary home in which verbs run as from a shell, and of which nothing is left."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade import held
from crossfade.core.errors import PlatformError
from crossfade.removal import remove
from crossfade.stage.verbs import Ran, Told, VerbRunner

PORTS = range(18_000, 20_000)  # below those the kernel gives to clients
ENDING = 5.0  # seconds in which a process that was told to end is gone
GENTLE = 20.0  # seconds for a gentle end after Ctrl-C


@dataclass(slots=True, kw_only=True)
class Stage:
    """`folder` holds everything: state, source trees, databases. Nothing outside it is touched. Verbs run in `home`."""

    folder: Path
    port: int
    said: Callable[[str], None]

    @property
    def home(self) -> Path:
        return self.folder

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    async def verb(self, *words: str, told: Told | None = None) -> Ran:
        """Run `crossfade WORDS --json` to its end; every event goes to `told`, what it says aside is said."""
        verbs = VerbRunner(folder=self.home, environment=self._environment(), said=self.said)
        return await verbs.run(*words, told=told)

    def _environment(self) -> dict[str, str]:
        """The user's own, with our interpreter first: `python -m feedback` must find what this one has."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return os.environ | {"CROSSFADE_STATE": str(self.state), "PATH": path, "PYTHONUNBUFFERED": "1"}

    def kill_controller(self) -> None:
        """Kill -9, as the kernel does when memory is short."""
        os.kill(int((self.state / "controller.lock").read_text(encoding="ascii")), signal.SIGKILL)

    def left(self) -> list[int]:
        """Processes that belong to this stage: its unique folder is in their command, environment or directory."""
        mark = os.fsencode(self.folder)
        return [pid for pid in _processes() if pid != os.getpid() and any(mark in trace for trace in _traces(pid))]

    async def emptied(self) -> list[int]:
        """What is still left when those that are about to end have had their time."""
        end = time.monotonic() + ENDING
        while (left := self.left()) and time.monotonic() < end:  # noqa: ASYNC110  other processes decide
            await asyncio.sleep(0.05)
        return left

    async def clear(self) -> None:
        """Stop everything, gently if that works, and leave nothing: no process, no file."""
        if (self.state / "journal.db").exists() and self.left():
            with contextlib.suppress(PlatformError, OSError, ValueError, TimeoutError):
                async with asyncio.timeout(GENTLE):
                    await self.verb("down", "--all", "--force")
        for _ in range(50):
            left = self.left()
            if not left:
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.1)
        remove(self.folder)


def new_folder(name: str) -> Path:
    """A folder for the stage called `name`, under a name that nothing else has. It is ours until this process ends."""
    return held.made(_prefix(name), Path(tempfile.gettempdir()))[0]


async def clear_deserted(name: str) -> list[Path]:
    """Clear stages called `name` whose process was killed: what runs of them, their files and the secrets in these."""
    cleared = []
    for folder in held.deserted(_prefix(name), Path(tempfile.gettempdir())):
        await Stage(folder=folder, port=0, said=lambda _: None).clear()
        cleared.append(folder)
    return cleared


def _prefix(name: str) -> str:
    return f"crossfade-{name}-"


def free_port() -> int:
    """One that nobody listens on, outside those that the kernel gives away."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise PlatformError(f"no port from {PORTS.start} to {PORTS.stop} is free", "stop something that listens there")


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _traces(pid: int) -> Iterator[bytes]:
    """What a process says of itself; nothing of others' and of those that ended meanwhile."""
    home = Path("/proc", str(pid))
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            yield (home / name).read_bytes()
    with contextlib.suppress(OSError):
        yield os.fsencode((home / "cwd").readlink())
