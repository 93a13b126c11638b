"""Random histories: what is deployed over what, how instances behave, what goes wrong, who interferes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, get_args

from tests.property.trouble import (
    BalancerDead,
    BalancerGone,
    ClockSet,
    Denied,
    DiskFull,
    Frozen,
    Killed,
    LineLost,
    Ordered,
    Rival,
    Scaled,
    Struck,
    Throttled,
    Trouble,
)

from crossfade.core.fleet import Health
from crossfade.core.service import HealthCheck, Hooks, RollbackOn, Service, Sticky, Strategy, StrategyName
from crossfade.engine.dry.behaviour import Behaviour

OLD, NEW = 1, 2
CHECK = "is it well?"  # the health command of a worker
KEY = "shop/web"
STRATEGIES: tuple[StrategyName, ...] = tuple(name for name in get_args(StrategyName) if name != "rollback")


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything that makes one history, from one seed. `lives` are those of a release's instances, in turn.

    `beside` is another service that is deployed together with `new`, and before it.
    """

    seed: int
    old: Service | None
    new: Service
    lives: dict[int, tuple[Behaviour, ...]]
    hook: Behaviour
    clients: int
    every: float  # seconds between two requests of a client
    troubles: tuple[Trouble, ...]
    cloud: bool = False
    beside: Service | None = None
    beside_old: Service | None = None
    beside_lives: dict[int, tuple[Behaviour, ...]] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """The new release has nothing that speaks against it."""
        lives = (*self.lives[NEW], *self.beside_lives.get(NEW, ()))
        good = all(_is_sound(life, self.new) for life in lives)
        good = good and self.hook.code == 0 and self.hook.seconds < self.new.strategy.timeout
        if self.worker:  # nobody asks it anything
            return good
        rules = self.new.strategy.rollback_on
        if self.new.strategy.bake and rules.min_requests and (rules.inconclusive == "hold" or not self.clients):
            return False  # a release that nobody asks is not judged, and goes when it takes too long
        if rules.worse_than_previous:
            return False  # slower than the old one, if only by a little
        return good

    @property
    def returnable(self) -> bool:
        """The old releases can be started again."""
        old = (*self.lives[OLD], *self.beside_lives.get(OLD, ()))
        return all(_is_sound(life, self.new) for life in old)

    @property
    def worker(self) -> bool:
        """Nobody sends it anything."""
        return self.new.kind == "worker"

    @property
    def left_alone(self) -> bool:
        """Nobody took it back, or down."""
        taken = {"abort", "supersede", "rollback", "down"}
        return not any(isinstance(t, Ordered) and t.verb in taken for t in self.troubles)

    @property
    def taken_down(self) -> bool:
        """Somebody says so, at some time."""
        return any(isinstance(t, Ordered) and t.verb == "down" for t in self.troubles)


def _is_sound(life: Behaviour, service: Service) -> bool:
    boots = [after for after, health in life.life if health is Health.HEALTHY]
    stays = len(life.life) == 1 and bool(boots) and boots[0] <= service.strategy.timeout / 4
    check = service.health
    if service.kind == "worker":
        return stays and (check.after is not None or life.probe <= check.timeout)
    return stays and life.probe <= check.timeout and not life.error_rate and life.answer < 1.0


def sound(boot: float = 2.0, **traits: float) -> Behaviour:
    return Behaviour(life=((boot, Health.HEALTHY),), **traits)  # type: ignore[arg-type]


def ends(*life: tuple[float, Health]) -> Behaviour:
    return Behaviour(life=life)


NEVER = Behaviour(life=())


def _ill(rng: Random, boot: float) -> Behaviour:
    kinds: tuple[Callable[[], Behaviour], ...] = (
        lambda: NEVER,
        lambda: ends((boot, Health.HEALTHY), (boot + rng.choice((1.0, 5.0, 20.0, 60.0)), Health.EXITED)),
        lambda: ends((rng.choice((0.1, 3.0)), Health.EXITED)),
        lambda: _flapping(boot, rng.choice((4.0, 15.0)), rng.choice((4.0, 15.0))),
        lambda: sound(rng.choice((45.0, 200.0))),
        lambda: sound(boot, probe=rng.choice((0.9, 30.0))),
        lambda: sound(boot, error_rate=rng.choice((0.3, 1.0))),
        lambda: sound(boot, answer=6.0),
    )
    return rng.choice(kinds)()


