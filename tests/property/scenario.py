"""Random rollouts: what is to be deployed over what, how instances behave, what goes wrong, who interferes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, get_args

from crossfade.core.actions import Effect, Shift
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.rollout import Hook, Rollout
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import RollbackOn, Strategy, StrategyName
from crossfade.engine.simulated import Behaviour, Fault, Manner, World

NOW = 100_000.0
STARTED = NOW - 3600.0
OLD, NEW, OTHER = 4, 5, 3  # releases: the source, the target, and one that nobody asked for

Order = Literal["pause", "resume", "promote", "abort"]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that makes one simulated rollout, from one seed."""

    seed: int
    rollout: Rollout
    fleet: Fleet
    target: tuple[Behaviour, ...]  # of its n-th instance, in turn
    source: tuple[Behaviour, ...]
    manners: dict[int, Manner] = field(default_factory=dict)
    requests: float = 50.0
    hooks: dict[Hook, tuple[float, str]] = field(default_factory=dict)
    trouble: float = 0.0  # share of effects that are struck
    trouble_ends: float = 0.0  # seconds from the start
    crashes: frozenset[int] = frozenset()  # rounds after which the controller dies
    jumps: dict[int, float] = field(default_factory=dict)  # rounds after which the clock jumps, and how far
    orders: dict[int, Order] = field(default_factory=dict)  # rounds after which a person interferes
    asked: Order | None = "promote"  # what a person says who is asked

    def world(self) -> World:
        rng = Random(self.seed)
        lives = {NEW: self.target, OLD: self.source, OTHER: (Behaviour(),)}

        def fault(effect: Effect) -> Fault:
            if world.time > self.trouble_ends or rng.random() >= self.trouble:
                return Fault()
            return rng.choice(FAULTS if isinstance(effect, Shift) else (*FAULTS, TWICE))

        world = World(
            self.fleet,
            behaves=lambda release, nth: lives[release][nth % len(lives[release])],
            manners=self.manners,
            requests=self.requests,
            hooks=self.hooks,
            fault=fault,
            now=NOW,
        )
        return world


TWICE = Fault(times=2)
FAULTS = (
    Fault(times=0, failed=True),  # refused
    Fault(failed=True),  # done, but reported failed
    Fault(seconds=0.5),
    Fault(seconds=15.0),  # confirmed late
    Fault(seconds=5.0, failed=True),
    Fault(times=0, crash=True),
    Fault(crash=True),
)


def instances(release: int, count: int) -> tuple[Instance, ...]:
    """Instances that have been healthy for an hour."""
    return tuple(
        Instance(
            id=f"{release}-{nth}", release=release, health=Health.HEALTHY, launched_at=STARTED, healthy_since=STARTED
        )
        for nth in range(count)
    )


def fleet_of(counts: dict[int, int], serving: int | None) -> Fleet:
    """So many healthy instances of each release, registered all, with the traffic on one."""
    groups = tuple(
        TargetGroup(release=release, registered=tuple(sorted(i.id for i in instances(release, count))))
        for release, count in sorted(counts.items())
        if count
    )
    weights = ((serving, 100),) if serving is not None and counts.get(serving) else ()
    everyone = tuple(i for release, count in sorted(counts.items()) for i in instances(release, count))
    return Fleet(instances=everyone, routing=Routing(groups=groups, weights=weights))


def sound(boot: float = 2.0, **traits: float) -> Behaviour:
    return replace(Behaviour(life=((boot, Health.HEALTHY),)), **traits)  # type: ignore[arg-type]


def crashes(boot: float, after: float) -> Behaviour:
    return Behaviour(life=((boot, Health.HEALTHY), (boot + after, Health.EXITED)))


def flaps(boot: float, up: float, down: float) -> Behaviour:
    turns = [(boot, Health.HEALTHY)]
    for _ in range(6):
        turns.append((turns[-1][0] + up, Health.UNHEALTHY))
        turns.append((turns[-1][0] + down, Health.HEALTHY))
    return Behaviour(life=tuple(turns))


NEVER = Behaviour(life=())


def exits(after: float) -> Behaviour:
    return Behaviour(life=((after, Health.EXITED),))


def _lives(rng: Random, sickness: float) -> tuple[Behaviour, ...]:
    """What the instances of a release do, in turn; the larger `sickness`, the more of them do badly."""
    boot = rng.choice((0.0, 0.5, 2.0, 10.0))
    well = sound(
        boot, request=rng.choice((0.1, 0.1, 5.0, 40.0)), streams=rng.choice((0, 0, 0, 3)), grace=rng.choice((0.1, 5.0))
    )
    if rng.random() >= sickness:
        return (well,)
    ill: tuple[Callable[[], Behaviour], ...] = (
        lambda: NEVER,
        lambda: crashes(boot, rng.choice((0.5, 5.0, 20.0, 60.0))),
        lambda: flaps(boot, rng.choice((1.0, 10.0)), rng.choice((1.0, 10.0))),
        lambda: exits(rng.choice((0.1, 3.0))),
        lambda: sound(rng.choice((45.0, 300.0))),
        lambda: crashes(boot, rng.uniform(0.0, 100.0)),
    )
    kind = rng.choice(ill)
    return tuple(kind() if rng.random() < 0.5 else well for _ in range(rng.randint(1, 6)))


