"""The decision of a rollout under way."""

from collections import Counter
from dataclasses import replace

from crossfade.core.actions import (
    Action,
    Advance,
    AwaitApproval,
    Bake,
    Finish,
    Hold,
    Probe,
    RollBack,
    RunHook,
    StartBake,
)
from crossfade.core.fleet import Fleet, Health
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.strategies.course import Course, toward
from crossfade.strategies.deadline import deadline, had_its_time, patience
from crossfade.strategies.goal import Goal
from crossfade.strategies.phases import Phase, bounds, journey, limits
from crossfade.strategies.pins import Pins
from crossfade.strategies.verdict import Verdict, judge

Actions = tuple[Action, ...]


def decide(rollout: Rollout, fleet: Fleet, now: float) -> Actions:  # noqa: C901, PLR0911  a table read top down
    """The next actions of a rollout. Effects come first; a move comes alone; otherwise what is waited for.

    A migration takes the time it takes: the old release is looked after meanwhile, and only then the step's time runs.
    """
    if rollout.state.terminal:
        return ()
    if rollout.state is State.ROLLING_BACK:
        return _take_back(rollout, fleet, now)
    verdict = judge(rollout, fleet)
    if verdict.ruling == "bad":
        return (RollBack(reason=verdict.why, blame=verdict.blamed),)
    phase = journey(rollout)[rollout.step]
    goal = _goal(rollout, phase, fleet)
    course = toward(goal, fleet, now)
    if Hook.MIGRATE in rollout.hooks and not rollout.paused:
        return (*course.effects, RunHook(hook=Hook.MIGRATE, release=rollout.target))
    if _late(rollout, phase, goal, fleet, now):
        return (_too_slow(rollout, phase, fleet, now),)
    if course.effects:
        return course.effects
    if rollout.paused:
        return (Hold(why="paused: `crossfade resume` goes on"),)
    if _smoke_is_due(rollout, fleet, course):
        return (RunHook(hook=Hook.SMOKE, release=rollout.target),)
    if rollout.holding_since is not None:
        return _hold(rollout, phase, fleet, course, now)
    if course.reached:
        return (StartBake(step=rollout.step),)
    return course.waits or (_settling(fleet),)


def _settling(fleet: Fleet) -> Hold:
    """What nobody can hurry."""
    going = any(i.stopping for i in fleet.instances)
    return Hold(why="the last instances end, each in its grace" if going else "the balancer confirms the new routing")


def _sound(fleet: Fleet) -> Counter[int]:
    """By release, the instances that run and have not lost their health."""
    return Counter(i.release for i in fleet.instances if i.up and i.health is not Health.UNHEALTHY)


def _goal(rollout: Rollout, phase: Phase, fleet: Fleet) -> Goal:
    """The phase as a goal; an unsmoked target stays closed to clients."""
    want = {rollout.target: phase.new}
    shares = None if phase.share is None else {rollout.target: phase.share}
    if rollout.source is not None:
        want[rollout.source] = phase.old
        if shares is not None:
            shares[rollout.source] = 100 - (phase.share or 0)
        if rollout.strategy.name == "rollback":  # nobody wants more of what is rolled back
            want[rollout.source] = min(phase.old, _sound(fleet)[rollout.source])
    goal = Goal(
        want=want,
        shares=shares,
        serves=rollout.kind == "web",
        bounds=limits(rollout),
        need=rollout.target,
        fallback=rollout.source,
        enough=phase.new,
        closed=frozenset({rollout.target}) if Hook.SMOKE in rollout.hooks else frozenset(),
        alone=rollout.strategy.name == "recreate",
        preview=rollout.target,
        warmup=rollout.strategy.warmup,
        drain=rollout.drain,
        started_at=rollout.started_at,
        lead=rollout.target,
        until=deadline(rollout, phase, fleet),
        pins=_pins(rollout, spurned=rollout.source if rollout.back else None),
    )
    migrates = Hook.MIGRATE in rollout.hooks
    return _still(goal, rollout, fleet) if (rollout.paused or migrates) and rollout.holding_since is None else goal


def _pins(rollout: Rollout, spurned: int | None) -> Pins | None:
    return Pins.of(rollout.strategy, sticky=rollout.pins, hands_over=rollout.source, spurned=spurned)