def lasting(life: Behaviour) -> Behaviour:
    """The same as a program that is asked nothing: it runs from the first moment, and ends or does not."""
    end = [turn for turn in life.life if turn[1] is Health.EXITED][:1]
    return replace(life, life=((0.0, Health.HEALTHY), *end), probe=0.0)


def _flapping(boot: float, up: float, down: float) -> Behaviour:
    turns = [(boot, Health.HEALTHY)]
    for _ in range(6):
        turns.append((turns[-1][0] + up, Health.UNHEALTHY))
        turns.append((turns[-1][0] + down, Health.HEALTHY))
    return Behaviour(life=tuple(turns))


def lives(rng: Random, sickness: float) -> tuple[Behaviour, ...]:
    boot = rng.choice((0.0, 0.5, 2.0, 6.0))
    well = sound(
        boot,
        answer=rng.choice((0.02, 0.02, 0.5)),
        streams=rng.choice((0, 0, 0, 2)),
        grace=rng.choice((0.0, 3.0)),
        probe=rng.choice((0.0, 0.0, 0.8)),
    )
    if rng.random() >= sickness:
        return (well,)
    return tuple(_ill(rng, boot) if rng.random() < 0.6 else well for _ in range(rng.randint(1, 4)))


def strategy(rng: Random, name: StrategyName) -> Strategy:
    min_healthy, max_surge = rng.choice(((100, 100), (100, 25), (50, 50), (50, 0), (0, 0), (75, 10)))
    steps = rng.choice(((10, 50, 100), (50, 100), (100,)))
    checkpoints = rng.choice(((100,), (50, 100)))
    return Strategy(
        name=name,
        steps=steps if name in {"canary", "linear"} else (100,),
        checkpoints=checkpoints,
        bake=rng.choice((0.0, 0.0, 5.0, 20.0)),
        keep_previous=rng.choice((0.0, 30.0)),
        min_healthy=min_healthy,
        max_surge=max_surge,
        warmup=rng.choice((0.0, 0.0, 8.0)) if name == "rolling" else 0.0,
        timeout=rng.choice((30.0, 60.0)),
        rollback_on=RollbackOn(
            error_rate=rng.choice((0.05, 0.2)),
            p95_ms=rng.choice((None, 2000.0)),
            worse_than_previous=rng.choice((None, None, 2.0)),
            min_requests=rng.choice((0, 0, 5)),
            unhealthy=rng.choice((1, 1, 2)),
            crash_loop=rng.choice((2, 3)),
            inconclusive=rng.choice(("hold", "probe", "probe")),
        ),
    )


def _troubles(rng: Random, *, cloud: bool) -> tuple[Trouble, ...]:
    """None, one, or several; those that are alike may meet."""
    kinds: tuple[Callable[[], Trouble], ...] = (
        lambda: Struck(
            nth=rng.randint(1, 60),
            how=rng.choice(("refused", "lost", "slow", "late", "twice")),
            seconds=rng.choice((0.5, 3.0, 15.0)),
        ),
        lambda: Struck(nth=rng.randint(1, 200), how=rng.choice(("refused", "lost")), seconds=1.0),
        lambda: Killed(nth=rng.randint(1, 40), written=rng.random() < 0.5, seconds=rng.choice((0.5, 5.0, 100.0))),
        lambda: Killed(nth=rng.randint(1, 40), written=rng.random() < 0.5, seconds=rng.choice((0.5, 5.0))),
        lambda: LineLost(nth=rng.randint(1, 40)),
        lambda: DiskFull(nth=rng.randint(1, 40), seconds=rng.choice((5.0, 100.0))),
        lambda: BalancerDead(at=rng.uniform(0, 40), seconds=rng.choice((2.0, 90.0))),
        lambda: Frozen(at=rng.uniform(0, 40), seconds=rng.choice((3.0, 30.0, 300.0))),
        lambda: ClockSet(at=rng.uniform(0, 40), seconds=rng.choice((-3600.0, -5.0, 30.0, 3600.0))),
        lambda: Rival(at=rng.uniform(0, 40), seconds=rng.choice((2.0, 50.0))),
        lambda: Ordered(
            at=rng.uniform(0, 40),
            verb=rng.choice(("pause", "resume", "promote", "abort", "supersede", "rollback")),
        ),
    )
    return tuple(rng.choice(kinds)() for _ in range(rng.choice((0, 1, 1, 2, 3, 6))))


