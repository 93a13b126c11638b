"""The release folders: placed once, built once, shared by all instances of a release."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.engine.ports import Artifact
from crossfade.platforms.local.runtimes import snapshot
from crossfade.platforms.local.runtimes.processes.logs import Logs, last_words
from crossfade.platforms.local.runtimes.processes.session import Session

STAGING = ".staging-"
SHOWN_LINES = 10  # of a build that failed


class Artifacts:
    """`<state>/releases/<digest>/tree`; a folder without its `built` mark is one that somebody died over."""

    def __init__(self, state: Path, logs: Logs) -> None:
        self._state = state
        self._logs = logs
        self._releases = state / "releases"
        self._releases.mkdir(parents=True, exist_ok=True, mode=0o700)

    def tree(self, digest: str) -> Path:
        return self._home(digest) / "tree"

    async def make(self, service: Service) -> Artifact:
        """Copy the service's source, place it under its digest and build it there, unless that was done before.

        It is built where it stays: virtual environments and the like contain their own path.
        """
        self._sweep()
        staging, ours = self._stage()
        try:
            artifact = await asyncio.to_thread(
                snapshot.take, Path(service.source), staging / "tree", build=service.build, without=self._state
            )
            async with self._locked(artifact.digest):
                if not self._mark(artifact.digest).exists():
                    await self._build(service, artifact.digest, staging)
        finally:
            os.close(ours)
            await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
        return artifact

    async def forget(self, digest: str) -> None:
        async with self._locked(digest) as lock:
            self._mark(digest).unlink(missing_ok=True)  # first: half of a folder must not look like a whole one
            await asyncio.to_thread(shutil.rmtree, self._home(digest), ignore_errors=True)
            lock.unlink(missing_ok=True)

    async def _build(self, service: Service, digest: str, staging: Path) -> None:
        home = self._home(digest)
        log = self._logs.path(service.key, f"build-{home.name}")
        session = Session(self._releases / f".{home.name}.build", log)
        await session.end(0)  # of a controller that died while building
        session.forget()
        await asyncio.to_thread(_replace, home, staging)
        try:
            await self._run(service, session, self.tree(digest))
            await asyncio.to_thread(snapshot.protect, self.tree(digest))
            self._mark(digest).touch()
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
            raise

    async def _run(self, service: Service, session: Session, tree: Path) -> None:
        if not service.build:
            return
        session.log.unlink(missing_ok=True)
        session.start(service.build, tree, _builder(service))
        try:
            await session.wait()
        finally:
            await session.end(0)  # on a cancelled deploy the build itself; else what it left in the background
            session.file.unlink(missing_ok=True)
        if session.code != 0:
            raise _failed(service, session)

    def _stage(self) -> tuple[Path, int]:
        """Make a folder to copy into; its lock tells a later `_sweep` that we still work on it."""
        while True:
            staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._releases))
            lock = _lock(staging)
            if lock is not None:  # else another `_sweep` was faster than our lock, and removed it
                return staging, lock

    def _home(self, digest: str) -> Path:
        return self._releases / digest[:12]

    def _mark(self, digest: str) -> Path:
        return self._home(digest) / "built"

    def _sweep(self) -> None:
        """Remove the copies of those who died while copying."""
        for left in self._releases.glob(f"{STAGING}*"):
            lock = _lock(left)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)

    @asynccontextmanager
    async def _locked(self, digest: str) -> AsyncIterator[Path]:
        """One builder a digest on this machine. Polled: a blocking wait in a thread could not be cancelled."""
        path = self._releases / f".{digest[:12]}.lock"
        while (lock := _lock(path, create=True)) is None:  # noqa: ASYNC110  another process decides
            await asyncio.sleep(0.05)
        try:
            yield path
        finally:
            os.close(lock)


def _lock(path: Path, *, create: bool = False) -> int | None:
    """Lock a file or a folder; None when somebody else has it, or it was removed under us."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT if create else os.O_RDONLY, 0o600)
    except FileNotFoundError:
        return None
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_ino == path.stat().st_ino:
            return file
    os.close(file)
    return None


def _builder(service: Service) -> dict[str, str]:
    """A build gets what the user's shell would give it; its PATH can be set in the service's env."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}
    return inherited | {name: value for name, value in service.env if name == "PATH"}


def _replace(home: Path, staging: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    staging.rename(home)


def _failed(service: Service, session: Session) -> WrongInputError:
    said = last_words(session.log, SHOWN_LINES).replace("\n", "\n    ")
    return WrongInputError(
        f"The build of {service.key} failed with code {session.code}: {service.build}\n    {said}",
        f"Everything it wrote is in {session.log}; nothing was changed.",
    )
