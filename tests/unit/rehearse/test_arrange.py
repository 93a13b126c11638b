"""What of production's plan stays as it is on one machine, and what is otherwise is said."""

from crossfade.core.service import Hooks, Listener, Resources, Rule, Service, Sticky, Strategy
from crossfade.rehearse.arrange import arranged, pace, shortened, stand_in, told_times
from crossfade.rehearse.course import chosen_pace, planned

HERE = Service(app="shop", name="web", runtime="process", source="/src", command="run", env=(("LEVEL", "debug"),))
PLAN = Service(
    app="shop",
    name="web",
    environment="prod",
    runtime="ecs",
    image="acme/web",
    replicas=3,
    drain=300.0,
    grace=20.0,
    env=(("LEVEL", "info"), ("REGION", "x")),
    told=("HOST",),
    routes=(Rule(path="/api/*"),),
    listener=Listener(http=80),
    sticky=Sticky(cookie="s", ttl=3600.0),
    hooks=Hooks(migrate="migrate"),
    resources=Resources(cpu=0.5, memory=1 << 30),
    snapshot="db",
    strategy=Strategy(name="canary", steps=(10, 100), bake=300.0, approve=(10,), timeout=600.0),
)


def played(faster: float = 60.0) -> Service:
    return arranged(PLAN, HERE, "processes", port=9000, faster=faster, told={"HOST": "127.0.0.1"}).played


def test_strategy_steps_guards_hooks_and_limits_are_those_of_production() -> None:
    """Nothing of the plan is another one but its waits, and who is asked in between."""
    service = played()
    assert (service.strategy.name, service.strategy.steps) == ("canary", (10, 100))
    assert service.strategy.rollback_on == PLAN.strategy.rollback_on
    assert (service.hooks, service.resources, service.replicas) == (PLAN.hooks, PLAN.resources, 3)
    assert (service.routes, service.grace) == (PLAN.routes, 20.0)


def test_what_runs_is_what_this_machine_runs() -> None:
    """Source, command and variables are the local ones; production's others stay, and AWS's have a value."""
    service = played()
    assert (service.runtime, service.source, service.command, service.environment) == ("process", "/src", "run", "")
    assert dict(service.env) == {"LEVEL": "debug", "REGION": "x", "HOST": "127.0.0.1"}
    assert (service.listener, service.told, service.snapshot) == (Listener(host="127.0.0.1", http=9000), (), "")


def test_waits_are_divided_and_what_is_the_apps_own_is_not() -> None:
    """300 s of bake are 5 s, with bounds for what a machine cannot do faster."""
    service = played()
    assert (service.strategy.bake, service.sticky, service.drain) == (5.0, Sticky(cookie="s", ttl=60.0), 5.0)
    assert service.strategy.timeout == 30.0  # an app boots as slowly as it does
    assert shortened(PLAN, 1000.0).drain == 2.0
    assert shortened(PLAN, 1000.0).health.interval == 0.2
    assert shortened(PLAN, 1.0) == PLAN


def test_each_thing_that_is_otherwise_is_said() -> None:
    """Nobody is asked, no snapshot is taken."""
    role = arranged(PLAN, HERE, "processes", port=9000, faster=60.0, told={})
    assert role.otherwise == (
        "nobody is asked at 10 %: in production it waits there for `crossfade promote`",
        "no snapshot of the database before the migration",
    )
    assert role.played.strategy.approve == ()
    assert told_times(role.plan, role.played) == (
        "health check every 10 s -> 0.2 s, bake 5 min -> 5.0 s, drain 5 min -> 5.0 s"
    )


def test_a_stand_in_runs_nothing_of_the_app() -> None:
    """No command, hook, secret or variable of it: its limits and its plan stay."""
    service = stand_in(played(), "/usr/bin/python3", "/tmp/well", "slow")
    assert (service.command, service.source) == ("exec /usr/bin/python3 standin.py", "/tmp/well")
    assert dict(service.env) == {"STAND_IN_HEALTH": "/", "STAND_IN_SICK": "slow"}
    assert (service.hooks, service.secrets) == (Hooks(), ())
    assert (service.strategy, service.resources) == (played().strategy, PLAN.resources)


def test_the_pace_is_the_least_that_is_short_enough() -> None:
    """And the greatest there is where none is."""
    assert pace({1.0: 100.0, 5.0: 20.0, 10.0: 10.0}, 20.0) == 5.0
    assert pace({1.0: 100.0, 10.0: 30.0}, 20.0) == 10.0


def test_a_pace_is_found_by_the_plan_itself() -> None:
    """600 s of bakes in two steps come to twenty seconds thirty times faster."""
    assert planned(PLAN).seconds > 600
    assert chosen_pace((PLAN,)) == 60.0
    assert chosen_pace((HERE,)) == 1.0
