"""`Runtime` and `Sizer` of the site: a release of it is ready once all is in the bucket that its pages name."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service, Site
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.site.build import build
from crossfade.platforms.aws.site.place import SiteFinder
from crossfade.platforms.aws.site.shelf import Shelf, StagedRelease
from crossfade.platforms.aws.site.tree import Tree, read
from crossfade.source import git

_NOTHING_RUNS = "the site is only files, and none of them runs anything"


class SiteRuntime:
    """One instance a release, which is there for as long as it is kept ready."""

    places: int | None = None

    def __init__(self, clients: Clients, finder: SiteFinder, fence: Fence, clock: Clock) -> None:
        self._clients, self._finder, self._fence, self._clock = clients, finder, fence, clock

    async def foresee(self, service: Service) -> Artifact | None:  # noqa: ARG002
        """What a site holds shows when it is built."""
        return None

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        """Made in the file's folder, and brought to the bucket: whoever goes on needs nothing of this machine."""
        shelf = await self._shelf()  # says what of its place is missing, before anything is built
        source, site = Path(service.source), settings(service)
        await build(service, source, env or {})
        folder = source / site.folder
        tree = await asyncio.to_thread(read, folder, site.folder)
        await shelf.add(tree, folder)
        commit = await asyncio.to_thread(git.commit, source)
        version, sha = (commit.version, commit.sha) if commit else (tree.digest.rpartition(":")[2][:12], "")
        return Artifact(digest=tree.digest, version=version, git_sha=sha)

    async def check(self, release: Release) -> None:
        await self._tree(await self._shelf(), release)

    async def instances(self, service: str) -> Sequence[Running]:
        state = await (await self._shelf()).state()
        return [_running(service, kept) for kept in state.kept.values() if kept.count]

    async def sizes(self, service: str) -> Mapping[int, int]:  # noqa: ARG002  an environment has one site
        state = await (await self._shelf()).state()
        return {number: kept.count for number, kept in state.kept.items()}

    async def resize(self, release: Release, count: int, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        """Stage what is new by name: nobody asks for it yet. What replaces a file waits for the switch."""
        before = partial(self._fence.check, release.service.key, token)
        await before()
        shelf = await self._shelf()
        known = (await shelf.state()).kept.get(release.number)
        if count:
            tree, shown = await self._tree(shelf, release), await shelf.shown()
            new = [file for file in tree.files if not file.page and file.path not in shown]
            await shelf.show(new, settings(release.service), before)
        since = known.since if known and known.count else self._clock.now()
        kept = StagedRelease(release=release if count or not known else known.release, count=min(count, 1), since=since)
        await shelf.record((await shelf.state()).keeping(kept), before)

    async def tend(self, service: str, token: int) -> None:
        """Nothing: what is staged is there at once."""

    async def renew(self, release: Release, token: int) -> None:  # noqa: ARG002
        raise RefusedError(f"{release.service.key} cannot be restarted: {_NOTHING_RUNS}")

    async def break_off(self, release: Release, token: int) -> None:
        """Nothing was begun."""

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:  # noqa: ARG002
        """Nothing here changes by itself."""
        return None

    async def name(self, release: Release, previous: Release | None, token: int) -> None:
        """Nobody finds a site by other names."""

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be launched: {_NOTHING_RUNS}")

    async def stop(self, instance: str, grace: float, token: int) -> bool:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be stopped: {_NOTHING_RUNS}")

    async def found(self) -> Sequence[Found]:
        return []

    async def execute(self, instance: str, *_: object, **__: object) -> HookResult:
        raise PlatformError(f"nothing can be run beside {instance}: {_NOTHING_RUNS}")

    async def run(self, release: Release, command: str, *_: object, **__: object) -> HookResult:
        raise PlatformError(f"`{command}` cannot be run in release {release.label}: {_NOTHING_RUNS}")

    async def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:  # noqa: ARG002
        yield Said(self._clock.now(), service, "files write no log")

    async def forget(self, release: Release, token: int) -> None:
        key = release.service.key
        before = partial(self._fence.check, key, token)
        await before()
        shelf = await self._shelf()
        state = await shelf.state()
        known = state.kept.get(release.number)
        if known and (known.count or state.serves == release.number):
            raise RefusedError(f"the site runs from release {release.label}")
        tree = await shelf.tree(release.digest)
        others = [one for number, one in state.kept.items() if number != release.number]
        if tree is not None:
            needed = [await shelf.tree(one.release.digest) for one in others]
            await shelf.forget(tree, [one for one in needed if one is not None], before)
        kept = {one.release.number: one for one in others}
        await shelf.record(replace(await shelf.state(), kept=kept), before)

    async def silent(self, address: str) -> str:  # noqa: ARG002
        return ""

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """Nothing: the bucket's own record says what is needed."""

    async def close(self) -> None:
        """The clients belong to whoever made them."""

    async def _shelf(self) -> Shelf:
        return Shelf(self._clients, (await self._finder.place()).bucket)

    async def _tree(self, shelf: Shelf, release: Release) -> Tree:
        tree = await shelf.tree(release.digest)
        if tree is None:
            raise PlatformError(
                f"the files of release {release.label} of the site are not in its bucket any more",
                "deploy them again, or choose another release",
            )
        return tree


def settings(service: Service) -> Site:
    return service.site or Site()


def instance(service: str, release: int) -> str:
    return f"{service.replace('/', '-')}-{release}"


def _running(service: str, kept: StagedRelease) -> Running:
    number = kept.release.number
    return Running(
        id=instance(service, number),
        service=service,
        release=number,
        address="the bucket",
        launched_at=kept.since,
        health=Health.HEALTHY,
    )
