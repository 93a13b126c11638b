"""Releases to Auto Scaling groups on the rig, under constant load: hosts that boot, and what goes wrong with them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from tests.e2e.by_colour import (  # noqa: F401  tests of this module, too
    test_a_canary_goes_by_weights,
    test_a_release_that_answers_500_is_taken_back,
    test_a_release_that_crashes_under_load_is_taken_back,
    test_a_release_that_is_never_healthy_gets_no_visitor,
    test_an_abort_in_the_middle_loses_nothing,
    test_blue_green_loses_nothing_and_keeps_the_old_fleet_warm,
    test_going_back_to_a_warm_release_starts_nothing,
)
from tests.rig import Rig
from tests.support.on_ecs import PACE, reached
from tests.support.on_groups import ON_HOSTS, OnGroups

from crossfade.aws.places import LEAST
from crossfade.controller.order import Order
from crossfade.core.errors import RefusedError
from crossfade.core.release import Outcome
from crossfade.core.rollout import State

pytestmark = ON_HOSTS


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnGroups]:
    async with OnGroups(rig, "shop").serving() as shop:
        yield shop


def tracks(shop: OnGroups) -> None:
    """What Terraform has for `scale: {min: 2, cpu: 70%}` of both groups: more by target tracking, fewer by an alarm."""
    scaling, cloudwatch = shop.rig.client("autoscaling"), shop.rig.client("cloudwatch")
    for name in shop.place.groups.values():
        least = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": LEAST, "Value": "2"}
        scaling.create_or_update_tags(Tags=[{**least, "PropagateAtLaunch": False}])
        target = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
        scaling.put_scaling_policy(
            AutoScalingGroupName=name,
            PolicyName=f"{name}-cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={**target, "TargetValue": 70.0, "DisableScaleIn": True},
        )
        scaling.put_scaling_policy(
            AutoScalingGroupName=name,
            PolicyName=f"{name}-quiet",
            PolicyType="StepScaling",
            AdjustmentType="ChangeInCapacity",
            StepAdjustments=[{"ScalingAdjustment": -1, "MetricIntervalUpperBound": 0.0}],
        )
        (quiet,) = scaling.describe_policies(PolicyNames=[f"{name}-quiet"])["ScalingPolicies"]
        cloudwatch.put_metric_alarm(
            AlarmName=f"{name}-quiet",
            AlarmActions=[quiet["PolicyARN"]],
            **metric(name),
            Statistic="Average",
            ComparisonOperator="LessThanThreshold",
            Threshold=46.0,
            Period=300,
            EvaluationPeriods=2,
        )


def metric(group: str) -> Any:
    dimensions = [{"Name": "AutoScalingGroupName", "Value": group}]
    return {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions}


@asynccontextmanager
async def loaded(shop: OnGroups) -> AsyncIterator[list[float]]:
    """The hosts of each group share what there is to do, minute by minute: 160 are 80 % of each of two."""
    load = [160.0]

    def tell() -> None:
        for group in shop.groups():
            said = {key: value for key, value in metric(group["AutoScalingGroupName"]).items() if key != "Namespace"}
            data = {**said, "Value": load[0] / max(1, len(group["Instances"])), "Timestamp": datetime.now(UTC)}
            shop.rig.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[data])

    async def feed() -> None:
        while True:
            await asyncio.to_thread(tell)
            await asyncio.sleep(60 / PACE)

    feeding = asyncio.create_task(feed())
    yield load
    feeding.cancel()


async def test_a_good_release_does_not_answer_for_the_one_before_it_in_its_group(shop: OnGroups) -> None:
    """The errors of a bad one are in the figures of the same target group, and stay there."""
    rollout = await shop.deploy(shop.service("after-sick", min_requests=0))
    assert rollout.state is State.SUCCEEDED, rollout.reason


async def test_an_app_that_ends_at_once_says_why(shop: OnGroups) -> None:
    """What it wrote last: its host runs on, and its container is started again and again."""
    rollout = await shop.deploy(shop.service("broken", "broken", timeout=25.0))
    assert rollout.state is State.ROLLED_BACK
    assert "no database" in rollout.reason


async def test_rolling_goes_by_sizes_with_the_weights_following(shop: OnGroups) -> None:
    """One host more, then one less; a group has no weight any more before its last host goes."""
    service = shop.service("rolling", name="rolling", max_surge=50, min_healthy=50, checkpoints=(50, 100))
    async with shop.visited() as traffic:
        rollout = await shop.deploy(service)
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert sorted(shop.sizes().values()) == [0, 2]


async def test_the_clock_of_an_instance_refresh(shop: OnGroups) -> None:
    """One host comes and is through its warmup before the first old one goes; then the same for the second."""
    warmup, old = 300 / PACE, shop.loop.ledger.current
    how = {"name": "rolling", "max_surge": 50, "min_healthy": 100, "checkpoints": (50, 100), "warmup": warmup}
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("clocked", **how))
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), rollout.reason
    told = [one for one in shop.process.told if one.kind == "intent" and one.rollout == rollout.id]
    sized = [(one.at, one.data["action"]) for one in told if one.data["action"]["do"] == "Resize"]
    assert [(action["release"], action["count"]) for _, action in sized] == [
        (rollout.target, 1),
        (old, 1),
        (rollout.target, 2),
        (old, 0),
    ]
    first, replaced, second, done = (at for at, _ in sized)
    assert min(replaced - first, done - second) >= warmup


async def test_previous_is_the_last_good_release_and_nothing_is_built(shop: OnGroups) -> None:
    """v1.0, then v1.1 that is bad, then v1.2: back from there is v1.0, by the same image."""
    good = await shop.deploy(shop.service("v1.0"))
    bad = await shop.deploy(shop.service("v1.1", "sick", timeout=25.0))
    await shop.deploy(shop.service("v1.2"))
    outcomes = {one.number: one.outcome for one in shop.loop.ledger.releases}
    assert outcomes[bad.target] is Outcome.BAD
    async with shop.visited() as traffic:
        await shop.process.orders.rollback(shop.loop, "previous", Order(by="kim"))
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "v1.0")
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0)
    assert rollout.target == good.target


async def test_a_refresh_of_another_hand_is_not_disturbed(shop: OnGroups) -> None:
    """A deploy is refused with what runs, since when and how far it is, and nothing changes."""
    await shop.until(lambda: sorted(shop.sizes().values()) == [0, 2])  # the release before has gone, of itself
    before, sizes = shop.instances(), shop.sizes()
    name = shop.place.groups[max(sizes, key=lambda colour: sizes[colour])]
    scaling = shop.rig.client("autoscaling")
    started = await asyncio.to_thread(
        scaling.start_instance_refresh,
        AutoScalingGroupName=name,
        Preferences={"MinHealthyPercentage": 100, "InstanceWarmup": 3600, "SkipMatching": True, "BakeTime": 7200},
    )
    with pytest.raises(
        RefusedError, match=rf"group {name} is being refreshed, by .*, since .*{started['InstanceRefreshId']}"
    ):
        await shop.order(shop.service("refused"))
    assert (shop.instances() - before, shop.sizes()) == (set(), sizes)
    await asyncio.to_thread(scaling.cancel_instance_refresh, AutoScalingGroupName=name)

    def over() -> bool:
        found = scaling.describe_instance_refreshes(
            AutoScalingGroupName=name, InstanceRefreshIds=[started["InstanceRefreshId"]]
        )
        return found["InstanceRefreshes"][0]["Status"] == "Cancelled"

    await shop.until(over)  # it is under way until then, and the next test's deploy would be refused as well


async def test_a_group_that_another_hand_scales_meanwhile_is_brought_back(shop: OnGroups) -> None:
    """While a release goes out the size is the release's, whoever changes it; nobody loses a request by it."""
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    async with shop.visited() as traffic:
        await shop.order(shop.service("after", name="rolling"))
        await shop.until(lambda: shop.loop.ledger.active is not None and sum(shop.sizes().values()) > 2)
        await asyncio.to_thread(
            shop.rig.client("autoscaling").set_desired_capacity,
            AutoScalingGroupName=shop.place.groups[serving],
            DesiredCapacity=1,
        )
        rollout = await shop.over()
        await shop.until(lambda: sorted(shop.sizes().values()) == [0, 2])
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), traffic.report().losses


