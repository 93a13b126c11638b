"""A balancer's process: nobody's child, on record before it begins, and ended with all that it left behind."""

import asyncio
import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.known import KnownProcess

_LARGEST = 32 * 2**20  # bytes of what a balancer says of itself

# A parent's end must not be the balancer's (Envoy has the kernel send it SIGTERM then: PR_SET_PDEATHSIG). So its parent
# is a shell, and is gone before it begins: that waits for our word, which we give after the shell has ended.
_ORPHAN = 'exec 3<&0; { read -r go <&3 && exec "$0" "$@" 3<&- </dev/null >&2; } & echo $!'


def spawn(
    command: Sequence[str],
    directory: Path,
    *,
    log: str,
    remember: Callable[[KnownProcess], None],
    files: int,
    output: str = "",
    env: Mapping[str, str] | None = None,
) -> KnownProcess:
    """A process in a session of its own that works in `directory`. It begins when `remember` has put it on record.

    So none is ever left unknown. `log` and `output` are names of files there: what it says, and what it writes to
    standard output where that is something else. It may have `files` open, where the machine allows as many. It finds
    nothing of ours in its environment, which is where secrets travel, but `env`.
    """
    script = _ORPHAN.replace(">&2", f">>{output}") if output else _ORPHAN
    with (
        (directory / log).open("ab") as said,
        subprocess.Popen(
            ["/bin/sh", "-c", script, *command],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            env=env or {},
        ) as parent,
    ):
        pid = int(parent.stdout.readline()) if parent.stdout else 0
        parent.wait()
        known = KnownProcess.of(pid)
        remember(known)
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        allowed = files if hard == resource.RLIM_INFINITY else min(hard, files)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, allowed))
        parent.communicate(b"go\n")
    return known


async def end(everyone: Iterable[KnownProcess], limit: float) -> None:
    """SIGTERM in the order given, and after `limit` seconds SIGKILL: gone, all of them."""
    known = tuple(everyone)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in known:
            one.signal(number)
        if await _gone(known, limit):
            return


async def _gone(everyone: Sequence[KnownProcess], limit: float) -> bool:
    """Wait until all have ended; False when some have not after `limit` seconds."""
    end = time.monotonic() + limit
    while any(known.running for known in everyone):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True


async def run(directory: Path, *command: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """A balancer's program asked for something that ends: its exit code, and all that it said.

    It finds nothing of ours in its environment, but `env`. It ends with whoever waits for it: one that goes on to start
    would come up after everything was looked through for what is to be ended.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=env or {},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode or 0, output.decode(errors="replace").strip()


class Program:
    """The installed program of a balancer that does not come with crossfade. `binary` is for tests."""

    def __init__(self, name: str, word: str, oldest: tuple[int, int], binary: Path | None) -> None:
        self._name = name  # as people write it
        self._word = word
        self._oldest = oldest
        self._binary = binary

    @property
    def path(self) -> str:
        """Absolute, for who starts itself anew by it. PlatformError when it is not installed."""
        folders = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
        found = str(self._binary) if self._binary else shutil.which(self._word, path=folders)
        if found is None:
            raise PlatformError(
                f"{self._name} is not installed", f"install {self._word} {self._least} or later, or use balancer: envoy"
            )
        return found

    async def require_version(self, directory: Path) -> None:
        """PlatformError for one that is too old."""
        _, said = await run(directory, self.path, "-v")
        found = re.search(r"version\S* (?:nginx/)?(\d+)\.(\d+)", said)
        if found is None or (int(found[1]), int(found[2])) < self._oldest:
            raise PlatformError(
                f"{self._name} {self._least} or later is needed, here is: {(said.splitlines() or ['nothing'])[0]}",
                "install it, or use balancer: envoy",
            )

    @property
    def _least(self) -> str:
        return ".".join(map(str, self._oldest))


class Log:
    """What the process says of itself, in a file that grows until it is begun anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin_anew(self, limit: int = _LARGEST) -> None:
        """Empty it when it is larger than so many bytes. Who writes goes on at its new end, for they append."""
        if self.size > limit:
            with contextlib.suppress(OSError):
                os.truncate(self.path, 0)

    @property
    def size(self) -> int:
        with contextlib.suppress(OSError):
            return self.path.stat().st_size
        return 0

    def after(self, offset: int) -> list[str]:
        """Its lines from `offset` on."""
        with contextlib.suppress(OSError), self.path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace").splitlines()
        return []
