"""The release folders: placed once, built once, shared by all instances of a release."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from crossfade.aside import aside
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.runtime import Artifact
from crossfade.held import take
from crossfade.platforms.local.runtimes import gently, seal, snapshot
from crossfade.platforms.local.runtimes.builds import caches
from crossfade.platforms.local.runtimes.builds.building import Building
from crossfade.platforms.local.runtimes.builds.caches import Caches
from crossfade.platforms.local.runtimes.builds.kept import SEALED, Linked
from crossfade.platforms.local.runtimes.builds.look import FreshTree
from crossfade.platforms.local.runtimes.processes import volumes
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs
from crossfade.platforms.local.runtimes.seal import Seal
from crossfade.platforms.local.runtimes.snapshot import Snapshot
from crossfade.platforms.local.runtimes.sources import SeenFolder, Sources
from crossfade.removal import remove
from crossfade.source.whole import WholeSource

STAGING = ".staging-"
NEEDED_BY = "needed-by"
UNSEALED = {"folder", "special"}  # contents of a snapshot that are no files in the tree


class Artifacts:
    """`<state>/releases/<digest>/`, with the files in `tree` and beside it what is known of them.

    `built` is the seal of the tree, and a folder without it is one that somebody died over; of what was linked from a
    kept build, the seal is a link beside it. `needed-by` holds a file for every service that has a release of it:
    services with the same source share the folder, and it goes with the last of them. `at-rest` seals what is there
    while nothing runs from it, caches and pid files included; while something does, its absence says that new files are
    nobody's fault.
    """

    def __init__(self, state: Path, logs: ProcessLogs, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._state = state
        self._logs = logs
        self._releases = state / "releases"
        self._releases.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sources = Sources(state / "sources")
        self._volumes = state / "volumes"
        self._caches = Caches(state / "caches")
        self._ahead = set[asyncio.Task[None]]()
        self._fresh = dict[str, FreshTree]()  # what was just built, until it is looked at for the first time

    def tree(self, digest: str) -> Path:
        return self._home(digest) / "tree"

    def folder(self, release: Release) -> Path:
        """The folder of the tree that commands of a release run in: where its source is."""
        service = release.service
        return self.tree(release.digest) / WholeSource.of(Path(service.source), service.also).within

    async def make(self, service: Service, env: Mapping[str, str], in_use: Collection[str]) -> Artifact:
        """Copy the service's source, place it under its digest and build it there, unless that was done before.

        It is built where it stays, with `env`: virtual environments and the like contain their own path. One that was
        changed since is built again, unless it is `in_use`, the digests that something runs from: then RefusedError.
        """
        self._caches.begin_look(service)
        self._sweep()
        source = WholeSource.of(Path(service.source), service.also)
        seen = await asyncio.to_thread(self._sources.last, source)
        try:
            return await self._make(service, env, source, in_use, seen)
        except snapshot.ChangedMeanwhileError:  # somebody writes to the folder just now: read all of it
            return await self._make(service, env, source, in_use, SeenFolder())

    async def _make(
        self, service: Service, env: Mapping[str, str], source: WholeSource, in_use: Collection[str], seen: SeenFolder
    ) -> Artifact:
        began = self._now_ns()
        links = await aside(volumes.prepare, service, self._volumes)
        async with self._staged(service, source, seen, links) as (staging, taken):
            digest = taken.artifact.digest
            async with self._locked(digest):
                if not await self._whole(digest, in_use):
                    earlier = None if service.build else await self._earlier(seen.digest)  # a build may write anywhere
                    linked = await aside(snapshot.complete, taken, source.root, staging / "tree", earlier)
                    await self._build(service, env, taken, staging, linked)
                self._need(service.key, digest)
        if (seen.digest, seen.looks) != (digest, taken.seen):
            await asyncio.to_thread(self._sources.note, source, SeenFolder(digest, taken.seen), began)
        return taken.artifact

    async def foresee(self, service: Service) -> Artifact | None:
        """What `make` would make now; None while somebody writes to the folder."""
        self._sweep()
        source = WholeSource.of(Path(service.source), service.also)
        seen = await asyncio.to_thread(self._sources.last, source)
        try:
            async with self._staged(service, source, seen, volumes.links(service, self._volumes)) as (_, taken):
                return taken.artifact
        except snapshot.ChangedMeanwhileError:
            return None

    @asynccontextmanager
    async def _staged(
        self, service: Service, source: WholeSource, seen: SeenFolder, links: volumes.Links
    ) -> AsyncIterator[tuple[Path, Snapshot]]:
        """A folder of our own, which goes again, with a copy of the source in it: see `snapshot.take`."""
        staging, ours = self._stage()
        try:
            taken = await aside(
                snapshot.take,
                source,
                staging / "tree",
                build=service.build,
                without=self._state,
                seen=seen,
                links=links,
            )
            yield staging, taken
        finally:
            os.close(ours)
            await asyncio.to_thread(remove, staging)

    async def _earlier(self, digest: str) -> tuple[Path, Seal] | None:
        """The tree that was made of this source last, with its seal. It may go while we use it."""
        sealed = await asyncio.to_thread(self._sealed, digest) if digest else None
        return (self.tree(digest), sealed) if sealed is not None else None

    async def check(self, release: Release, *, strictly: bool = False) -> None:
        """PlatformError when the files of a release are gone, or are not those it was built with.

        `strictly` reads also those that other releases share, unless nothing happened to them at all.
        """
        if not self._mark(release.digest).exists():
            raise PlatformError(
                f"the files of release {release.label} are not on this machine any more ({self.tree(release.digest)})",
                "deploy its commit again",
            )
        async with self._locked(release.digest):
            complaint = await asyncio.to_thread(self._complaint, release.digest, strictly=strictly)
        if complaint:
            await asyncio.to_thread(self._caches.forget, release.service)  # it may be what was linked from there
            raise PlatformError(
                f"the files of release {release.label} are not those it was built with: {complaint}",
                f"find out who writes to {self.tree(release.digest)}, and deploy its commit again: that builds it anew",
            )

    def wake(self, digest: str) -> None:
        """Something is about to run from it, and may make files there."""
        self._at_rest(digest).unlink(missing_ok=True)

    async def rest(self, digest: str, idle: Callable[[], bool]) -> None:
        """Unless something runs from it again: what was left there is part of it, what comes later is not."""
        async with self._locked(digest):
            if self._mark(digest).exists() and idle():
                await asyncio.to_thread(self._lay_down, digest)

    async def forget(self, service: str, digest: str) -> None:
        """The service needs it no more; what nobody needs is removed."""
        async with self._locked(digest):
            needed = self._home(digest) / NEEDED_BY
            _name_of(needed, service).unlink(missing_ok=True)
            if needed.is_dir() and any(needed.iterdir()):
                return
            self._fresh.pop(digest, None)
            self._mark(digest).unlink(missing_ok=True)  # first: half of a folder must not look like a whole one
            await self._remove(self._home(digest))

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """The service needs exactly these: of others a killed controller may have left word that it does."""
        kept = {self._home(digest).name for digest in digests}
        for digest in digests:
            self._need(service, digest)
        for left in self._releases.glob(f"*/{NEEDED_BY}/{quote(service, safe='')}"):
            if (home := left.parent.parent).name not in kept:
                await self.forget(service, home.name)

    async def close(self) -> None:
        """What was under way for later releases is given up."""
        under_way = [*self._ahead]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _whole(self, digest: str, in_use: Collection[str]) -> bool:
        """It is there as it was built. One that was changed since can be built again when nothing runs from it."""
        if not self._mark(digest).exists():
            return False
        complaint = await asyncio.to_thread(self._complaint, digest)
        if complaint and digest in in_use:
            raise RefusedError(
                f"a release of exactly this runs, and its files in {self.tree(digest)} were changed: {complaint}",
                "deploy another commit, or stop it first with `crossfade down`",
            )
        return not complaint

    def _complaint(self, digest: str, *, strictly: bool = False) -> str:
        """What is wrong with the files, empty when nothing is. What an earlier crossfade built is sealed as it is."""
        tree, fresh, left = self.tree(digest), self._fresh.pop(digest, None), seal.read(self._at_rest(digest))
        if fresh is None or left:  # something ran from it already
            if (built := fresh.seal if fresh else self._sealed(digest)) is None:
                seal.write(seal.take(tree), self._mark(digest))
                return ""
            fresh = FreshTree({**built, **(left or {})})
        return fresh.complaint(tree, strictly=strictly, at_rest=left is not None)

    def _sealed(self, digest: str) -> Seal | None:
        own = seal.read(self._mark(digest))
        return own if own is None else {**(self._caches.sealed(self._home(digest) / SEALED) or {}), **own}

    def _lay_down(self, digest: str) -> None:
        built = self._sealed(digest) or {}
        seal.write(seal.take(self.tree(digest), but=built), self._at_rest(digest))

    def _need(self, service: str, digest: str) -> None:
        needed = self._home(digest) / NEEDED_BY
        if self._mark(digest).exists():
            needed.mkdir(exist_ok=True, mode=0o700)
            _name_of(needed, service).touch()

    async def _build(
        self, service: Service, env: Mapping[str, str], taken: Snapshot, staging: Path, linked: Seal
    ) -> None:
        digest = taken.artifact.digest
        home = self._home(digest)
        building = Building(service, home, self._logs, self._caches)
        await building.end_of_a_dead_one()
        needed = await asyncio.to_thread(_replace, home, staging)
        try:
            brought = await building.run(env, taken.contents)
            known = brought and brought._replace(own={**linked, **brought.own})
            await asyncio.to_thread(
                self._finish, digest, taken, known, caches.inside(service) if service.build else None
            )
            for other in needed:
                self._need(other, digest)
            self._prepare(service)
        except BaseException:
            await asyncio.to_thread(remove, home)
            raise

    def _prepare(self, service: Service) -> None:
        """For the release after this one, while this one starts and serves."""
        task = asyncio.create_task(self._caches.prepare(service))
        self._ahead.add(task)
        task.add_done_callback(self._ahead.discard)

    def _finish(
        self, digest: str, taken: Snapshot, known: Linked | None, places: Collection[str] | None = None
    ) -> None:
        """Protect and seal. `known` is what was linked into the tree, below `places`; None: a build wrote to it.

        Where it has no build (None), the source was copied read-only.
        """
        tree = self.tree(digest)
        if known is None:
            seal.protect(tree)
            own = seal.take(tree)
            self._fresh[digest] = FreshTree(own)
        else:
            if places is not None:
                seal.protect(tree, taken.contents)
            there = {**known.shared, **known.own}
            mine = {path: held for path, held in taken.contents.items() if path not in there and held not in UNSEALED}
            own = {**known.own, **seal.of(tree, mine)}
            self._fresh[digest] = FreshTree({**there, **own}, own, places or (), known.ahead, known.look)
        seal.write({}, self._at_rest(digest))
        seal.write(own, self._mark(digest))

    def _stage(self) -> tuple[Path, int]:
        """Make a folder to copy into; its lock tells a later `_sweep` that we still work on it."""
        while True:
            self._releases.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
            staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._releases))
            lock = _lock(staging)
            if lock is not None:  # else another `_sweep` was faster than our lock, and removed it
                return staging, lock

    async def _remove(self, home: Path) -> None:
        """Never half of it by its name; of what is left when the controller ends meanwhile, the next `_sweep` knows."""
        staging, ours = self._stage()
        try:
            with suppress(FileNotFoundError):
                await asyncio.to_thread(home.rename, staging / home.name)
            await gently.remove(staging)
        finally:
            os.close(ours)

    def _home(self, digest: str) -> Path:
        return self._releases / digest[:12]

    def _mark(self, digest: str) -> Path:
        return self._home(digest) / "built"

    def _at_rest(self, digest: str) -> Path:
        return self._home(digest) / "at-rest"

    def _sweep(self) -> None:
        """Remove the copies of those who died while copying."""
        for left in self._releases.glob(f"{STAGING}*"):
            lock = _lock(left)
            if lock is not None:
                remove(left)
                os.close(lock)

    @asynccontextmanager
    async def _locked(self, digest: str) -> AsyncIterator[None]:
        """One builder a digest on this machine. Polled: a blocking wait in a thread could not be cancelled."""
        path = self._releases / f".{digest[:12]}.lock"
        while (lock := _lock(path, create=True)) is None:  # noqa: ASYNC110  another process decides
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()  # while it is ours; who waits for it sees that, and makes another
            os.close(lock)


def _lock(path: Path, *, create: bool = False) -> int | None:
    """Lock a file or a folder; None when somebody else has it, or it was removed under us."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT if create else os.O_RDONLY, 0o600)
    except FileNotFoundError:
        return None
    with suppress(FileNotFoundError):
        if take(file) and os.fstat(file).st_ino == path.stat().st_ino:
            return file
    os.close(file)
    return None


def _replace(home: Path, staging: Path) -> list[str]:
    """Put what was staged in its place; returns the services that needed what was there."""
    needed = [unquote(file.name) for file in (home / NEEDED_BY).glob("*")]
    remove(home)
    staging.rename(home)
    return needed


def _name_of(needed: Path, service: str) -> Path:
    return needed / quote(service, safe="")
