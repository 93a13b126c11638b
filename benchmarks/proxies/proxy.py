"""What the benchmark of switches needs of a proxy."""

import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from benchmarks.children import BrokenError, child, free_port, listening

RELEASES = ("1", "2")


class Proxy(ABC):
    """Sends everything that comes to `port` to one of two releases; to release 1 at first."""

    name: ClassVar[str]
    how: ClassVar[str]  # the switch is made, in a few words

    def __init__(self, place: Path, origins: Mapping[str, int]) -> None:
        self.place = place
        self.origins = origins
        self.port = free_port()

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Of what is installed. Empty when it is not."""

    @abstractmethod
    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It answers on `port` while the block runs."""
        yield

    @abstractmethod
    async def switch(self, release: str) -> float:
        """Send everything to this release. The moment, in monotonic seconds, right before it was given its new routing;
        returns when it says that it is done, and at once where it says nothing.
        """


class Peer(Proxy):
    """One that runs as a child process with a configuration in a file."""

    program: ClassVar[str]
    version_words: ClassVar[tuple[str, ...]] = ("-v",)

    @classmethod
    def version(cls) -> str:
        path = found(cls.program)
        if not path:
            return ""
        done = subprocess.run([path, *cls.version_words], capture_output=True, text=True, check=False, timeout=10)
        return short_version(done.stdout + done.stderr)

    @abstractmethod
    def command(self) -> list[str]:
        """Its program's arguments; whatever it reads has been written before."""

    @abstractmethod
    def configure(self, release: str) -> None:
        """Write the files that say where requests go."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.configure(RELEASES[0])
        program = found(self.program)
        if not program:
            raise BrokenError(f"{self.program} is not installed")
        env = {name: str(self.place) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        with child([program, *self.command()], self.place, env=env) as process:
            self.pid = process.pid
            await listening(self.port, self.place)
            yield


def found(program: str) -> str | None:
    """Where it is: beside our Python, or on the PATH."""
    beside = Path(sys.executable).with_name(program)
    return (
        str(beside)
        if beside.exists()
        else shutil.which(program, path="/usr/sbin:/usr/local/sbin") or shutil.which(program)
    )


def short_version(text: str) -> str:
    """The first word that begins with a number, without what distributions append: `2.6.12-1+deb12u4` is 2.6.12."""
    for word in text.replace("/", " ").split():
        plain = word.removeprefix("v").partition("-")[0].rstrip(",")
        if plain[:1].isdigit() and "." in plain:
            return plain
    return "unknown"


def replace(path: Path, text: str) -> float:
    """Write beside and rename over, as everyone should; the moment right before it is seen."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text)
    now = time.monotonic()
    beside.rename(path)
    return now