async def test_a_group_grows_at_a_peak_keeps_that_in_a_deploy_and_shrinks_when_it_is_quiet(shop: OnGroups) -> None:
    """2 to 3 at a CPU of 80 %, three of the next release as well, and 2 again after ten quiet minutes."""
    tracks(shop)
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    await shop.until(lambda: shop.loop.knows_its_size)
    async with shop.visited() as traffic, loaded(shop) as load:
        await shop.until(lambda: shop.sizes()[serving] == 3)
        await shop.until(lambda: shop.loop.ledger.wanted == 3)
        rollout = await shop.deploy(shop.service("peak", keep_previous=0.0))
        assert (rollout.state, rollout.before, rollout.replicas) == (State.SUCCEEDED, 3, 3), rollout.reason
        await shop.until(lambda: sorted(shop.sizes().values()) == [0, 3] and shop.loop.knows_its_size)
        load[0] = 60.0
        await shop.until(lambda: sorted(shop.sizes().values()) == [0, 2])
        await shop.until(lambda: shop.loop.ledger.wanted == 2)
    assert not traffic.report().failed, traffic.report().losses


async def test_a_host_that_dies_in_the_middle_is_replaced_and_not_held_against_its_release(shop: OnGroups) -> None:
    """Its group launches another one, which the rollout waits for."""
    before = shop.instances()
    async with shop.visited() as traffic:
        await shop.order(shop.service("outlives"))
        # One, where its scaling had sent the other home by then.
        await shop.until(lambda: len(shop.instances() - before) == shop.loop.ledger.wanted)
        lost = min(shop.instances() - before)
        await asyncio.to_thread(shop.rig.ask, "DELETE", f"/instances/{lost}")
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "outlives")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert lost not in shop.instances()