def history(seed: int, *, sickness: float = 0.4, cloud: bool | None = None) -> History:
    """The history of a seed; every fifth is on a cloud, every seventh of a worker.

    In every third visitors stay with their release, but not on a cloud; in every other pages have parts. In every
    eleventh the balancer is gone for a while, but not on a cloud.
    """
    rng = Random(seed)
    cloud = seed % 5 == 4 if cloud is None else cloud
    name = rng.choice(STRATEGIES)
    replicas = rng.choice((0, 1, 1, 2, 2, 3, 3, 4))
    if seed % 97 == 0:
        replicas = 17
    hooks = Hooks(migrate=rng.choice(("", "", "", "migrate")), smoke=rng.choice(("", "", "", "smoke")))
    new = Service(
        app="shop",
        name="web",
        source="/src/two",
        replicas=replicas,
        health=HealthCheck(interval=rng.choice((2.0, 5.0)), timeout=1.0, healthy=rng.choice((1, 2)), unhealthy=2),
        drain=rng.choice((0.0, 5.0, 12.0)),
        grace=2.0,
        hooks=hooks,
        strategy=replace(strategy(rng, name), keep_assets=10.0 * (seed % 2)),
        env=(("RELEASE", "new"),),
        sticky=Sticky(cookie="id", ttl=60.0, release=True) if seed % 3 == 1 and not cloud else None,
    )
    old = replace(
        new,
        source="/src/one",
        replicas=replicas if rng.random() < 0.7 else rng.choice((0, 1, 2, 4)),
        hooks=Hooks(),
        env=(("RELEASE", "old"),),
    )
    made = History(
        seed=seed,
        old=None if rng.random() < 0.12 else old,
        new=new,
        lives={OLD: lives(rng, sickness * 0.4), NEW: lives(rng, sickness)},
        hook=Behaviour(code=int(rng.random() < sickness * 0.4), seconds=rng.choice((0.0, 3.0, 25.0))),
        clients=rng.choice((0, 1, 2, 2)),
        every=rng.choice((1.5, 3.0)),
        troubles=_troubles(rng, cloud=cloud),
        cloud=cloud,
    )
    if seed % 11 == 6 and not cloud:
        made = replace(made, troubles=(*made.troubles, *_gone(Random(f"{seed}, gone"))))
    return _of_workers(made, rng) if seed % 7 == 3 else made


def _gone(rng: Random) -> tuple[Trouble, ...]:
    """The balancer, at some time, and often somebody gives up on the release meanwhile."""
    gone = BalancerGone(at=rng.uniform(0, 40), seconds=rng.choice((3.0, 60.0, 400.0)))
    verb = rng.choice(("abort", "abort", "rollback", "supersede"))
    order = Ordered(at=gone.at + rng.uniform(0, 20), verb=verb)
    return (gone, order) if rng.random() < 0.7 else (gone,)


def together(seed: int) -> History:
    """The same, of two services that go out as one release: `api`, which nobody asks anything, and `web`."""
    told, rng = history(seed), Random(f"{seed}, together")
    apart: dict[str, Any] = {"name": "api", "hooks": Hooks(), "listener": replace(told.new.listener, http=8081)}
    return replace(
        told,
        beside=replace(told.new, strategy=replace(told.new.strategy, name="rolling"), **apart),
        beside_old=None if told.old is None else replace(told.old, **apart),
        beside_lives={OLD: lives(rng, 0.1), NEW: lives(rng, 0.4)},
    )


