"""What must hold all through a history, in the first line of each docstring. `rest` has what must hold at its end."""

from typing import TYPE_CHECKING, Any, NoReturn

from tests.property.history import KEY, OLD
from tests.property.known import Known
from tests.property.rest import Rest
from tests.property.trouble import ClockSet

from crossfade.core.actions import Launch
from crossfade.core.fleet import Health
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import State
from crossfade.core.routing import Routing
from crossfade.engine.dry.platform import Life, Platform
from crossfade.engine.ledger import Ledger
from crossfade.strategies.next import next_step
from crossfade.strategies.phases import bounds, journey, limits

if TYPE_CHECKING:
    from tests.property.simulation import Simulation


class BrokenPromiseError(AssertionError):
    """A history in which something happened that never may."""


ACTS = {"apply", "launch", "resize", "append", "stop"}


def concerned(method: str, args: tuple[Any, ...], platform: Platform) -> str:
    """The service that an act is done to, empty where that does not matter."""
    match method:
        case "apply":
            return str(args[0].key)
        case "launch":
            return str(args[1].service.key)
        case "resize":
            return str(args[0].service.key)
        case "append":
            return str(args[0].service)
        case "stop":
            life = platform.lives.get(args[0])
            return life.service if life else ""
        case _:
            return ""


