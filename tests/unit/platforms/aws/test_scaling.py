"""Application Auto Scaling: at rest while a release goes out, at work once it is out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.in_moto import KEY, InMoto, in_moto
from tests.support.moto import REGION

from crossfade.core.job import Moment, Scale
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.ecs.scaling import DIMENSION, NAMESPACE, RETIRES, Scaling
from crossfade.platforms.aws.sight import Side, Sight

WEB = Service(app="shop", name="web", environment="dev", runtime="ecs")
OLD, NEW = 1, 2
SERVES = Release(number=NEW, service=WEB, version="", digest="", config_hash="")


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        aws.lay_out()
        yield aws


async def free() -> None: ...


class Noting(Clients):
    """Keeps what is registered."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(REGION, endpoint=endpoint)
        self.registered: list[Any] = []

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "register_scalable_target":
            self.registered.append(parameters)
        return await super().call(service, operation, before, **parameters)


def scales(aws: InMoto, *colours: str) -> None:
    """As Terraform makes it for both colours of a service that scales."""
    for colour in colours:
        aws.aws("application-autoscaling").register_scalable_target(
            ServiceNamespace=NAMESPACE,
            ResourceId=f"service/shop-dev/shop-dev-web-{colour}",
            ScalableDimension=DIMENSION,
            MinCapacity=2,
            MaxCapacity=10,
        )


def seen(aws: InMoto) -> dict[str, tuple[bool, int]]:
    """By colour, whether anything of its scaling rests, and its most."""
    targets = aws.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace=NAMESPACE)[
        "ScalableTargets"
    ]
    return {
        one["ResourceId"].rpartition("-")[2]: (
            one.get("SuspendedState", {}).get("DynamicScalingOutSuspended", False),
            one["MaxCapacity"],
        )
        for one in targets
    }


def retires(aws: InMoto) -> list[Any]:
    asked = {"ServiceNamespace": NAMESPACE, "ScheduledActionNames": [RETIRES]}
    return list(aws.aws("application-autoscaling").describe_scheduled_actions(**asked)["ScheduledActions"])


def actions(aws: InMoto) -> set[tuple[str, str]]:
    """Colour and name of each."""
    found = aws.aws("application-autoscaling").describe_scheduled_actions(ServiceNamespace=NAMESPACE)
    return {(one["ResourceId"].rpartition("-")[2], one["ScheduledActionName"]) for one in found["ScheduledActions"]}


async def sight(aws: InMoto, blue: int, green: int) -> Sight:
    """Two tasks of a release in each colour; 0 is none."""
    place = await aws.finder.place(KEY)

    def side(colour: str, number: int) -> Side:
        release = Release(number=number, service=WEB, version="", digest="", config_hash="") if number else None
        size = 2 if number else 0
        return Side(
            colour=colour, definition="", release=release, wanted=size, live=size, weight=0, failed=False, since=0.0
        )

    return Sight(place=place, at=0.0, born=0.0, sides={"blue": side("blue", blue), "green": side("green", green)})


async def test_a_release_that_goes_out_is_not_scaled(aws: InMoto) -> None:
    """Both colours rest; done again, nothing changes."""
    scales(aws, "blue", "green")
    scaling, now = Scaling(aws.clients, aws.places, SystemClock()), await sight(aws, OLD, NEW)
    await scaling.suspend(now.place, free)
    assert seen(aws) == {"blue": (True, 10), "green": (True, 10)}
    before = aws.clients.asked["application-autoscaling register_scalable_target"]
    await scaling.suspend(now.place, free)
    assert aws.clients.asked["application-autoscaling register_scalable_target"] == before


