"""Weights of an Application Load Balancer: what is written, read back, and let settle before anybody goes by it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.support.places import NOWHERE

from crossfade.aws.places import Places
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import Hooks, Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.timeline import Timeline
from crossfade.platforms.aws.alb.balancer import MARGIN, AlbBalancer
from crossfade.platforms.aws.alb.counts import Counts
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.place import Colour, Finder, Place, PreviewRule
from crossfade.platforms.aws.sight import Lookout, Side, Sight, Task, previewed_colour, weights_by_colour

OLD, NEW = 1, 2
ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
COLOURS = tuple(Colour(name=one, service=one, group=f"{ELB}:targetgroup/{one}/1") for one in ("blue", "green"))
PLACE = replace(
    NOWHERE,
    key="shop@prod/web",
    cluster="shop-prod",
    colours=(COLOURS[0], COLOURS[1]),
    container="web",
    rules=("visitors",),
    preview=PreviewRule(rule="preview", header="x-preview", token="token"),
    balancer=f"{ELB}:loadbalancer/app/shop/1",
)


class Rules(Clients):
    """Two rules that keep what they are told, and the lookout that reads them, each colour with one healthy task."""

    def __init__(self, clock: SystemClock, smoke: str, place: Place) -> None:
        super().__init__(clock=clock)
        self.place = place
        self.written: list[str] = []
        self.actions = {"visitors": _forward({"blue": 100, "green": 0}), "preview": _forward({"blue": 100, "green": 0})}
        service = Service(app="shop", environment="prod", name="web", runtime="ecs", hooks=Hooks(smoke=smoke))
        self.releases = {
            number: Release(number=number, service=service, version="", digest=str(number), config_hash="")
            for number in (OLD, NEW)
        }

    async def call(self, service: str, operation: str, before: Check | None = None, /, **asked: Any) -> Answer:
        if service == "cloudwatch":
            return {"MetricDataResults": []}
        assert (service, operation) == ("elbv2", "modify_rule")
        self.written.append(asked["RuleArn"])
        self.actions[asked["RuleArn"]] = asked["Actions"]
        return {}

    def sight(self, now: float) -> Sight:
        weights = weights_by_colour(self.place, self.actions)
        sides = {
            colour: Side(
                colour=colour,
                definition=colour,
                release=self.releases[number],
                wanted=1,
                live=1,
                weight=weights[colour],
                failed=False,
                since=0.0,
            )
            for colour, number in (("blue", OLD), ("green", NEW))
        }
        tasks = (_task("blue", OLD), _task("green", NEW))
        previewed = previewed_colour(self.place, self.actions)
        return Sight(
            place=self.place, at=now, born=0.0, sides=sides, tasks=tasks, previewed=previewed, actions=self.actions
        )


class Looking(Lookout):
    def __init__(self, rules: Rules, clock: SystemClock, finder: Finder) -> None:
        super().__init__(rules, finder, clock)
        self._rules = rules

    async def _look(self, key: str) -> Sight:
        assert key == PLACE.key
        return self._rules.sight(self._clock.now())


class Open:
    """A fence that nobody stands before."""

    async def check(self, service: str, token: int) -> None: ...


def _forward(weights: Mapping[str, int]) -> list[Answer]:
    groups = [{"TargetGroupArn": one.group, "Weight": weights[one.name]} for one in COLOURS]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _task(colour: str, release: int) -> Task:
    address = f"{colour}:80"
    return Task(arn=colour, colour=colour, release=release, address=address, launched_at=0.0, health=Health.HEALTHY)


class Applied:
    """A routing as it was made so: the rules that were written, and seconds by the clock and by its own word."""

    def __init__(self, routing: Routing, smoke: str = "", place: Place = PLACE) -> None:
        timeline = Timeline.new()
        clock = SystemClock(wall=timeline.time, passed=timeline.time)
        self.rules = Rules(clock, smoke, place)
        lookout = Looking(self.rules, clock, Finder(self.rules, Places("shop", "prod")))
        balancer = AlbBalancer(self.rules, lookout, Counts(self.rules, clock), fence=Open(), clock=clock)
        self.said = timeline.run(balancer.apply(self.rules.releases[OLD].service, routing, {}, 1))
        self.took = timeline.time()
        self.reported = timeline.run(balancer.report(PLACE.key)).routing

    @property
    def weights(self) -> dict[str, int]:
        return weights_by_colour(PLACE, self.rules.actions)


SWITCH = Routing(weights=((NEW, 100),))
PREVIEW = Routing(weights=((OLD, 100),), preview=NEW)


def test_what_visitors_go_by_is_given_time_to_arrive_once() -> None:
    """However many rules it takes: who is told that it is so may send the old ones home."""
    applied = Applied(SWITCH)
    assert (applied.rules.written, applied.weights) == (["visitors", "preview"], {"blue": 0, "green": 100})
    assert (applied.took, applied.said) == (MARGIN, MARGIN)


def test_a_preview_that_nobody_is_to_ask_holds_nothing_up() -> None:
    """No visitor goes by it, and no hook."""
    applied = Applied(PREVIEW)
    assert (applied.rules.written, applied.took) == (["preview"], 0.0)


def test_a_preview_that_a_hook_is_to_ask_is_given_time_to_arrive() -> None:
    """Else the release that serves would answer, and the hook pass for it."""
    applied = Applied(PREVIEW, smoke="curl $CROSSFADE_URL")
    assert (applied.rules.written, applied.took) == (["preview"], MARGIN)


def test_what_is_so_already_is_not_written() -> None:
    """And nobody waits for it."""
    applied = Applied(Routing(weights=((OLD, 100),)))
    assert (applied.rules.written, applied.took) == ([], 0.0)


def test_where_no_rule_is_a_preview_s_it_is_as_if_it_were_told() -> None:
    """Somebody took the rule away, or Terraform made none: a rollout goes on without it, and does not ask for ever."""
    applied = Applied(PREVIEW, place=replace(PLACE, preview=None))
    assert (applied.rules.written, applied.took) == ([], 0.0)
    assert (applied.reported.preview, applied.reported.weights) == (NEW, ((OLD, 100),))
