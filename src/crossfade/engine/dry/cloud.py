"""The platform in memory as a cloud: it chooses ids and victims, tells late, and does not know what is in flight.

As ECS behind an ALB: services that keep a count of tasks, targets that it registers, checks and drains by itself,
weights that reach the data plane a moment after the call, and lists that may be a moment old.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.platform import Exposure, Life, Platform
from crossfade.engine.dry.runtime import DryRuntime, running
from crossfade.engine.ports.balancer import Report, Target
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.runtime import Running
from crossfade.engine.ports.sizes import grew_meanwhile, grown

T = TypeVar("T")

UNKNOWN = Target(in_flight=None, streams=None)

LAG = 3.0  # seconds by which a list may be old, and after which a change has arrived
OLD_NEWS = 0.5  # the share of answers that are not fresh
BOOT = 60.0  # seconds that a task has to become healthy
PLACES = 2  # releases of a service that it keeps at a time: one a colour
LISTED = 30.0  # seconds for which a task that ended is still listed


class DryCloud:
    """What the platform does by itself: it keeps the sizes it was told, and the targets of the balancer.

    With `by_hand` a size that was told is only begun: nothing is launched for it until somebody tends the service.
    """

    def __init__(self, platform: Platform, *, by_hand: bool = False) -> None:
        self.by_hand = by_hand
        self.begun: set[tuple[str, int]] = set()  # services and releases that wait to be tended
        self.sizes: dict[str, dict[int, tuple[Release, int]]] = {}  # by service and release
        self.named: dict[str, tuple[int, int | None]] = {}  # by service: which release serves, and the good one before
        self.resting: dict[str, tuple[int, dict[int, float]] | None] = {}  # by service: what it was left at
        self.replaced: dict[str, tuple[Running, float]] = {}  # tasks that failed its checks: as listed, and since when
        self.outdated: set[str] = set()  # tasks that are to be replaced, once others serve in their place
        self.quiet: dict[str, frozenset[int]] = {}  # by service, releases that were told to get nothing new
        self.platform = platform
        self._ended: dict[str, float] = {}  # when a task that ended was seen
        self._told: dict[tuple[str, str], tuple[float, Any]] = {}
        platform.settle = self.settle

    def settle(self) -> None:
        """Do what is due: replace, shrink, drain, and register."""
        for service, sizes in self.sizes.items():
            for release, count in sizes.values():
                self._keep(service, release, count)
            self._register(service)

    def scale(self, service: str, count: int) -> None:
        """Its own scaling gives the release that serves another size, unless somebody is at work on the service.

        What was brought to nothing it leaves so.
        """
        left = self.resting.get(service)
        release, size = self.sizes.get(service, {}).get(left[0] if left else 0, (None, 0))
        if left and release and size:
            self.sizes[service][left[0]] = (release, count)
            self.settle()

    def keep_old(self, release: Release) -> None:
        """Nobody of a release is replaced any more; of those that came for it go as many as there are too many."""
        now, key = self.platform.clock.now(), release.service.key
        mine = [life for life in self.platform.of(key) if life.release.number == release.number]
        staying = [life for life in mine if life.truth(now) is not Health.EXITED and life.drains_until is None]
        came = [life for life in staying if life.id not in self.outdated]
        if len(came) < len(staying):
            _, count = self.sizes.get(key, {}).get(release.number, (release, 0))
            came.sort(key=lambda life: (life.truth(now) is Health.HEALTHY, -life.born))
            for life in came[: max(0, len(staying) - count)]:
                life.drains_until = now + (release.service.drain if life.was_healthy(now) else 0.0)
        self.outdated -= {life.id for life in mine}
        self.settle()

    def renews(self, service: str) -> bool:
        """Somebody who was to be replaced is still there."""
        now = self.platform.clock.now()
        return any(i.id in self.outdated and i.truth(now) is not Health.EXITED for i in self.platform.of(service))

    def taken(self, service: str) -> set[int]:
        """Releases that have a place: until their last instance is gone."""
        now = self.platform.clock.now()
        running = {life.release.number for life in self.platform.of(service) if life.truth(now) is not Health.EXITED}
        return running | {number for number, (_, count) in self.sizes.get(service, {}).items() if count}

    def lately(self, what: str, service: str, look: Callable[[], T]) -> T:
        """What is there now, or what was told a moment ago."""
        now = self.platform.clock.now()
        told = self._told.get((what, service))
        if told and now - told[0] < LAG and self.platform.random.random() < OLD_NEWS:
            known: T = told[1]
            return known
        found = look()
        self._told[what, service] = (now, found)
        return found

    def members(self, service: str) -> tuple[TargetGroup, ...]:
        """The target groups as the balancer's own checks make them."""
        now, quiet = self.platform.clock.now(), self.quiet.get(service, frozenset())
        groups: dict[int, tuple[list[str], list[str]]] = {}
        for life in sorted(self.platform.of(service), key=lambda life: life.id):
            truth = life.truth(now)
            if truth is Health.EXITED or (truth is not Health.HEALTHY and not life.was_healthy(now)):
                continue
            number = life.release.number
            serves = truth is Health.HEALTHY and life.drains_until is None and life.term_at is None
            groups.setdefault(number, ([], []))[0 if serves and number not in quiet else 1].append(life.id)
        return tuple(
            TargetGroup(release=number, registered=tuple(registered), draining=tuple(draining))
            for number, (registered, draining) in sorted(groups.items())
        )

    def _keep(self, service: str, release: Release, count: int) -> None:
        platform = self.platform
        now = platform.clock.now()
        mine = [life for life in platform.of(service) if life.release.number == release.number]
        for life in mine:
            if life.truth(now) is Health.EXITED:
                if now - self._ended.setdefault(life.id, now) > LISTED:
                    life.gone_at = now
            elif life.drains_until is not None and now >= life.drains_until:
                platform.terminate(life)
        staying = [m for m in mine if m.drains_until is None and m.truth(now) is not Health.EXITED]
        for life in staying:
            truth = life.truth(now)
            if truth is Health.UNHEALTHY or (truth is Health.STARTING and now - life.born > BOOT):
                life.drains_until = now + release.service.drain
                said = "was replaced: its health check failed"
                ended = replace(running(life, now), exited=True, health=Health.UNHEALTHY, detail=said)
                self.replaced[life.id] = ended, now
        staying = [life for life in staying if life.drains_until is None]
        staying, count = self._renewed(staying, count, now)
        for _ in range(len(staying) - count):
            victim = staying.pop(int(platform.random.random() * len(staying)))
            victim.drains_until = now + (release.service.drain if victim.was_healthy(now) else 0.0)
        for _ in range(0 if (service, release.number) in self.begun else count - len(staying)):
            platform.launch(f"task-{len(platform.written):04x}", release, release.environment({}))

    def _renewed(self, staying: list[Life], count: int, now: float) -> tuple[list[Life], int]:
        """Beside those that are to be replaced come as many new ones, and once these serve the old ones go."""
        old = [life for life in staying if life.id in self.outdated]
        if not old:
            return staying, count
        fresh = [life for life in staying if life.id not in self.outdated]
        if sum(life.truth(now) is Health.HEALTHY for life in fresh) < count:
            return staying, count + len(old)
        for life in old:
            life.drains_until = now + life.release.service.drain
        return fresh, count

    def _register(self, service: str) -> None:
        exposure = self.platform.exposed.get(service)
        if exposure is None:
            return
        groups = self.members(service)
        if groups != exposure.routing.groups:
            addresses = {i: self.platform.lives[i].address for g in groups for i in (*g.registered, *g.draining)}
            routing = replace(exposure.routing, groups=groups)
            self.platform.expose(
                Exposure(service=exposure.service, routing=routing, addresses=addresses, token=exposure.token)
            )