def strategy(rng: Random, name: StrategyName) -> Strategy:
    """A strategy with random traits, every combination of which the file allows."""
    steps = rng.choice(((10, 50, 100), (50, 100), (100,), (20, 40, 60, 80, 100)))
    checkpoints = rng.choice(((100,), (50, 100), (25, 50, 100)))
    min_healthy, max_surge = rng.choice(((100, 100), (100, 25), (50, 50), (50, 0), (0, 0), (75, 10), (90, 100)))
    stops = {"rolling": checkpoints, "recreate": (100,), "rollback": ()}.get(name, (0, *steps))
    return Strategy(
        name=name,
        steps=steps if name in {"canary", "linear"} else (100,),
        checkpoints=checkpoints,
        bake=rng.choice((0.0, 0.0, 5.0, 30.0)),
        keep_previous=rng.choice((0.0, 60.0)),
        min_healthy=min_healthy,
        max_surge=max_surge,
        warmup=rng.choice((0.0, 0.0, 5.0, 40.0)) if name == "rolling" else 0.0,
        approve=tuple(share for share in stops if rng.random() < 0.1),
        timeout=rng.choice((20.0, 60.0, 120.0)),
        rollback_on=RollbackOn(
            error_rate=rng.choice((None, 0.01, 0.05)),
            p95_ms=rng.choice((None, 500.0)),
            worse_than_previous=rng.choice((None, 2.0)),
            min_requests=rng.choice((0, 20, 200)),
            unhealthy=rng.choice((1, 1, 3)),
            crash_loop=rng.choice((2, 3, 6)),
            inconclusive=rng.choice(("hold", "ask", "probe")),
        ),
    )


def scenario(
    seed: int,
    *,
    strategies: tuple[StrategyName, ...] = get_args(StrategyName),
    sickness: float = 0.5,
    trouble: bool = True,
    people: bool = True,
) -> Scenario:
    """The rollout of a seed. Without sickness, trouble and people nothing stands in its way."""
    rng = Random(seed)
    name = rng.choice(strategies)
    replicas = rng.choice((0, *(1, 1, 2, 2, 3, 3, 4, 5) * 2, 11))
    before = replicas if rng.random() < 0.7 else rng.choice((0, 1, 2, 4, 6))
    first = name != "rollback" and rng.random() < 0.15
    plan = strategy(rng, name)
    running = {} if first else {OLD: max(0, before - (rng.choice((0, 0, 0, 1)) if sickness else 0))}
    if name == "rollback" and rng.random() < 0.6:
        running[NEW] = replicas
    elif name != "recreate" and trouble and rng.random() < 0.2:
        running[OTHER] = rng.randint(1, 3)
    fleet = fleet_of(running, None if first else OLD)
    hooks = {} if name == "rollback" else {hook: _hook(rng, sickness) for hook in Hook if rng.random() < 0.2}
    rollout = Rollout(
        id=1,
        service="shop/web",
        source=None if first else OLD,
        target=NEW,
        strategy=plan,
        replicas=replicas,
        source_replicas=None if first else before,
        drain=rng.choice((0.0, 10.0, 30.0)),
        started_at=NOW,
        step_since=NOW,
        hooks=frozenset(hooks),
    )
    bad = rng.random() < sickness * 0.4
    manner = Manner(error_rate=rng.choice((0.02, 0.3, 1.0)), latency_ms=rng.choice((20.0, 2000.0))) if bad else Manner()
    rounds = range(1, 60)
    orders: tuple[Order, ...] = get_args(Order)
    return Scenario(
        seed=seed,
        rollout=rollout,
        fleet=fleet,
        target=_lives(rng, sickness),
        source=_lives(rng, sickness * 0.6),
        manners={NEW: manner, OLD: Manner()},
        requests=rng.choice((50.0, 50.0, 1.0, 0.0)) if sickness else 50.0,
        hooks=hooks,
        trouble=rng.choice((0.0, 0.05, 0.4)) if trouble else 0.0,
        trouble_ends=rng.choice((5.0, 60.0, 300.0)),
        crashes=frozenset(r for r in rounds if rng.random() < 0.05) if trouble and rng.random() < 0.5 else frozenset(),
        jumps={rng.choice(rounds): rng.choice((-300.0, -5.0, 30.0, 900.0))} if trouble and rng.random() < 0.3 else {},
        asked=rng.choice(("promote", "promote", "abort")) if people else "promote",
        orders={rng.choice(rounds): rng.choice(orders) for _ in range(rng.randint(0, 4))} if people else {},
    )


def _hook(rng: Random, sickness: float) -> tuple[float, str]:
    complaint = "the hook failed with code 1" if rng.random() < sickness * 0.3 else ""
    return rng.choice((0.0, 3.0, 200.0)), complaint