def used(seed: int, *, cloud: bool | None = None) -> History:
    """The same, of a service that is used on: it is scaled, restarted and deployed again, also when all is over."""
    told, rng = history(seed, cloud=cloud), Random(f"{seed}, used")
    changes = "balancer.apply", "runtime.launch", "runtime.resize", "runtime.stop", "runtime.run"
    kinds: tuple[Callable[[], Trouble], ...] = (
        lambda: Ordered(at=rng.uniform(0, 120), verb="scale", size=rng.choice((0, 1, 2, 3, 5))),
        lambda: Ordered(at=rng.uniform(0, 120), verb="restart"),
        lambda: Ordered(at=rng.uniform(0, 120), verb=rng.choice(("supersede", "rollback", "down"))),
        lambda: Scaled(at=rng.uniform(0, 120), size=rng.choice((1, 2, 3, 5))),
        lambda: Throttled(at=rng.uniform(0, 60), seconds=rng.choice((20.0, 200.0)), share=rng.choice((0.3, 0.8))),
        lambda: Denied(at=rng.uniform(0, 60), seconds=rng.choice((10.0, 200.0)), what=rng.choice(changes)),
        lambda: Rival(at=rng.uniform(40, 120), seconds=rng.choice((2.0, 50.0))),
        lambda: Killed(nth=rng.randint(20, 80), written=rng.random() < 0.5, seconds=rng.choice((0.5, 5.0, 100.0))),
    )
    more = tuple(rng.choice(kinds)() for _ in range(rng.choice((1, 2, 3, 4))))
    return replace(told, troubles=(*told.troubles, *more))


def frail(seed: int) -> History:
    """The same, of a release that ends time and again once it is good, while the one before it is kept warm.

    Nobody is blamed for that any more: people go back, deploy, restart and scale meanwhile.
    """
    told, rng = used(seed if seed % 7 != 3 else seed + 1, cloud=False), Random(f"{seed}, frail")  # not of a worker
    names: tuple[StrategyName, ...] = ("blue-green", "canary", "linear")
    kept = replace(told.new.strategy, name=rng.choice(names), bake=0.0, keep_previous=rng.choice((30.0, 300.0)))
    boot, lasts = rng.choice((0.0, 2.0, 6.0)), (12.0, 20.0, 40.0)
    lives = tuple(ends((boot, Health.HEALTHY), (boot + rng.choice(lasts), Health.EXITED)) for _ in range(3))
    late = Ordered(at=rng.uniform(40, 180), verb=rng.choice(("rollback", "supersede", "restart", "scale")), size=2)
    return replace(
        told,
        seed=seed,
        old=told.old and replace(told.old, strategy=kept),
        new=replace(told.new, replicas=max(1, told.new.replicas), hooks=Hooks(), strategy=kept),
        lives={OLD: (sound(boot),), NEW: lives},
        troubles=(*told.troubles, late),
    )


def _of_workers(told: History, rng: Random) -> History:
    """The same history, of workers: healthy by running or by a command, their grace as long as a job."""
    after = rng.choice((None, 1.0, 5.0))
    check = replace(told.new.health, after=after, command="" if after is not None else CHECK)
    name = told.new.strategy.name
    strategy = replace(
        told.new.strategy, name="blue-green" if name in {"canary", "linear"} else name, keep_previous=0.0
    )
    traits: dict[str, Any] = {
        "kind": "worker",
        "sticky": None,
        "health": check,
        "drain": 0.0,
        "grace": rng.choice((2.0, 90.0)),
    }
    grown = {
        of: tuple(replace(lasting(life) if after is not None else life, grace=grace) for life in each)
        for (of, each), grace in zip(told.lives.items(), rng.choices((0.0, 3.0, 70.0), k=2), strict=True)
    }
    return replace(
        told,
        old=replace(told.old, **traits) if told.old else None,
        new=replace(told.new, **traits, strategy=strategy),
        lives=grown,
        clients=0,
    )