def _still(goal: Goal, rollout: Rollout, fleet: Fleet) -> Goal:
    """On the way but halted, by a pause or a migration: nothing moves on, and what breaks is mended with the old."""
    sound = _sound(fleet)
    want = {rollout.target: min(goal.want[rollout.target], sound[rollout.target])}
    if rollout.source is not None:
        instead = rollout.before - want[rollout.target]
        want[rollout.source] = max(goal.want[rollout.source], instead, min(sound[rollout.source], rollout.before))
    weights = None if goal.shares is None else dict(fleet.routing.weights)
    return replace(goal, want=want, shares=weights)


def _late(rollout: Rollout, phase: Phase, goal: Goal, fleet: Fleet, now: float) -> bool:
    """Instances are missing that did not come in time, or that got lost while the step held and did not come back.

    Late is only who misses instances: a controller that was away for an hour goes on with those that are healthy.
    These may warm up yet: who has just come can only count from now on, and that is no fault of theirs.
    """
    if rollout.paused or goal.until is None or now < goal.until:
        return False
    return _ready(rollout.target, fleet, now, 0.0) < phase.new


def _smoke_is_due(rollout: Rollout, fleet: Fleet, course: Course) -> bool:
    """The smoke hook runs once the first instances are up and only the preview reaches them."""
    if Hook.SMOKE not in rollout.hooks:
        return False
    new = fleet.of(rollout.target)
    starting = any(i.health is Health.STARTING for i in new if i.up)
    usable = any(i.usable for i in new)
    seen = course.reached or fleet.routing.preview == rollout.target or rollout.kind == "worker"
    return usable and not starting and seen


def _hold(rollout: Rollout, phase: Phase, fleet: Fleet, course: Course, now: float) -> Actions:
    """The bake: watch, judge, ask, and only then go on. A person's word cuts it short."""
    until = (rollout.holding_since or 0.0) + phase.bake
    approved = rollout.approved >= rollout.step
    if now < until and not approved:
        return (Bake(step=rollout.step, until=until),)
    if not course.reached:
        return course.waits or (_settling(fleet),)
    if not approved and (doubts := _doubts(rollout, phase, fleet, until, now)):
        return doubts
    if rollout.step + 1 < len(journey(rollout)):
        return (Advance(step=rollout.step + 1),)
    if any(i.stopping and i.in_flight for i in fleet.instances):
        return (Hold(why="the last requests of those that are told to go: they belong to this rollout's proof"),)
    has = "has all traffic" if rollout.kind == "web" else "does all the work"
    return (Finish(state=State.SUCCEEDED, reason=f"release {rollout.target} {has}"),)


def _doubts(rollout: Rollout, phase: Phase, fleet: Fleet, until: float, now: float) -> Actions:
    """What keeps a baked step from going on by itself: no verdict yet, or a person is to be asked."""
    if phase.bake and phase.new and phase.share != 0:
        verdict = judge(rollout, fleet)
        if verdict.ruling == "inconclusive":
            return _undecided(rollout, verdict, fleet, until, now)
    if phase.approve:
        return (AwaitApproval(step=rollout.step, why=f"step {phase.label} is done and asks for `crossfade promote`"),)
    return ()


def _undecided(rollout: Rollout, verdict: Verdict, fleet: Fleet, until: float, now: float) -> Actions:
    """Never a silent pass: ask a person, send synthetic requests, or hold until the timeout takes it back."""
    rules, why = rollout.strategy.rollback_on, verdict.why
    if rules.inconclusive == "ask":
        return (AwaitApproval(step=rollout.step, why=f"{why}: `crossfade promote` or `crossfade abort`"),)
    if now >= until + rollout.strategy.timeout:
        late = f"no verdict within {rollout.strategy.timeout:g} s after the bake: {why}"
        return (RollBack(reason=late, blame=verdict.blamed, inconclusive=not verdict.blamed),)
    missing = rules.min_requests - fleet.counted(rollout.target).since(rollout.base(rollout.target)).requests
    if rules.inconclusive == "probe" and missing > 0 and rollout.target in _reached(fleet):
        return (Probe(release=rollout.target, count=missing),)
    return (Hold(why=why, until=until + rollout.strategy.timeout),)


def _reached(fleet: Fleet) -> set[int | None]:
    """Releases that the preview's way leads to: the one in preview, else the one that has all visitors."""
    routing = fleet.routing
    return {routing.preview} if routing.preview or len(routing.weights) != 1 else {routing.weights[0][0]}