async def test_throttling_and_lost_answers_change_nothing(shop: OnGroups) -> None:
    """Of ten calls one is refused, and the first change of each kind is done although nobody heard so."""
    for service in ("autoscaling", "ec2", "elbv2"):
        shop.rig.knobs.throttle(service, rate=0.1)
    for service, change in (("autoscaling", "UpdateAutoScalingGroup"), ("elbv2", "ModifyRule")):
        shop.rig.knobs.lose_answer(service, change, times=1)
    try:
        async with shop.visited() as traffic:
            rollout = await shop.deploy(shop.service("throttled"))
    finally:
        shop.rig.knobs.clear()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)


async def test_a_process_that_dies_leaves_the_rollout_to_the_next(shop: OnGroups) -> None:
    """Another process goes on with what is on record, and does not begin anew."""
    await shop.order(shop.service("carried"))
    await shop.until(lambda: shop.loop.ledger.active is not None and max(shop.sizes().values()) > 0)
    number = shop.loop.ledger.active.target  # type: ignore[union-attr]
    await shop.process.close()
    await shop.begin()
    rollout = await shop.over()
    assert (rollout.state, rollout.target) == (State.SUCCEEDED, number)
    await shop.until(lambda: shop.answer() == "carried")


async def test_a_migration_runs_on_a_host_that_serves_before_the_release_has_any(shop: OnGroups) -> None:
    """By the release's own image and settings, once, although who carries it changes in the middle."""
    before = shop.rig.calls().get("ssm:SendCommand", 0)
    migrate = "echo CROSSFADE_SCHEMA=$RELEASE; sleep 4; echo on $CROSSFADE_INSTANCE"
    serving = shop.instances()
    async with shop.visited() as traffic:
        await shop.order(shop.service("migrated", hooks={"migrate": migrate}))
        await shop.until(lambda: shop.rig.calls().get("ssm:SendCommand", 0) > before)
        await shop.process.close()
        await shop.begin()
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "migrated")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert shop.rig.calls()["ssm:SendCommand"] == before + 1
    assert shop.loop.ledger.release(rollout.target).schema == "migrated"
    (ended,) = [one for one in shop.process.told if (one.kind, one.rollout) == ("hook ended", rollout.id)]
    assert ended.data["output"].rpartition("on ")[2] in serving