class CloudRuntime(DryRuntime):
    """`Runtime` and `Sizer` on a `DryCloud`."""

    places: int | None = PLACES

    def __init__(self, cloud: DryCloud, fence: Fence) -> None:
        super().__init__(cloud.platform, fence)
        self._cloud = cloud
        self._said: dict[tuple[str, int], int] = {}  # by service and release, the size that was told last

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be launched: this platform is told sizes")

    async def stop(self, instance: str, grace: float, token: int) -> bool:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be stopped: this platform is told sizes")

    async def sizes(self, service: str) -> Mapping[int, int]:
        found = self._cloud.lately("sizes", service, lambda: self._sizes(service))
        self._said |= {(service, number): count for number, count in found.items()}
        return found

    async def resize(self, release: Release, count: int, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        await self._fence.check(release.service.key, token)
        if count and len(self._cloud.taken(release.service.key) | {release.number}) > PLACES:
            raise PlatformError(f"there is no place for release {release.label}: {PLACES} others have theirs")
        self._cloud.resting[release.service.key] = None
        at = release.service.key, release.number
        has = self._sizes(release.service.key).get(release.number, 0)
        if grew_meanwhile(count, self._said.get(at, has), has):
            raise grown(release, has)
        self._said[at] = count
        self._cloud.sizes.setdefault(release.service.key, {})[release.number] = (release, count)
        if self._cloud.by_hand:
            self._cloud.begun.add((release.service.key, release.number))
        self._cloud.settle()

    async def tend(self, service: str, token: int) -> None:
        await self._fence.check(service, token)
        self._cloud.begun = {at for at in self._cloud.begun if at[0] != service}
        self._cloud.settle()

    async def renew(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        mine = self._cloud.platform.of(release.service.key)
        self._cloud.outdated |= {life.id for life in mine if life.release.number == release.number}
        self._cloud.settle()

    async def break_off(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        self._cloud.keep_old(release)

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:
        key = release.service.key
        await self._fence.check(key, token)
        worked = self._cloud.resting.get(key) is not None
        self._cloud.resting[key] = (release.number, dict(warm))
        return self._sizes(key).get(release.number) if worked else None

    async def name(self, release: Release, previous: Release | None, token: int) -> None:
        await self._fence.check(release.service.key, token)
        self._cloud.named[release.service.key] = (release.number, previous.number if previous else None)

    async def instances(self, service: str) -> Sequence[Running]:
        self._cloud.settle()
        return self._cloud.lately("instances", service, lambda: self._listed(service))

    def _sizes(self, service: str) -> dict[int, int]:
        return {number: count for number, (_, count) in self._cloud.sizes.get(service, {}).items()}

    def _listed(self, service: str) -> list[Running]:
        now, replaced = self._platform.clock.now(), self._cloud.replaced
        mine = self._platform.of(service)
        there = [self._seen(life, now) for life in mine if life.id not in replaced]
        alive = {life.id for life in mine if life.truth(now) is not Health.EXITED}
        ended = [
            replace(one, stopping=one.id in alive)
            for one, since in replaced.values()
            if one.service == service and (one.id in alive or now - since <= LISTED)
        ]
        return [*there, *ended]

    def _seen(self, life: Life, now: float) -> Running:
        truth = life.truth(now)
        known = running(life, now)
        health = None if truth is Health.EXITED else truth
        leaves = life.drains_until is not None or life.term_at is not None
        return replace(known, health=health or Health.UNHEALTHY, stopping=leaves)


class CloudBalancer(DryBalancer):
    """`LoadBalancer` on a `DryCloud`: it cannot confirm, so it waits until a change must have arrived."""

    def __init__(self, cloud: DryCloud, fence: Fence) -> None:
        super().__init__(cloud.platform, fence)
        self._cloud = cloud

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        """Of the groups only which of them are to get nothing new is told: members are the platform's."""
        began = self._platform.clock.now()
        self._cloud.settle()
        members = {i for g in self._cloud.members(service.key) for i in (*g.registered, *g.draining)}
        groups = tuple(
            replace(
                group,
                registered=tuple(i for i in group.registered if i in members),
                draining=tuple(i for i in group.draining if i in members),
            )
            for group in routing.groups
        )
        quiet = frozenset(group.release for group in routing.groups if group.draining and not group.registered)
        await super().apply(service, replace(routing, groups=groups), addresses, token, checks)
        self._cloud.quiet[service.key] = quiet
        self._cloud.settle()
        await self._platform.clock.sleep(LAG)
        return self._platform.clock.now() - began

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        self._cloud.settle()
        return self._cloud.lately("report", service, lambda: self._unsure(service))

    def _unsure(self, service: str) -> Report:
        exposure = self._platform.exposed.get(service)
        if exposure is None:
            return Report()
        said = self._reported(exposure)
        return replace(said, targets=dict.fromkeys(said.targets, UNKNOWN))
