"""What must hold of every single decision, whatever came before it. Each check yields what is wrong, in words."""

from collections.abc import Callable, Iterator
from random import Random

from crossfade.core.actions import Advance, Finish, Launch, RollBack, Shift, StartBake, Stop
from crossfade.core.fleet import Fleet, Health
from crossfade.core.rollout import Hook, State
from crossfade.core.routing import Routing
from crossfade.engine.simulate import ROUND, Step
from crossfade.strategies.decide import decide
from crossfade.strategies.phases import bounds, journey, limits

Complaints = Iterator[str]

# Moves come alone: what has to be mended is mended in the next round.
MOVES = (StartBake, Advance, RollBack, Finish)
BY_SHARE = {"blue-green", "canary", "linear", "rollback"}


def routing_after(step: Step) -> Routing:
    return next((a.routing for a in step.actions if isinstance(a, Shift)), step.fleet.routing)


def traffic_goes_only_to_the_healthy(step: Step) -> Complaints:
    """Traffic goes only to instances that passed their healthy threshold and have not failed since."""
    if any(isinstance(a, MOVES) for a in step.actions):
        return
    usable = {i.id for i in step.fleet.instances if i.usable}
    routing = routing_after(step)
    for name in sorted((routing.serving() | routing.registered()) - usable):
        yield f"{name} gets traffic and is not healthy"
    if Hook.SMOKE in step.rollout.hooks and routing.weight(step.rollout.target):
        yield "clients reach a release whose smoke hook has not passed"


def clients_are_answered_while_anybody_can(step: Step) -> Complaints:
    """With a floor, somebody serves as long as the release that stays, or is gone back to, has a healthy instance."""
    rollout = step.rollout
    stays = rollout.target if rollout.state is State.SUCCEEDED else rollout.source
    if limits(rollout).floor == 0 or any(isinstance(a, MOVES) for a in step.actions):
        return
    if any(i.usable for i in step.fleet.of(stays or 0)) and not routing_after(step).serving():
        yield f"nobody serves, and release {stays} could"


def capacity_stays_within_its_bounds(step: Step) -> Complaints:
    """Our own actions never take healthy capacity below the floor, nor the fleet above the surge bound."""
    rollout, fleet = step.rollout, step.fleet
    current: int | None = None
    over = rollout.state.terminal
    if over:
        done = rollout.state is State.SUCCEEDED
        current, size = (rollout.target, rollout.replicas) if done else (rollout.source, rollout.before)
        room = bounds(rollout.strategy, size)
        floor = 0 if current is None else room.floor
        ceiling = room.ceiling + (sum(i.usable for i in fleet.of(rollout.source or 0)) if done else 0)
        counted = {current}
    else:
        floor, ceiling = limits(rollout).floor, limits(rollout).ceiling
        counted = {i.release for i in fleet.instances}
    serving, will_serve = fleet.routing.serving(), routing_after(step).serving()
    for warmup in {0.0, rollout.strategy.warmup if rollout.state is State.RUNNING else 0.0}:
        ready = {i.id for i in fleet.instances if i.ready(step.at, warmup) and i.release in counted}
        had, has = len(ready & serving), len(ready & will_serve)
        if has < min(had, floor):
            yield f"capacity goes from {had} to {has}, the floor is {floor}, with a warmup of {warmup:g} s"
    for action in step.actions:
        if isinstance(action, Launch) and over and action.release != current:
            yield f"release {action.release} is launched, which is not to stay"
    launched = sum(a.count for a in step.actions if isinstance(a, Launch))
    running = sum(i.health is not Health.EXITED for i in fleet.instances)
    if launched and running + launched > ceiling:
        yield f"{launched} are launched beside {running}, the ceiling is {ceiling}"


def nothing_is_stopped_too_early(step: Step) -> Complaints:
    """Nothing is stopped before the balancer confirmed it gets no new requests and it is idle or its delay over."""
    instances = {i.id: i for i in step.fleet.instances}
    for action in step.actions:
        if not isinstance(action, Stop):
            continue
        instance = instances[action.instance]
        if instance.health is Health.EXITED:
            continue
        if instance.id in step.fleet.routing.registered():
            yield f"{instance.id} is stopped while it gets requests"
        since = instance.draining_since
        if instance.in_flight and (since is None or step.at < since + step.rollout.drain):
            yield f"{instance.id} is stopped with {instance.in_flight} requests in flight and time to drain"


def shares_grow_only_while_it_runs_well(step: Step) -> Complaints:
    """The new release's share grows only with all its instances ready, never past its step, never on the way back."""
    rollout, fleet = step.rollout, step.fleet
    if rollout.state.terminal or rollout.strategy.name not in BY_SHARE:
        return
    source_answers = any(i.usable for i in fleet.of(rollout.source or 0))
    had, has = (_share(r, rollout.target) for r in (fleet.routing, routing_after(step)))
    if has <= had or not source_answers or not fleet.routing.serving():
        return
    phase = journey(rollout)[rollout.step]
    ready = sum(i.ready(step.at, rollout.strategy.warmup) for i in fleet.of(rollout.target))
    if rollout.state is State.ROLLING_BACK:
        yield f"its share grows from {had:.0%} to {has:.0%} while it is taken back"
    if ready < phase.new:
        yield f"its share grows from {had:.0%} to {has:.0%} with {ready} of {phase.new} ready"
    if has > (phase.share or 0) / 100:
        yield f"its share grows to {has:.0%} in a step of {phase.share} %"
    if rollout.paused and rollout.holding_since is None:
        yield f"its share grows to {has:.0%} while the rollout is paused"


def _share(routing: Routing, release: int) -> float:
    total = sum(weight for _, weight in routing.weights)
    return routing.weight(release) / total if total else 0.0


def recreate_runs_one_release(step: Step) -> Complaints:
    """Recreate never runs two releases at once."""
    running = {i.release for i in step.fleet.instances if i.health is not Health.EXITED}
    if step.rollout.strategy.name == "recreate" and len(running) > 1:
        yield f"releases {sorted(running)} run at once"


def decisions_are_deterministic(step: Step) -> Complaints:
    """The same fleet, in whatever order it is reported, gives the same decision."""
    if step.rollout.state.terminal or int(step.at / ROUND) % 4:  # every fourth round: it costs as much as the rest
        return
    order = list(step.fleet.instances)
    Random(len(order)).shuffle(order)
    fleet = Fleet(
        instances=tuple(order),
        routing=step.fleet.routing,
        counters=tuple(reversed(step.fleet.counters)),
        exits=step.fleet.exits,
    )
    if (again := decide(step.rollout, fleet, step.at)) != step.actions:
        yield f"in another order {again} is decided"


def moves_come_alone(step: Step) -> Complaints:
    """A move of the rollout comes alone."""
    if len(step.actions) > 1 and any(isinstance(a, MOVES) for a in step.actions):
        yield "a move comes with other actions"
    if not step.rollout.state.terminal and not step.actions:
        yield "nothing is decided and nothing waited for"


ALWAYS: tuple[Callable[[Step], Complaints], ...] = (
    traffic_goes_only_to_the_healthy,
    clients_are_answered_while_anybody_can,
    capacity_stays_within_its_bounds,
    nothing_is_stopped_too_early,
    shares_grow_only_while_it_runs_well,
    recreate_runs_one_release,
    decisions_are_deterministic,
    moves_come_alone,
)