async def test_a_rollback_past_a_migration_is_refused(shop: OnGroups) -> None:
    """Rolling the app back does not roll the schema back: it says so, and stays where it is."""
    serving, sizes = await shop.settled(), shop.sizes()
    assert serving == "migrated"
    with pytest.raises(RefusedError, match=r"migrated the database after release .* was made"):
        await shop.process.orders.rollback(shop.loop, "previous", Order(by="kim"))
    assert (await shop.settled(), shop.sizes()) == (serving, sizes)


async def test_a_migration_that_changes_nothing_is_known_by_its_schema(shop: OnGroups) -> None:
    """What `schema` writes before and after it is the same: a rollback past it is not refused."""
    hooks = {"migrate": "true", "schema": "seq 1000"}
    rollout = await shop.deploy(shop.service("unchanged", hooks=hooks))
    assert rollout.state is State.SUCCEEDED, rollout.reason
    (ended,) = [one for one in shop.process.told if (one.kind, one.rollout) == ("hook ended", rollout.id)]
    assert ended.data["migrated"] is False


@pytest.mark.parametrize(
    ("hook", "command", "said"),
    [
        ("migrate", "echo no such column; exit 4", "failed with code 4: no such column"),
        ("migrate", "echo waits for a lock; sleep 600", "failed with code 124: timed out after"),
        (
            "smoke",
            'echo "$CROSSFADE_HEADER of $RELEASE"; exit 3',
            "failed with code 3: x-crossfade-preview: rig-preview",
        ),
    ],
)
async def test_a_hook_that_fails_or_hangs_stops_the_release(shop: OnGroups, hook: str, command: str, said: str) -> None:
    """Its code and its last line are the reason, and no visitor ever gets there."""
    settled = await shop.settled()
    release = f"stopped-{len(said)}"
    limit = {"timeout": 6.0} if "600" in command else {}
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service(release, hooks={hook: command}, **limit))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert said in rollout.reason
    assert release not in report.releases
    assert await shop.settled() == settled


async def test_a_host_that_another_hand_attached_is_named_and_keeps_a_deploy_out(shop: OnGroups) -> None:
    """It boots nothing of ours, and would end with its group; once it is detached, releases go out again."""
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    name, scaling, ec2 = shop.place.groups[serving], shop.rig.client("autoscaling"), shop.rig.client("ec2")
    asked = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    made = (await asyncio.to_thread(ec2.run_instances, **asked))["Instances"][0]["InstanceId"]
    which = {"AutoScalingGroupName": name, "InstanceIds": [made]}
    await asyncio.to_thread(scaling.attach_instances, **which)
    with pytest.raises(RefusedError, match=f"somebody else attached {made} to group {name}"):
        await shop.order(shop.service("refused"))
    await asyncio.to_thread(scaling.detach_instances, **which, ShouldDecrementDesiredCapacity=True)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("detached"))
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), (rollout.reason, traffic.report().losses)
    there = (await asyncio.to_thread(ec2.describe_instances, InstanceIds=[made]))["Reservations"][0]["Instances"][0]
    assert there["State"]["Name"] == "running"
    await asyncio.to_thread(ec2.terminate_instances, InstanceIds=[made])


async def test_a_mix_of_instance_types_is_kept_by_a_release(shop: OnGroups) -> None:
    """Its groups go on to choose among them; only which version their template has is the release's."""
    scaling, types = shop.rig.client("autoscaling"), [{"InstanceType": "t3.micro"}, {"InstanceType": "t3a.micro"}]
    for group in shop.groups():
        template = {name: group["LaunchTemplate"][name] for name in ("LaunchTemplateId", "Version")}
        mix = {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": types}}
        asked = {"AutoScalingGroupName": group["AutoScalingGroupName"], "MixedInstancesPolicy": mix}
        await asyncio.to_thread(scaling.update_auto_scaling_group, **asked)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("mixed"))
        await shop.until(lambda: shop.answer() == "mixed")
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), (rollout.reason, traffic.report().losses)
    for group in shop.groups():
        assert "LaunchTemplate" not in group
        assert group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == types
