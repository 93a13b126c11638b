"""The build of a release, run where its files stay, with what the one before it kept."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.builds import caches, kept
from crossfade.platforms.local.runtimes.builds.caches import Caches
from crossfade.platforms.local.runtimes.builds.kept import Linked
from crossfade.platforms.local.runtimes.environment import for_build
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs, last_words
from crossfade.platforms.local.runtimes.processes.session import Session
from crossfade.removal import remove
from crossfade.source.whole import WholeSource

log = logging.getLogger(__name__)

SHOWN_LINES = 10  # of a build that failed


class Building:
    """The build of one service in the folder of one release; its log is called after that."""

    def __init__(self, service: Service, home: Path, logs: ProcessLogs, caches: Caches) -> None:
        self._service = service
        self._tree = home / "tree"
        self._logs = logs
        self._caches = caches
        self._session = Session(home.with_name(f".{home.name}.build"), logs.path(service.key, f"build-{home.name}"))

    async def end_of_a_dead_one(self) -> None:
        """A controller that died while building left it behind."""
        await self._session.end(0)
        self._session.forget()

    async def run(self, env: Mapping[str, str], contents: Mapping[str, str]) -> Linked | None:
        """Build in the tree, which has the source's `contents`. Not where a build of the same was kept: then what was
        linked into the tree instead is known, and returned. WrongInputError when the build fails.
        """
        service, session = self._service, self._session
        if not service.build:
            return Linked({}, {})
        depends = kept.inputs(service, contents, env)
        session.log.unlink(missing_ok=True)
        self._logs.times.forget(session.log)
        if depends and (known := await asyncio.to_thread(self._caches.link, service, self._tree, depends)) is not None:
            same = ", ".join(service.built_from)
            session.log.write_text(f"not run: {same} and the build are what they were, and so is what it leaves\n")
            return known
        await asyncio.to_thread(caches.prepare, service, for_build(service, env).get("HOME", ""))
        brought = await asyncio.to_thread(self._caches.bring, service, self._tree)
        await self._once(env)
        if session.code != 0 and brought:  # what was kept may be what it fails over: once more without
            await asyncio.to_thread(self._caches.forget, service)
            for path in brought:
                await asyncio.to_thread(remove, self._tree / path)
            await self._once(env)
        if session.code != 0:
            raise self._failed()
        await asyncio.to_thread(self._keep, depends)
        return None

    async def _once(self, env: Mapping[str, str]) -> None:
        session = self._session
        whole = WholeSource.of(Path(self._service.source), self._service.also)
        session.start(self._service.build, self._tree / whole.within, for_build(self._service, env))
        try:
            async with self._logs.times.marking(session.log):
                await session.wait()
        finally:
            await session.end(0)  # on a cancelled deploy the build itself; else what it left in the background
            session.file.unlink(missing_ok=True)

    def _keep(self, depends: str) -> None:
        """The release is whole whether this works or not: the next build takes longer, no more."""
        try:
            self._caches.keep(self._service, self._tree, depends)
        except PlatformError as error:
            log.warning("%s", error)

    def _failed(self) -> WrongInputError:
        service, path = self._service, self._session.log
        said = last_words(path, SHOWN_LINES).replace("\n", "\n    ")
        return WrongInputError(
            f"the build of {service.key} failed with code {self._session.code}: {service.build}\n    {said}",
            f"everything it wrote is in {path}; nothing was changed",
        )
