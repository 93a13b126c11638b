"""`LoadBalancer` of the site: the switch puts a release's pages before visitors, and has edges forget the old ones."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol
from urllib.parse import quote

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, Report, Target, Traffic
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.site.place import SitePlace
from crossfade.platforms.aws.site.runtime import instance, settings
from crossfade.platforms.aws.site.shelf import Shelf, ShelfState
from crossfade.platforms.aws.site.tree import ROOT, Tree, is_page, order

LOOK = 5.0  # seconds between two looks at an invalidation
PATIENCE = 900.0  # until edges must have forgotten; minutes are usual
MOST = 30  # paths: of more, everything is forgotten at once, which counts as one path
UNCOUNTED = ("client_closed", "cut", "drained", "failed", "requests", "retried")


class FindsSite(Protocol):
    """Where the site is."""

    async def place(self) -> SitePlace: ...


class SiteEdge:
    """A bucket behind a distribution. Every page changes at once, and no file that an open page needs goes."""

    def __init__(self, clients: Clients, finder: FindsSite, *, fence: Fence, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._finder, self._fence, self._clock, self._look = clients, finder, fence, clock, look

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],  # noqa: ARG002  files have none
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,  # noqa: ARG002
    ) -> float:
        began = self._clock.now()
        before = partial(self._fence.check, service.key, token)
        await before()
        shelf = await self._shelf()
        state = await shelf.state()
        wanted = max(routing.weights, key=lambda weight: weight[1], default=(0, 0))[0]
        if wanted and wanted != state.serves:
            await self._switch(shelf, state, wanted, before)
        serves = wanted or state.serves
        await shelf.record(replace(await shelf.state(), routing=routing, serves=serves), before)
        return self._clock.now() - began

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        state = await (await self._shelf()).state()
        there = [number for number, kept in state.kept.items() if kept.count]
        return Report(
            routing=state.routing,
            targets={instance(service, number): Target() for number in there},
            traffic=Traffic(uncounted=UNCOUNTED),
        )

    async def known(self) -> Mapping[str, Exposed]:
        """None: where the site is Terraform decides."""
        return {}

    def complaints(self) -> Sequence[str]:
        return ()

    async def catch_up(self) -> None:
        """Nothing is counted."""

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        raise PlatformError(f"release {release} of {service.key} cannot be reached before visitors see it")

    async def remove(self, service: str, token: int) -> None:
        """No page is shown any more; the bucket keeps what releases are made of. Done twice it comes to the same."""
        before = partial(self._fence.check, service, token)
        await before()
        shelf = await self._shelf()
        state = await shelf.state()
        if not state.serves:
            return
        await shelf.hide([path for path in await shelf.shown() if is_page(path)], before)
        await self._forget(["/*"], before)
        await shelf.record(replace(await shelf.state(), routing=Routing(), serves=0), before)

    async def ensure(self) -> None:
        """AWS sees to it."""

    async def restart(self) -> None:
        """There is no process of ours."""

    async def shutdown(self) -> None:
        """What Terraform made, Terraform takes away."""

    async def close(self) -> None:
        """The clients belong to whoever made them."""

    async def _shelf(self) -> Shelf:
        return Shelf(self._clients, (await self._finder.place()).bucket)

    async def _switch(self, shelf: Shelf, state: ShelfState, number: int, before: Check) -> None:
        """Files that pages name, pages, what is no page any more, and then edges. Done twice it comes to the same."""
        release = state.release(number)
        site, tree = settings(release.service), await shelf.tree(release.digest)
        if tree is None:
            raise PlatformError(f"the files of release {release.label} of the site are not in its bucket any more")
        old = await shelf.tree(state.release(state.serves).digest) if state.serves else None
        shown = await shelf.shown()
        same = state.serves and settings(state.release(state.serves).service) == site
        named, pages = order(f for f in tree.files if not same or shown.get(f.path) != f.md5)
        await shelf.show(named, site, before)
        await shelf.show([page for page in pages if page.path != ROOT], site, before)
        await shelf.show([page for page in pages if page.path == ROOT], site, before)
        gone = [f.path for f in old.files if f.page and f.path not in tree.by_path()] if old else []
        await shelf.hide(gone, before)
        await self._forget(_changed(old, tree), before)

    async def _forget(self, paths: Sequence[str], before: Check) -> None:
        """Have all edges forget, and wait until they have."""
        if not paths:
            return
        distribution = (await self._finder.place()).distribution
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": str(uuid.uuid4())}
        answer = await self._clients.call(
            "cloudfront", "create_invalidation", before, DistributionId=distribution, InvalidationBatch=batch
        )
        made, until = answer["Invalidation"], self._clock.now() + PATIENCE
        while made["Status"].lower() != "completed":
            if self._clock.now() > until:
                raise PlatformError("edges of CloudFront have not forgotten the old pages yet", "it is tried again")
            await self._clock.sleep(self._look)
            asked = {"DistributionId": distribution, "Id": made["Id"]}
            made = (await self._clients.call("cloudfront", "get_invalidation", **asked))["Invalidation"]


def _changed(old: Tree | None, new: Tree) -> list[str]:
    """What edges may have that is not so any more: everything where nobody knows what was there before."""
    if old is None:
        return ["/*"]
    before, after = old.by_path(), new.by_path()
    paths = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p) and _may_be_kept(p, before))
    if ROOT in paths:
        paths.append("")
    return [f"/{quote(path)}" for path in paths] if len(paths) <= MOST else ["/*"]


def _may_be_kept(path: str, before: Mapping[str, object]) -> bool:
    """What was not there before no edge has, pages aside: somebody may have asked for one and got an error."""
    return path in before or path.endswith(".html")
