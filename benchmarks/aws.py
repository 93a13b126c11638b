"""Releases on AWS, on the rig: what is lost, what a deploy takes beyond AWS's own time, how gently AWS is asked."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from tests.rig import Rig
from tests.rig.place import Place, make, task_definition, weights
from tests.support.on_ecs import PACE, OnEcs, reached
from tests.support.shipped import until
from tests.support.shop_on_aws import Shop

from benchmarks.children import BrokenError, workplace
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.controller.order import Order
from crossfade.core.rollout import State
from crossfade.load import LoadGenerator, LoadReport
from crossfade.platforms.aws.adapters import Timing

NOUN = "aws"
LAG = 2.0  # of AWS's seconds, in all of it
CLIENTS = 16
TO_HEALTHY = 300.0  # of AWS's seconds that tasks may take at most
REPLICAS = 2  # of Shop's service
BAKE = 60  # seconds in which a rollout waits and is looked at
HOW = f"""\
The [rig](../tests/rig) stands for AWS: every change reaches its data plane {LAG:g} s late. Switches go to and fro
between two warm releases at {PACE:g} times AWS's pace, under constant load; a request is lost when it gets no complete
answer, or one of 500 or above. The rest is at AWS's own pace. AWS's own time for a deploy is what its API alone takes,
looked at ten times a second: tasks of a new definition in a colour that is empty, from asked for to healthy, plus the
{Timing().margin:g} s that weights are given to get everywhere. Calls are those of a rollout that bakes for {BAKE} s. A
deploy is killed with SIGKILL while it bakes; the next command is given at once, and the time ends when that one has
done its first act.
"""
BECAUSE = """\
What happens is seen at the next look, and one in nine seconds is what sixty calls a minute allow: that tasks are
healthy is noticed late by half of that, lists are read again 4 s after an act, and the process begins and ends.
"""


async def measure(scale: Scale) -> Result:
    report = await _switched(scale)
    own, deploys, calls, resumed = await asyncio.to_thread(_at_its_own_pace, scale.aws_deploys)
    lease = Timing().lease
    return Result(
        noun=NOUN,
        title=f"{scale.aws_switches} switches on AWS under {scale.aws_requests:,} requests",
        how=HOW,
        figures=(
            Figure(name="requests lost", value=report.failed, most=0),
            Figure(name="a deploy beyond AWS's own time", value=median(deploys) - median(own), unit="s", most=10),
            Figure(name="calls of a service that waits", value=sum(calls.values()), unit="a minute", most=60),
            Figure(name="resumed after SIGKILL", value=resumed, unit="s", most=lease + 5),
        ),
        tables=(Table.of("s", {"AWS's own time": own, "deploy": deploys}),),
        notes=[f"{report.requests:,} requests, {report.requests / report.seconds:,.0f} a second", *_lost(report)],
        because=BECAUSE,
        data={
            "requests": report.requests,
            "lost": report.failed,
            "causes": dict(report.causes),
            "losses": [f"{loss.cause}: {loss.detail}" for loss in report.losses[:5]],
            "calls_a_minute": dict(calls),
            "own_s": own,
            "deploy_s": deploys,
        },
    )


def _lost(report: LoadReport) -> list[str]:
    """By what, where something was."""
    return [f"lost: {', '.join(f'{count:,} {cause}' for cause, count in report.causes.items())}"] * bool(report.failed)


async def _switched(scale: Scale) -> LoadReport:
    with Rig(pace=PACE, lag=LAG) as rig, reached(rig):
        async with OnEcs(rig, "bench") as shop:
            for release in ("one", "two"):
                await shop.deploy(shop.service(release, keep_previous=86_400.0))
            async with LoadGenerator(shop.url, clients=CLIENTS) as traffic:
                for turn in range(scale.aws_switches):
                    await shop.process.orders.rollback(shop.loop, str(1 + turn % 2), Order(by="bench", force=True))
                    if (rollout := await shop.over()).state is not State.SUCCEEDED:
                        raise BrokenError(f"a switch ended otherwise: {rollout.reason}")
                    due = scale.aws_requests * (turn + 1) / scale.aws_switches
                    while traffic.report().requests < due:  # noqa: ASYNC110  the clients tell nobody
                        await asyncio.sleep(0.1)
            return traffic.report()


def _at_its_own_pace(times: int) -> tuple[list[float], list[float], Mapping[str, float], float]:
    with Rig(pace=1, lag=LAG) as rig, workplace() as place:
        own = [_own_time(rig, make(rig, f"own{turn}")) for turn in range(times)]
        deploys = []
        for turn in range(times):  # each beside one release alone: a third one waits for the first to drain
            shop = Shop(rig, f"bench{turn}", place, pace=1)
            _deployed(shop, 1)
            _alone(rig, shop)
            deploys.append(_deployed(shop, 2))
        calls, resumed = _watched(rig, shop, 3)
    return own, deploys, calls, resumed


def _own_time(rig: Rig, place: Place) -> float:
    """Tasks of a new definition in the other colour, healthy; then all weight to them."""
    ecs, elb = rig.client("ecs"), rig.client("elbv2")
    asked = task_definition(place.family, place.service, place.image, RELEASE="2")
    definition = ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"]
    began, green = time.monotonic(), place.services["green"]
    ecs.update_service(cluster=place.cluster, service=green, taskDefinition=definition, desiredCount=2)
    while _healthy(elb, place.target_groups["green"]) < 2:
        if time.monotonic() - began > TO_HEALTHY:
            raise BrokenError("tasks did not get healthy")
        time.sleep(0.1)
    elb.modify_rule(RuleArn=place.rule, Actions=weights(place.target_groups, blue=0, green=100))
    return time.monotonic() - began + Timing().margin


def _healthy(elb: Any, group: str) -> int:
    return sum(one["TargetHealth"]["State"] == "healthy" for one in _targets(elb, group))


def _targets(elb: Any, group: str) -> list[Any]:
    found: list[Any] = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return found


def _alone(rig: Rig, shop: Shop) -> None:
    """What the place began with has drained, and its colour is empty."""
    began, elb = time.monotonic(), rig.client("elbv2")
    while sum(len(_targets(elb, group)) for group in shop.place.target_groups.values()) > REPLICAS:
        if time.monotonic() - began > TO_HEALTHY:
            raise BrokenError("tasks that were told to go are still there")
        time.sleep(1)


def _deployed(shop: Shop, release: int) -> float:
    shop.write(release, keep="10m", timeout="20m")
    began = time.monotonic()
    ran = shop.run("deploy", "-e", "dev", "--version", f"v{release}", "--json")
    took = time.monotonic() - began
    if ran.code:
        raise BrokenError(f"the deploy ended otherwise: {ran.err or ran.last}")
    return took


def _watched(rig: Rig, shop: Shop, release: int) -> tuple[Mapping[str, float], float]:
    """Calls a minute while it bakes, by operation, and the seconds from its death until the next one has its lease."""
    shop.write(release, bake="30m", keep="10m", timeout="60m")
    with shop.running("deploy", "-e", "dev", "--version", f"v{release}", "--json") as process:
        until(process, lambda event: _begins(event, "StartBake") and event["data"]["action"]["step"] == 1)
        before, began = Counter(rig.calls()), time.monotonic()
        time.sleep(BAKE)
        minutes = (time.monotonic() - began) / 60
        calls = {name: count / minutes for name, count in (Counter(rig.calls()) - before).items()}
        process.send_signal(signal.SIGKILL)
        died = time.monotonic()
        with shop.running("abort", "-e", "dev", "--json") as next_one:
            until(next_one, lambda event: "kind" in event)
            return calls, time.monotonic() - died


def _begins(event: Mapping[str, Any], what: str) -> bool:
    action: str = event["data"]["action"]["do"] if event["kind"] == "move" else ""
    return action == what
