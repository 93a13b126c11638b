"""Backups of stores: what a command in the container writes, kept as files, and given back to one that reads them.

Docker's own command line carries the bytes: a database is more than what should pass through the controller.
"""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.store import Store
from crossfade.platforms.local.runtimes.docker.daemon import SOCKET
from crossfade.platforms.local.runtimes.processes.logs import spoken

SUFFIX = ".backup"
SHOWN_LINES = 5


class Backups:
    """`<directory>/<app>/<store>/<time>.backup`, the newest of each store; readable by their owner alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def write(self, store: Store, container: str) -> Path:
        """Make one and remove those beyond `store.keep`. PlatformError when the command fails or writes nothing."""
        folder = self._directory / store.key
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
        draft = folder / f".{stamp}.new"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            await _run(store, container, store.backup, output=file)
            os.fsync(file)
            _require_content(store, os.fstat(file).st_size)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        there = draft.rename(folder / f"{stamp}{SUFFIX}")
        for old in self.of(store)[: -store.keep]:
            old.unlink(missing_ok=True)
        return there

    async def read(self, store: Store, container: str, name: str) -> Path:
        """Give one back: the file that is named, by default the newest of this store's."""
        found = [Path(name)] if name else self.of(store)[-1:]
        if not found or not found[0].is_file():
            raise WrongInputError(
                f"{name or f'a backup of {store.key}'} does not exist", f"see {self._directory / store.key}"
            )
        file = os.open(found[0], os.O_RDONLY)
        try:
            await _run(store, container, store.restore, source=file)
        finally:
            os.close(file)
        return found[0]

    def of(self, store: Store) -> list[Path]:
        """Oldest first."""
        return sorted((self._directory / store.key).glob(f"*{SUFFIX}"))


def _require_content(store: Store, size: int) -> None:
    if not size:
        raise PlatformError(f"the backup of {store.key} is empty", f"let its command write it out: {store.backup}")


async def _run(
    store: Store, container: str, command: str, *, output: int | None = None, source: int | None = None
) -> None:
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    line = ["docker", "exec", "--interactive", container, "/bin/sh", "-c", command]
    env = {"DOCKER_HOST": f"unix://{SOCKET}", **os.environ}
    try:
        run = await asyncio.create_subprocess_exec(
            *line,
            env=env,
            stdin=null if source is None else source,
            stdout=null if output is None else output,
            stderr=pipe,
        )
    except FileNotFoundError as error:
        raise PlatformError("Docker's command line is not installed", "install docker-cli") from error
    try:
        _, said = await run.communicate()
    finally:
        if run.returncode is None:
            with suppress(ProcessLookupError):
                run.kill()
    if run.returncode != 0:
        words = " ".join(spoken(said, SHOWN_LINES).split())
        raise PlatformError(
            f"`{command}` in the store {store.key} ended with {run.returncode}: {words}",
            "mend it; nothing else was changed",
        )
