"""Leftovers: what runs here although no record says so, taken further, taken over, or told of and ended when asked."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import PlatformError
from crossfade.core.wire import encode
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.runtime import Found

GRACE = 10.0  # seconds for what no release says anything about
EVERY = 30.0  # seconds between two looks at everything that runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Something of ours that no loop looks after. `what` is its id, or "routes" in the balancer's memory."""

    service: str
    what: str
    runtime: str = ""

    @property
    def app(self) -> str:
        return self.service.split("/")[0]


class Leftovers:
    """Finds what carries our mark by the mark alone: instance records, environments, labels, the balancer's book."""

    def __init__(self, registry: LoopRegistry) -> None:
        self._registry = registry
        self._world = registry.world
        self._there: dict[str, list[Found]] | None = None  # by service, as of the start
        self.unknown: tuple[Unknown, ...] = ()  # as of the last look

    async def further(self, ledger: Ledger) -> Mapping[str, Any] | None:
        """Its `service adopted`, where it serves a release that is not on record: the journal is from a backup.

        By such a record that release would be stopped, and an older one started that nobody asked for.
        """
        found = (await self._at_the_start()).get(ledger.service, [])
        known = {release.number for release in ledger.releases}
        if all(one.release is None or one.release.number in known for one in found):
            return None
        adopted = await self._taken_over(ledger.service, found)
        if adopted is None or adopted["current"] in known:
            return None
        return adopted | {"releases": [data for data in adopted["releases"] if data["number"] not in known]}

    async def take_up(self) -> None:
        """At the start: go on with removals that were interrupted, and take over what no journal knows but serves."""
        found = await self._at_the_start()
        for key in sorted({*found, *await self._world.balancer.known()} - self._registry.loops.keys() - {""}):
            if self._registry.ledger(key).removed:
                self._registry.take_down(await self._registry.take_up(key))
            else:
                adopted = await self._taken_over(key, found[key])
                if adopted:
                    await self._registry.adopt(key, adopted)
        await self.look()

    async def cut_off(self, app: str) -> list[str]:
        """Services of an app that were taken down by one who died on the way: something of them is still there."""
        gone = [key for key in self._registry.taken_down if key.partition("/")[0] == app]
        return [key for key in gone if await self._is_there(key)]

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            await self._world.clock.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Renew `unknown`.

        Docker may take seconds to answer: what came meanwhile is no stranger, nor is what went, so that who is not
        known has to be there before the services were asked and after.
        """
        there = await self._found()
        kept = {key: await self._ids(loop) for key, loop in list(self._registry.loops.items())}
        strangers = [(runtime, one) for runtime, one in there if one.id not in kept.get(one.service, ())]
        still = {one.id for _, one in await self._found()} if strangers else set()
        unknown = [
            Unknown(service=one.service, what=one.id, runtime=runtime) for runtime, one in strangers if one.id in still
        ]
        routed = await self._world.balancer.known()
        unknown += [Unknown(service=key, what="routes") for key in sorted(routed) if key not in self._registry.loops]
        self.unknown = tuple(unknown)

    async def end(self, app: str | None = None) -> list[str]:
        """End what nobody looks after, of one app or all of it, and say what it was."""
        await self.look()
        ended = [one for one in self.unknown if app in {None, one.app}]
        exposed = await self._world.balancer.known()
        for one in ended:
            token = await self._world.journal.token(one.service)
            if one.runtime:
                await self._world.runtimes[one.runtime].stop(one.what, GRACE, token)
            elif one.service in exposed:
                await self._world.balancer.remove(one.service, max(token, exposed[one.service].token))
        await self.look()
        return [f"{one.service or 'unknown'} ({one.what})" for one in ended]

    async def _taken_over(self, key: str, found: Sequence[Found]) -> dict[str, Any] | None:
        """A service by its marks: it is at the release that has most of the traffic, or of the workers."""
        releases = {one.release.number: one.release for one in found if one.release}
        routing = (await self._world.balancer.report(key)).routing
        serving = [number for number, _ in sorted(routing.weights, key=lambda w: -w[1]) if number in releases]
        if not serving and all(release.service.kind == "worker" for release in releases.values()):
            count = Counter(one.release.number for one in found if one.release)
            serving = sorted(count, key=lambda number: (-count[number], number))  # of equals the proven one
        if not serving:
            return None
        return {"releases": [encode(releases[number]) for number in sorted(releases)], "current": serving[0]}

    async def _at_the_start(self) -> dict[str, list[Found]]:
        if self._there is None:
            self._there = defaultdict(list)
            for _, one in await self._found():
                self._there[one.service].append(one)
        return self._there

    async def _found(self) -> list[tuple[str, Found]]:
        """By runtime. One that cannot be asked runs nothing that could be ended: Docker may not even be installed."""
        found = []
        for name, runtime in self._world.runtimes.items():
            try:
                found += [(name, one) for one in await runtime.found()]
            except PlatformError:
                continue
        return found

    async def _is_there(self, key: str) -> bool:
        """False as well where it has no place any more."""
        for name in {release.service.runtime for release in self._registry.ledger(key).releases}:
            try:
                if await self._world.runtimes[name].instances(key):
                    return True
            except PlatformError:
                continue
        return False

    async def _ids(self, loop: Loop) -> Collection[str]:
        runtimes = {r.service.runtime for r in loop.ledger.releases}
        return {one.id for name in runtimes for one in await self._world.runtimes[name].instances(loop.key)}
