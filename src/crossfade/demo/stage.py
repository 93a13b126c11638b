"""Where the demo happens: a temporary home of its own, in which verbs run as from a shell."""

import asyncio
import contextlib
import json
import os
import runpy
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.demo.verbs import Ran, Told, Verbs

APP = "feedback"
PORTS = range(18_000, 20_000)  # below those the kernel gives to clients
ENDING = 5.0  # seconds in which a process that was told to end is gone
GENTLE = 20.0  # seconds for a gentle end after Ctrl-C


@dataclass(slots=True, kw_only=True)
class Stage:
    """`folder` holds everything: state, source tree, database. Nothing outside it is touched."""

    folder: Path
    port: int
    said: Callable[[str], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def write(self, version: str, *, timeout: str = "60s") -> None:
        """Make the source tree that of `version`, as a developer's next commit would."""
        materialise = runpy.run_path(str(examples() / APP / "materialise.py"))["materialise"]
        source = self.folder / APP
        source.mkdir(exist_ok=True)
        materialise(version, source)
        with (source / "crossfade.yaml").open("a", encoding="utf-8") as file:
            file.write(  # the file ends with its environments
                "  demo:\n"
                f"    listen: {{http: {self.port}, host: 127.0.0.1}}\n"
                "    services:\n"
                "      web:\n"
                f"        env: {{DATABASE_PATH: {json.dumps(str(self.folder / 'feedback.db'))}}}\n"
                f"        deploy: {{bake: 3s, keep_previous: 5m, timeout: {timeout}}}\n"
            )

    async def verb(self, *words: str, told: Told | None = None) -> Ran:
        """Run `crossfade WORDS --json` to its end; every event goes to `told`, what it says aside is said."""
        verbs = Verbs(folder=self.folder / APP, environment=self._environment(), said=self.said)
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
        shutil.rmtree(self.folder, ignore_errors=True)


def set_up(said: Callable[[str], None]) -> Stage:
    """A new stage, of which nothing runs yet."""
    folder = Path(tempfile.mkdtemp(prefix="crossfade-demo-"))
    return Stage(folder=folder, port=_free_port(), said=said)


def examples() -> Path:
    """The examples of the repository when this is a checkout, else those that came with the package."""
    package = Path(__file__).parents[1]
    places = (package.parents[1] / "examples", package / "_examples")
    found = next((place for place in places if (place / APP / "crossfade.yaml").exists()), None)
    if found is None:
        raise WrongInputError("this installation has no examples", "install crossfade from its wheel or repository")
    return found


def _free_port() -> int:
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