class Watch:
    """Looks on while a history is played, and judges by the truth, not by what the controller believes."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._known = Known(simulation)
        self._shrinks = ""  # what would be broken by the size that is about to be told, should the platform take it
        self._victims = set[str]()  # whom the platform chose when we gave it a smaller size
        self._shared: dict[int, float] = {}  # by release, when it was seen to have a share last
        self._broken = ""  # the first promise that was broken: the controller catches whatever is raised in it

    def fail(self, why: str) -> NoReturn:
        self._broken = self._broken or f"after {self._simulation.now:.2f} s: {why}"
        raise BrokenPromiseError(self._broken)

    def unexpected(self, error: BaseException) -> None:
        """The controller meets nothing that it did not expect, also where it would go on all the same."""
        self._broken = self._broken or f"after {self._simulation.now:.2f} s: {error!r}"

    def judge(self) -> None:
        if self._broken:
            raise BrokenPromiseError(self._broken)

    def before(self, method: str, args: tuple[Any, ...]) -> None:
        """An act is about to be done."""
        match method:
            case "apply":
                self.no_worker_gets_traffic()
                self.traffic_goes_only_to_the_healthy(args[1])
                self.capacity_is_kept(args[1])
                self.a_canary_gets_no_more_than_its_step(args[1])
                self.nobody_stays_with_what_is_taken_back(args[1])
                self.a_page_finds_its_parts(args[1])
                self.a_warm_release_stands_in(args[1])
            case "launch":
                self.the_fleet_stays_below_its_surge(args[0])
                self.what_must_not_run_twice_does_not(args[0], args[1])
            case "resize":
                self.a_size_keeps_floor_and_surge(args[0].number, args[1])
                self.the_traffic_has_left_who_goes(args[0].number, args[1])
            case "stop":
                self.nothing_is_stopped_too_early(args[0])
                self.workers_are_kept(args[0])
            case _:
                pass

    def nobody_acts_under_an_old_token(self, method: str, args: tuple[Any, ...], newest: int) -> None:
        """Two holders never both act: the stale fencing token is refused."""
        if method != "stop":
            token = args[1] if method == "append" else args[3]
            if token < newest:
                self.fail(f"{method} was done under token {token}, and {newest} had been granted")

    def traffic_goes_only_to_the_healthy(self, routing: Routing) -> None:
        """Traffic goes only to instances that passed their healthy threshold and have not failed since.

        What failed may be unknown for as long as its unhealthy threshold takes to notice, and a look.
        """
        platform = self._simulation.platform
        now = platform.clock.now()
        for name in sorted(routing.answering()):
            life = platform.lives.get(name)
            if life is None:
                continue  # it ended this moment
            if not life.was_healthy(now):
                self.fail(f"{name} gets traffic and was never healthy")
            if not self._known.passes(life, now):
                self.fail(f"{name} gets traffic and has not been healthy for longer than it takes to see that")

    def capacity_is_kept(self, routing: Routing) -> None:
        """Our own actions never take healthy capacity below the floor.

        What counts is who is known to be healthy: nobody can know yet that one has just recovered (see
        `Known.seen_healthy`), or has just failed (see `Known.passes`).
        """
        simulation = self._simulation
        platform, ledger = simulation.platform, simulation.ledger
        exposure = platform.exposed.get(KEY)
        if exposure is None:
            return
        floor, now, remains = self._floor(ledger), platform.clock.now(), self.remains(ledger)  # which lets go of lives
        healthy = {name for name, life in platform.lives.items() if self._known.seen_healthy(life, now)}
        known = {name for name, life in platform.lives.items() if self._known.passes(life, now)}
        spent = {name for name, life in platform.lives.items() if life.release.number in remains}
        had = len((exposure.routing.serving() & healthy & known) - spent)
        has = len(self.will_serve(routing, now) & known)
        if has < min(had, floor):
            self.fail(f"capacity goes from {had} to {has}, the floor is {floor}")

    def will_serve(self, routing: Routing, now: float) -> frozenset[str]:
        """Who gets requests by a routing: a cloud registers itself whoever is healthy, of groups that are not quiet."""
        platform, cloud = self._simulation.platform, self._simulation.cloud
        if cloud is None:
            return routing.serving()
        quiet = {group.release for group in routing.groups if group.draining and not group.registered}
        weighted = {number for number, _ in routing.weights} - quiet
        return frozenset(
            life.id
            for life in platform.of(KEY)
            if life.release.number in weighted and life.drains_until is None and life.term_at is None
            if life.truth(now) is Health.HEALTHY
        )

    def remains(self, ledger: Ledger) -> set[int]:
        """Releases that are no capacity any more: a way back took too long, and not all of the good one came.

        A newer rollout needs their places, and begins by taking them away.
        On one machine they go when no more of it comes, because it ends time and again and its next launch waits. So
        does who stood in for it when the rollout began.
        Where the platform chooses victims, bad ones go that have its places. With floor 2 and ceiling 3, one good
        instance, one bad one that serves and one bad one that never gets healthy, no size can change: one more good one
        is a fourth, and of one bad one less the platform might end the one that serves. The way back ends when its time
        is over, and then the bad one goes altogether: that the good one comes to its full size is worth more
        than that of the bad.
        """
        cloud, platform = self._simulation.cloud, self._simulation.platform
        if ledger.active and ledger.records:
            last = ledger.records[-1].rollout
            return {last.target} - {*ledger.active.releases} if last.state is State.FAILED else set()
        if ledger.active or ledger.rollout is None or ledger.current is None:
            return set()
        if cloud is None:
            now = platform.clock.now()
            mine = [life for life in platform.of(KEY) if life.release.number == ledger.current]
            runs = [life for life in mine if life.truth(now) is not Health.EXITED]
            comes = any(life.term_at is not None or not life.was_healthy(now) for life in runs)
            left = {life.release.number for life in platform.of(KEY)} - {ledger.current, *ledger.warm}
            return left if ledger.rollout.state is State.FAILED and not comes else set()
        sizes = sum(count for _, count in cloud.sizes.get(KEY, {}).values())
        if sizes < bounds(ledger.release(ledger.current).service.strategy, ledger.wanted).ceiling:
            return set()
        return {release.number for release in ledger.releases if release.outcome is Outcome.BAD}

    def the_traffic_has_left_who_goes(self, release: int, count: int) -> None:
        """A release is not taken away altogether while a share of the traffic leads to it and others could have it.

        Unless somebody wants nothing of the service to run.
        """
        simulation, ledger = self._simulation, self._simulation.ledger
        exposure = simulation.platform.exposed.get(KEY)
        if count or exposure is None or not exposure.routing.weight(release):
            return
        if not (ledger.active or ledger.wanted):
            return
        now = simulation.platform.clock.now()
        able = {life.release.number for life in simulation.platform.of(KEY) if self._known.surely_healthy(life, now)}
        others = sorted(able - {release})
        if others:
            self.fail(f"release {release} is to go, and {exposure.routing.weights} lead to it and to {others}")

    def workers_are_kept(self, name: str) -> None:
        """Our own actions never take workers below the floor: who is stopped is spare."""
        simulation = self._simulation
        if not simulation.history.worker or simulation.control is None:
            return
        platform, loop = simulation.platform, simulation.control.registry.loops[KEY]
        now = platform.clock.now()
        known = {i.id: platform.lives[i.id] for i in loop.fleet.instances if i.usable and i.id in platform.lives}
        at_work = [id_ for id_, life in known.items() if life.term_at is None and self._known.passes(life, now)]
        had = sum(known[id_].truth(now) is Health.HEALTHY for id_ in at_work)
        has = sum(id_ != name for id_ in at_work)
        if name in at_work and has < min(had, self._floor(loop.ledger)):
            self.fail(f"{name} is stopped, capacity goes from {had} to {has}, the floor is {self._floor(loop.ledger)}")

    def no_worker_gets_traffic(self) -> None:
        """The balancer never hears of a worker."""
        if self._simulation.history.worker:
            self.fail("a worker is given to the balancer")

    def what_must_not_run_twice_does_not(self, name: str, release: Release) -> None:
        """With `recreate` nothing is launched while anything of another release runs, be it in its grace."""
        simulation = self._simulation
        platform, ledger = simulation.platform, simulation.ledger
        strategy = ledger.active.strategy if ledger.active else release.service.strategy
        if strategy.name != "recreate" or name in platform.lives:
            return
        now = platform.clock.now()
        others = [
            life.id
            for life in platform.of(KEY)
            if life.release.number != release.number and life.truth(now) is not Health.EXITED
        ]
        if others:
            self.fail(f"{name} is launched while {others} run")

    @staticmethod
    def _floor(ledger: Ledger) -> int:
        """Below which our own actions take no capacity; 0 where nothing is to be kept."""
        if ledger.active:
            return limits(ledger.active).floor
        if ledger.current is None:
            return 0
        return bounds(ledger.release(ledger.current).service.strategy, ledger.wanted).floor

    def a_size_keeps_floor_and_surge(self, release: int, count: int) -> None:
        """Where the platform chooses victims: whichever it chooses, capacity stays above the floor.

        Who failed since the controller looked is no victim any more, and counts: nobody can know of it yet.
        """
        simulation, self._shrinks = self._simulation, ""
        ledger, cloud = simulation.ledger, simulation.cloud
        if cloud is None:
            return
        sizes = {number: kept for number, (_, kept) in cloud.sizes.get(KEY, {}).items()}
        if ledger.active and count > sizes.get(release, 0):
            ceiling = limits(ledger.active).ceiling
            if sum({**sizes, release: count}.values()) > ceiling:
                self.fail(f"release {release} grows to {count} beside {sizes}, the ceiling is {ceiling}")
        now, floor, spent = simulation.platform.clock.now(), self._floor(ledger), self.remains(ledger)
        running = [life for life in simulation.platform.of(KEY) if life.truth(now) is not Health.EXITED]
        staying = {life.id for life in running if life.drains_until is None}
        serving = [
            life
            for life in simulation.platform.ever.values()
            if life.service == KEY and life.id not in self._victims and life.release.number not in spent
            if self.has_work(life) and self._known.passes(life, now)
        ]
        mine = sum(life.release.number == release and life.id in staying for life in serving)
        kept = count + sum(life.id in cloud.outdated and life.id in staying for life in running)  # until others serve
        goes = max(0, sum(life.release.number == release and life.id in staying for life in running) - kept)
        had = sum(life.id in staying and life.truth(now) is Health.HEALTHY for life in serving)
        if len(serving) - min(mine, goes) < min(had, floor):
            self._shrinks = f"of {len(serving)} that serve {goes} may go, the floor is {floor}"

    def resized(self) -> None:
        """A size was taken: who was well and drains now is its victim."""
        if self._shrinks:
            self.fail(self._shrinks)
        now = self._simulation.platform.clock.now()
        healthy = (life for life in self._simulation.platform.of(KEY) if life.truth(now) is Health.HEALTHY)
        self._victims |= {life.id for life in healthy if life.drains_until is not None}

    def has_work(self, life: Life) -> bool:
        """On a cloud, where whoever is healthy is registered: a share of the traffic leads to it; of workers always."""
        exposure = self._simulation.platform.exposed.get(KEY)
        return self._simulation.history.worker or bool(exposure and exposure.routing.weight(life.release.number))

    def a_canary_gets_no_more_than_its_step(self, routing: Routing) -> None:
        """The share of a new release is that of the step it is at, as long as the old one can carry the rest."""
        simulation = self._simulation
        rollout, now = simulation.ledger.active, simulation.platform.clock.now()
        if rollout is None or rollout.state is not State.RUNNING or rollout.source is None:
            return
        allowed = journey(rollout)[rollout.step].share
        old = [life for life in simulation.platform.of(KEY) if life.release.number == rollout.source]
        total = sum(weight for _, weight in routing.weights)
        if allowed is None or not total or not any(self._known.passes(life, now) for life in old):
            return
        share = 100 * routing.weight(rollout.target) / total
        if share > allowed:
            self.fail(f"release {rollout.target} gets {share:.0f} % in a step of {allowed} %")

    def nobody_stays_with_what_is_taken_back(self, routing: Routing) -> None:
        """Visitors of a release that is taken back, or was, do not stay with it."""
        ledger = self._simulation.ledger
        bad = {release.number for release in ledger.releases if release.outcome is Outcome.BAD}
        if ledger.active and ledger.active.state is State.ROLLING_BACK:
            bad.add(ledger.active.target)
        if stay := bad & set(routing.pinned):
            self.fail(f"visitors stay with {stay}, and it is taken back")

    def a_page_finds_its_parts(self, routing: Routing) -> None:
        """A release whose page somebody may still read is asked for its parts: `keep_assets` after its last share.

        Not where nothing serves any more, nor what must not run twice, and instances that are missing come before. Who
        comes after a controller that was killed goes by the machine's clock, and somebody may have set that.
        """
        simulation = self._simulation
        platform, ledger, now = simulation.platform, simulation.ledger, simulation.platform.clock.now()
        exposure = platform.exposed.get(KEY)
        misled = any(isinstance(trouble, ClockSet) for trouble in simulation.history.troubles)
        if exposure is None or simulation.cloud or misled or not routing.weights:
            return
        self._shared |= dict.fromkeys(dict(exposure.routing.weights), now)
        strategy = ledger.active.strategy if ledger.active else ledger.release(ledger.current or OLD).service.strategy
        wanted = ledger.active.before if ledger.active else ledger.wanted
        at = ledger.active.source if ledger.active else ledger.current
        here = sum(self._known.seen_healthy(life, now) for life in platform.of(KEY) if life.release.number == at)
        onward = ledger.active is not None and ledger.active.state is State.RUNNING
        if strategy.name == "recreate" or (here < wanted and not onward):
            return
        kept = {group.release for group in exposure.routing.groups if group.registered}
        still = {group.release for group in routing.groups if group.registered}
        asked = exposure.routing.registered()  # who has just got healthy nobody has asked yet
        for release in sorted(kept - still):
            mine = [life for life in platform.of(KEY) if life.release.number == release and life.id in asked]
            well = any(self._known.seen_healthy(life, now) and life.term_at is None for life in mine)
            if well and now - self._shared.get(release, -1e9) < strategy.keep_assets - 0.01:
                self.fail(f"pages of release {release} lose their parts")

    def a_warm_release_stands_in(self, routing: Routing) -> None:
        """Between rollouts a release that is kept warm answers while nothing of the current one can.

        Not on a cloud, where nobody would be there to give the traffic back, nor for what is scaled to nothing.
        """
        simulation = self._simulation
        ledger, control = simulation.ledger, simulation.control
        if routing.weights or simulation.cloud or control is None or ledger.active or not ledger.wanted:
            return
        loop = control.registry.loops[KEY]
        warm = {release for release, until in ledger.warm.items() if until > loop.observed_at}
        if able := sorted(i.id for i in loop.fleet.instances if i.usable and i.release in warm):
            self.fail(f"nobody answers, and {able} could")

    def the_fleet_stays_below_its_surge(self, name: str) -> None:
        """Our own actions never take the fleet above the surge bound; the same launch again is none.

        What was decided before an order came is done yet, by the bound of before.
        """
        simulation = self._simulation
        rollout, control = simulation.ledger.active, simulation.control
        if rollout is None or control is None:
            return
        platform = simulation.platform
        if name in platform.lives:
            return
        now = platform.clock.now()
        running = sum(life.truth(now) is not Health.EXITED for life in platform.of(KEY))
        ceiling = limits(rollout).ceiling
        loop = control.registry.loops[KEY]
        decided = next_step(loop.ledger.facts, loop.fleet, loop.observed_at) if running + 1 > ceiling else ()
        if any(isinstance(action, Launch) for action in decided):
            self.fail(f"another one is launched beside {running}, the ceiling is {ceiling}")

    def nothing_is_stopped_too_early(self, name: str) -> None:
        """Nothing is stopped before the balancer confirmed it gets nothing new, and it is idle or its delay over."""
        platform = self._simulation.platform
        life, exposure = platform.lives.get(name), platform.exposed.get(KEY)
        now = platform.clock.now()
        if life is None or exposure is None or life.truth(now) is Health.EXITED or life.term_at is not None:
            return
        if name in exposure.routing.registered():
            self.fail(f"{name} is stopped while it gets requests")
        drained = now - exposure.silent_since.get(name, -1e9)
        if exposure.in_flight[name] and drained < life.release.service.drain - 0.01:
            self.fail(f"{name} is stopped with {exposure.in_flight[name]} requests after {drained:g} s")

    def answered(self, life: Life) -> bool:
        """A request is over: did its instance live to answer it?"""
        now = self._simulation.platform.clock.now()
        return not life.gone(now) and life.truth(now) is Health.HEALTHY

    def at_rest(self) -> None:
        Rest(self._simulation).judge()