async def test_what_serves_scales_again_and_what_is_warm_goes_home_by_itself(aws: InMoto) -> None:
    """At its time, in case that nobody is there; whoever comes before takes that back."""
    scales(aws, "blue", "green")
    clock = SystemClock()
    scaling, now = Scaling(aws.clients, aws.places, clock), await sight(aws, OLD, NEW)
    await scaling.suspend(now.place, free)
    assert await scaling.resume(now, SERVES, {OLD: clock.now() + 600}, free) is None
    assert seen(aws) == {"blue": (True, 10), "green": (False, 10)}
    assert await scaling.resume(now, SERVES, {OLD: clock.now() + 600}, free) == 2  # from now on it is scaling's count
    (action,) = retires(aws)
    assert action["ResourceId"].endswith("-blue")
    assert action["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
    assert action["Schedule"].startswith("at(2")
    await scaling.suspend(now.place, free)
    assert retires(aws) == []


async def test_a_colour_that_went_home_grows_as_the_other_one_does(aws: InMoto) -> None:
    """The scheduled action left it with a most of 0."""
    scales(aws, "blue", "green")
    aws.aws("application-autoscaling").register_scalable_target(
        ServiceNamespace=NAMESPACE,
        ResourceId="service/shop-dev/shop-dev-web-blue",
        ScalableDimension=DIMENSION,
        MinCapacity=0,
        MaxCapacity=0,
    )
    await Scaling(aws.clients, aws.places, SystemClock()).resume(await sight(aws, NEW, OLD), SERVES, {}, free)
    assert seen(aws) == {"blue": (False, 10), "green": (True, 10)}


async def test_bounds_by_the_clock_go_with_what_serves(aws: InMoto) -> None:
    """Those of what came last hold at once, also for the count; the other colour has no such action."""
    scales(aws, "blue", "green")
    came = Moment(name="dawn", least=3, most=5, schedule="* * * * *")
    will = Moment(name="sale", least=8, most=20, at=SystemClock().now() + 600)
    was = Moment(name="gone", least=1, most=1, at=SystemClock().now() - 86_400)
    service = replace(WEB, scale=Scale(least=2, most=10, moments=(came, was, will)))
    scaling, now = Scaling(aws.clients, aws.places, SystemClock()), await sight(aws, OLD, NEW)
    assert await scaling.resume(now, replace(SERVES, service=service), {}, free) == 3
    assert seen(aws) == {"blue": (True, 10), "green": (False, 5)}
    assert actions(aws) == {("green", "crossfade.dawn"), ("green", "crossfade.sale")}
    back = replace(SERVES, number=OLD, service=service)
    await scaling.resume(now, back, {}, free)
    assert actions(aws) == {("blue", "crossfade.dawn"), ("blue", "crossfade.sale")}
    await scaling.resume(now, replace(back, service=WEB), {}, free)
    assert actions(aws) == set()


async def test_a_service_that_does_not_scale_is_left_alone(aws: InMoto) -> None:
    """But for a warm fleet, which is to go all the same."""
    clock = SystemClock()
    scaling, now = Scaling(aws.clients, aws.places, clock), await sight(aws, OLD, NEW)
    await scaling.suspend(now.place, free)
    await scaling.resume(now, SERVES, {}, free)
    assert seen(aws) == {}
    await scaling.resume(now, SERVES, {OLD: clock.now() + 600}, free)
    assert seen(aws) == {"blue": (True, 5000)}
    assert len(retires(aws)) == 1


async def test_what_sends_a_warm_fleet_home_has_the_environments_tags(aws: InMoto) -> None:
    """Where Terraform made no target: by them whoever deploys may change ours, and it says them once."""
    clients, clock = Noting(aws.endpoint), SystemClock()
    scaling, now = Scaling(clients, aws.places, clock), await sight(aws, OLD, NEW)
    for _ in range(2):
        await scaling.resume(now, SERVES, {OLD: clock.now() + 600}, free)
    assert [one.get("Tags") for one in clients.registered] == [aws.places.tags(), None]
    await clients.close()


async def test_what_does_not_scale_is_not_held_to_nobody_when_it_serves_again(aws: InMoto) -> None:
    """The target of ours that sent its colour home has a most of 0, and rests for good."""
    clock = SystemClock()
    scaling, now = Scaling(aws.clients, aws.places, clock), await sight(aws, OLD, NEW)
    await scaling.resume(now, SERVES, {OLD: clock.now() + 600}, free)
    aws.aws("application-autoscaling").register_scalable_target(
        ServiceNamespace=NAMESPACE,
        ResourceId="service/shop-dev/shop-dev-web-blue",
        ScalableDimension=DIMENSION,
        MinCapacity=0,
        MaxCapacity=0,
    )
    await scaling.resume(await sight(aws, NEW, OLD), SERVES, {}, free)
    assert seen(aws) == {"blue": (True, 0)}