def _take_back(rollout: Rollout, fleet: Fleet, now: float) -> Actions:
    """All traffic to the source as soon as it can carry it, its capacity made whole, then the target goes."""
    until = rollout.step_since + patience(rollout, rollout.before, drains=True)
    ready = 0 if rollout.source is None else _ready(rollout.source, fleet, now, 0.0)
    course = toward(_goal_back(rollout, ready, until), fleet, now)
    left = _to_go(rollout.target, fleet) - len(course.held & {i.id for i in fleet.of(rollout.target)})
    if course.reached and not left:
        return (Finish(state=_ending(rollout), reason=rollout.reason),)
    if now >= until and (missed := _missed(rollout, fleet, ready)):
        return (missed,)
    return course.effects or course.waits or (Hold(why="the last instances go"),)


def _goal_back(rollout: Rollout, ready: int, until: float) -> Goal:
    """The way back as a goal.

    Where traffic follows the instances it goes on doing so until the source can carry it all; where it has shares,
    the target's is never raised on the way.
    """
    source, whole = rollout.source, rollout.before
    enough = min(whole, bounds(rollout.strategy, whole).floor)
    follows = journey(rollout)[rollout.step].share is None and ready < max(1, enough)
    worker = rollout.kind == "worker"
    want = {rollout.target: 0}
    shares: dict[int, int] = {}
    if source is not None:
        want[source] = whole
        shares[source] = 100
    return Goal(
        want=want,
        shares=None if worker or (follows and source is not None) else shares,
        serves=not worker,
        bounds=limits(rollout),
        need=source,
        enough=max(1, enough),
        closed=frozenset({rollout.target}) if Hook.SMOKE in rollout.hooks else frozenset(),
        alone=rollout.strategy.name == "recreate",
        drain=rollout.drain,
        started_at=rollout.started_at,
        lead=source or rollout.target,
        until=until,
        pins=_pins(rollout, spurned=rollout.target),
        urgent=True,
    )


def _missed(rollout: Rollout, fleet: Fleet, ready: int) -> Finish | None:
    """How a way back ends that took too long: the service is kept at its source then, like any other.

    None while only the balancer has not followed; where a platform replaces what flaps it is never done following.
    """
    why, source, left = rollout.reason, rollout.source, _to_go(rollout.target, fleet)
    if source is not None and ready < rollout.before:
        missed = f"release {source} came back with only {ready} of {rollout.before} instances in time"
        return Finish(state=State.FAILED, reason=f"{why}; and {missed}")
    home = ((source, 100),) if source is not None and rollout.before else ()
    if (rollout.kind == "web" and fleet.routing.weights != home) or not (left or fleet.sizes):
        return None
    rest = f"; {left} of its instances are still to be stopped" if left else ""
    return Finish(state=_ending(rollout), reason=why + rest)


def _to_go(release: int, fleet: Fleet) -> int:
    """Instances that are still to be stopped, or cleared away where we do that: a platform that does may take hours."""
    return sum(fleet.sizes is None or i.health is not Health.EXITED for i in fleet.of(release))


def _ending(rollout: Rollout) -> State:
    """Without a source there was nothing to roll back to: the first deploy failed."""
    first = rollout.source is None and rollout.ending is State.ROLLED_BACK
    return State.FAILED if first else rollout.ending


def _ready(release: int, fleet: Fleet, now: float, warmup: float) -> int:
    return sum(i.ready(now, warmup) for i in fleet.of(release))


def _too_slow(rollout: Rollout, phase: Phase, fleet: Fleet, now: float) -> RollBack:
    """A release is not to blame for what the platform could not launch, nor where it has begun nothing of it on any."""
    ready = _ready(rollout.target, fleet, now, 0.0)
    complaints = sorted(f"{i.id} {i.detail}" for i in fleet.of(rollout.target) if i.detail)
    exits = [e for e in fleet.exits if e.release == rollout.target and e.at >= rollout.started_at]
    late = [i for i in fleet.of(rollout.target) if i.up and not i.usable]
    begun = not late or any(i.blamed for i in late)
    blame = any(e.blamed for e in exits) or (begun and (not exits or had_its_time(rollout, fleet, now)))
    # Where a platform has just replaced all that failed, those that are there have nothing to say yet.
    complaints += [f"{e.instance} {e.detail}" for e in exits if e.detail and (e.blamed or not blame)][-1:]
    detail = f": {complaints[0]}" if complaints else ""
    reason = (
        f"{ready} of {phase.new} instances of release {rollout.target} became healthy "
        f"within {patience(rollout, phase.new, drains=phase.share is None):g} s{detail}"
    )
    return RollBack(reason=reason, blame=blame)
