"""Releases that CodeDeploy brings to Auto Scaling groups of the rig, under constant load, and hooks that say no."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.e2e.by_colour import (  # noqa: F401  a test of this module, too
    test_a_release_that_answers_500_is_taken_back,
)
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.on_ecs import CALLS_A_MINUTE, PACE, calls_a_minute, reached
from tests.support.on_groups import ON_HOSTS
from tests.support.on_revisions import OnRevisions

from crossfade.aws.places import Places
from crossfade.aws.terraform.revision import carried
from crossfade.controller.order import Order
from crossfade.core.errors import RefusedError
from crossfade.core.release import Outcome
from crossfade.core.rollout import State
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.ports.logs import LogQuery
from crossfade.load import LoadGenerator
from crossfade.platforms.aws.adapters import Adapters
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.codedeploy.revisions import located

pytestmark = ON_HOSTS
# Begun anew by its host, a process that ended finds that it had been there.
ONCE = """\
import pathlib, sys
if pathlib.Path("began").exists():
    sys.exit("no database")
pathlib.Path("began").touch()
"""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnRevisions]:
    """The first release serves."""
    async with OnRevisions(rig, "shop") as shop:
        rollout = await shop.deploy(shop.service("v1"))
        assert rollout.state is State.SUCCEEDED, rollout.reason
        await shop.until(lambda: shop.answer() == "v1")
        yield shop


async def test_a_revision_goes_out_to_the_idle_group(shop: OnRevisions) -> None:
    """One deployment brings it to both hosts; the switch is crossfade's, and nobody loses a request."""
    before = len(shop.deployments())
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        rollout = await shop.deploy(shop.service("v2"))
        await shop.until(lambda: shop.answer() == "v2")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert len(shop.deployments()) == before + 1
    assert sorted(shop.sizes().values()) == [2, 2]


async def test_what_processes_write_is_read_from_their_hosts_agent(shop: OnRevisions) -> None:
    """Each line by the host that wrote it; the hosts that are kept warm have theirs."""
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    (group,) = [one for one in shop.groups() if one["AutoScalingGroupName"] == shop.place.groups[serving]]
    said = {(one.writer, one.line) async for one in shop.process.adapters.runtime.logs(shop.key, LogQuery())}
    mine = {one["InstanceId"] for one in group["Instances"]}
    assert {line for host, line in said if host in mine} == {f"release {shop.answer()} starts"}
    assert {line for host, line in said if host not in mine} <= {"release v1 starts"}


async def test_a_hook_that_fails_sends_nobody_there(shop: OnRevisions) -> None:
    """ValidateService says no although the load balancer found the app well; the old group was never touched."""
    serving, instances = await shop.settled(), shop.instances()
    hook = "#!/bin/sh\necho the database has no table orders\nexit 3\n"
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        rollout = await shop.deploy(shop.service("bad", files=shop.hooks(ValidateService=hook)))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert "ValidateService failed: ValidateService.sh failed with exit code 3: the database has no" in rollout.reason
    assert set(report.releases) == {serving}
    assert shop.loop.ledger.releases[-1].outcome is Outcome.BAD
    await shop.until(lambda: shop.instances() < instances)


async def test_a_hook_that_hangs_is_ended_and_sends_nobody_there(shop: OnRevisions) -> None:
    """By its limit in the appspec, which the reason says."""
    serving, files = await shop.settled(), shop.hooks(AfterInstall="#!/bin/sh\nsleep 600\n", limit=60)
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        rollout = await shop.deploy(shop.service("hangs", files=files))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert "AfterInstall failed: AfterInstall.sh failed to complete in 60 seconds" in rollout.reason
    assert await shop.settled() == serving


async def test_hosts_whose_agent_never_answers_are_no_fault_of_the_release(shop: OnRevisions) -> None:
    """Nothing of it was begun on any: it goes back unblamed, and the reason says where to look."""
    serving = await shop.settled()
    begun = {one["deploymentId"] for one in shop.deployments()}
    async with shop.without_agents(), LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        rollout = await shop.deploy(shop.service("unheard", timeout=25.0))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert "no host's agent has taken CodeDeploy's d-" in rollout.reason
    assert "systemctl status codedeploy-agent" in rollout.reason
    assert shop.loop.ledger.releases[-1].outcome is not Outcome.BAD
    assert set(report.releases) == {serving}
    await shop.until(
        lambda: {one["status"] for one in shop.deployments() if one["deploymentId"] not in begun} == {"Stopped"}
    )
    assert await shop.settled() == serving


async def test_a_release_comes_back_to_a_group_that_was_empty(shop: OnRevisions) -> None:
    """By the launch hook of the group, which has its revision still: nothing is built, uploaded or deployed by us."""
    begun, uploads = len(shop.deployments("user")), shop.rig.calls()["s3:PutObject"]
    known = {one["deploymentId"] for one in shop.deployments()}
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        await shop.process.orders.rollback(shop.loop, "previous", Order(by="kim"))
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "v1")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert (len(shop.deployments("user")), shop.rig.calls()["s3:PutObject"]) == (begun, uploads)
    brought = [one for one in shop.deployments("autoscaling") if one["deploymentId"] not in known]
    assert [one["status"] for one in brought] == ["Succeeded"] * 2


async def test_a_host_that_scaling_adds_gets_the_same_revision(shop: OnRevisions) -> None:
    """It is held until it has it, so that nobody meets a host without one."""
    await shop.until(lambda: shop.loop.knows_its_size)  # or crossfade sets the size itself once more
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        name, brought = shop.place.groups[serving], len(shop.deployments("autoscaling"))
        shop.rig.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
        await shop.until(lambda: len(shop.deployments("autoscaling")) == brought + 1)
        await shop.until(lambda: shop.healthy(serving) == 3)
        await shop.until(lambda: shop.loop.ledger.wanted == 3)
        shop.rig.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
        await shop.until(lambda: shop.healthy(serving) == 2)
    await shop.until(lambda: shop.loop.ledger.wanted == 2)  # or what goes out next has the size of a moment ago
    report = traffic.report()
    assert (report.failed, len(report.releases)) == (0, 1), report.losses


async def test_a_deployment_that_somebody_stops_goes_back_and_is_no_fault_of_the_release(shop: OnRevisions) -> None:
    """As an emergency stop by hand; the visitors stay where they were."""
    serving, files = await shop.settled(), shop.hooks(AfterInstall="#!/bin/sh\nsleep 600\n", limit=3000)
    await shop.order(shop.service("stopped", files=files))
    await shop.until(lambda: any(one["status"] == "InProgress" for one in shop.deployments("user")))
    (running,) = [one for one in shop.deployments("user") if one["status"] == "InProgress"]
    shop.rig.client("codedeploy").stop_deployment(deploymentId=running["deploymentId"])
    rollout = await shop.over()
    assert rollout.state is State.ROLLED_BACK
    assert f"somebody stopped CodeDeploy's {running['deploymentId']}" in rollout.reason
    assert shop.loop.ledger.releases[-1].outcome is not Outcome.BAD
    assert await shop.settled() == serving


async def test_an_abort_stops_what_codedeploy_is_at(shop: OnRevisions) -> None:
    """Nobody was sent there, and the release is not to blame."""
    serving, files = await shop.settled(), shop.hooks(AfterInstall="#!/bin/sh\nsleep 600\n", limit=3000)
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        await shop.order(shop.service("aborted", files=files))
        await shop.until(lambda: any(one["status"] == "InProgress" for one in shop.deployments("user")))
        (running,) = [one for one in shop.deployments("user") if one["status"] == "InProgress"]
        await shop.process.orders.abort(f"{shop.app}@dev", "web", Order(by="kim"))
        rollout = await shop.over()
    assert (rollout.state, traffic.report().failed) == (State.ABORTED, 0), traffic.report().losses
    stopped = {one["deploymentId"] for one in shop.deployments("user") if one["status"] == "Stopped"}
    assert running["deploymentId"] in stopped
    assert shop.loop.ledger.releases[-1].outcome is Outcome.ABORTED
    assert await shop.settled() == serving


@pytest.mark.parametrize("lost", [1, 2])
async def test_hosts_that_die_while_codedeploy_is_at_them_are_no_fault_of_the_release(
    shop: OnRevisions, lost: int
) -> None:
    """Nobody says how their hooks went: the deployment is stopped, and begun anew once others are in their place."""
    before, known = shop.instances(), {one["deploymentId"] for one in shop.deployments("user")}
    release, files = f"outlives-{lost}", shop.hooks(AfterInstall="#!/bin/sh\nsleep 6\n")

    def begun() -> list[str]:
        return [one["status"] for one in shop.deployments("user") if one["deploymentId"] not in known]

    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        await shop.order(shop.service(release, files=files, timeout=120.0))
        await shop.until(lambda: begun() == ["InProgress"])
        dead = sorted(shop.instances() - before)[:lost]
        for host in dead:
            shop.rig.ask("DELETE", f"/instances/{host}")
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == release)
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), rollout.reason
    assert sorted(begun()) == ["Stopped", "Succeeded"]
    assert len(dead) == lost
    assert not shop.instances().intersection(dead)


async def test_processes_that_end_under_load_take_their_release_back(shop: OnRevisions) -> None:
    """Some seconds after their start, and at once from then on; all others serve, and go on to."""
    before = await shop.settled()
    files = {"app.py": f"{ONCE}{APP.read_text()}", **shop.hooks()}
    service = shop.service("crashes", "dies=12", files=files, name="canary", steps=(20, 100), bake=600.0)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(service)
    report = traffic.report()
    assert rollout.state is State.ROLLED_BACK
    assert report.failed < report.requests / 5, report.losses
    assert shop.loop.ledger.releases[-1].outcome is Outcome.BAD
    assert await shop.settled() == before


async def test_throttling_and_lost_answers_change_nothing(shop: OnRevisions) -> None:
    """Of ten calls one is refused, and of each change one is done although nobody heard so: one deployment is begun."""
    known = {one["deploymentId"] for one in shop.deployments("user")}
    for service in ("autoscaling", "codedeploy", "elbv2"):
        shop.rig.knobs.throttle(service, rate=0.1)
    for service, change in (
        ("autoscaling", "UpdateAutoScalingGroup"),
        ("codedeploy", "CreateDeployment"),
        ("codedeploy", "UpdateDeploymentGroup"),
        ("elbv2", "ModifyRule"),
    ):
        shop.rig.knobs.lose_answer(service, change, times=1)
    try:
        async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
            rollout = await shop.deploy(shop.service("throttled"))
    finally:
        shop.rig.knobs.clear()
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), rollout.reason
    assert [one["status"] for one in shop.deployments("user") if one["deploymentId"] not in known] == ["Succeeded"]
    await shop.until(lambda: shop.answer() == "throttled")


async def test_a_deployment_is_followed_gently(shop: OnRevisions) -> None:
    """At AWS's own pace no more than sixty calls a minute, while hosts boot and while CodeDeploy is at them."""
    clients, now = Clients("us-east-1", endpoint=shop.rig.endpoint), SystemClock().now()
    clock = SystemClock(wall=lambda: now, passed=lambda: 0.0)  # nothing comes due that is looked at now and then only
    journal, revision = DryJournal(clock, shop.paper), carried(shop.file())
    made = Adapters(clients, Places(shop.app, "dev"), journal, clock, compute=shop.compute, revision=revision)

    async def each() -> int:
        """What a look takes when nothing is new, and what follows from it."""
        for _ in range(3):
            before = clients.asked.copy()
            await made.lookout.look(shop.key, fresh=True)
            await made.runtime.tend(shop.key, 0)
        return sum((clients.asked - before).values())

    hosts = shop.instances()
    shop.rig.knobs.set(instance_start=3000)
    await shop.order(shop.service("followed", files=shop.hooks(AfterInstall="#!/bin/sh\nsleep 600\n", limit=3000)))
    await shop.until(lambda: len(shop.instances() - hosts) == 2)
    assert calls_a_minute(await each()) <= CALLS_A_MINUTE
    shop.rig.knobs.set(instance_start=20)
    await shop.until(lambda: any(one["status"] == "InProgress" for one in shop.deployments("user")))
    assert calls_a_minute(await each()) <= CALLS_A_MINUTE
    (running,) = [one for one in shop.deployments("user") if one["status"] == "InProgress"]
    shop.rig.client("codedeploy").stop_deployment(deploymentId=running["deploymentId"])
    await shop.over()
    await clients.close()
    await shop.settled()


async def test_other_processes_go_on_with_what_one_left(shop: OnRevisions) -> None:
    """One ends before the deployment was begun, the next while it runs: no second one is."""
    known = {one["deploymentId"] for one in shop.deployments("user")}

    def begun() -> list[str]:
        return [one["status"] for one in shop.deployments("user") if one["deploymentId"] not in known]

    sizes = shop.sizes()
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=4) as traffic:
        await shop.order(shop.service("carried", files=shop.hooks(AfterInstall="#!/bin/sh\nsleep 2\n")))
        for there in (lambda: shop.sizes() != sizes, lambda: begun() == ["InProgress"]):
            await shop.until(there)
            await shop.process.close()
            await shop.begin()
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "carried")
    assert (rollout.state, traffic.report().failed) == (State.SUCCEEDED, 0), rollout.reason
    assert begun() == ["Succeeded"]


async def test_ten_in_a_row_lose_nothing(shop: OnRevisions) -> None:
    """Each to the group that the one before left."""
    async with LoadGenerator(f"{shop.url}/slow?s=0.05", clients=2) as traffic:
        for number in range(10):
            rollout = await shop.deploy(shop.service(f"row-{number}"))
            assert rollout.state is State.SUCCEEDED, rollout.reason
    assert not traffic.report().failed, traffic.report().losses


async def test_a_deployment_of_another_hand_keeps_ours_out(shop: OnRevisions) -> None:
    """It is named, with its group and since when; nothing changes."""
    rollout = await shop.deploy(shop.service("kept", keep_previous=3600.0))  # a group of no hosts has nothing to be at
    assert rollout.state is State.SUCCEEDED, rollout.reason
    idle = next(colour for colour, weight in shop.weights().items() if not weight)
    # Theirs stops the app first: its group would replace the hosts for that, and the deployment be over without them.
    shop.rig.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=shop.place.groups[idle], HealthCheckType="EC2"
    )
    bucket, _ = located(shop.loop.ledger.releases[-1].digest)
    late = shop.hooks(AfterInstall="#!/bin/sh\nsleep 600\n", limit=3000, exists="OVERWRITE")
    shop.shelve(bucket, "theirs.zip", late)
    made = shop.rig.client("codedeploy").create_deployment(
        applicationName=f"{shop.app}-dev",
        deploymentGroupName=shop.place.groups[idle],
        revision={"revisionType": "S3", "s3Location": {"bucket": bucket, "key": "theirs.zip", "bundleType": "zip"}},
    )
    theirs = made["deploymentId"]
    await shop.until(
        lambda: any(one["deploymentId"] == theirs for one in shop.deployments() if one["status"] == "InProgress")
    )
    sizes = shop.sizes()
    with pytest.raises(RefusedError, match=f"deploying to {shop.place.groups[idle]} by .* UTC: {theirs}"):
        await shop.order(shop.service("refused"))
    assert shop.sizes() == sizes
    shop.rig.client("codedeploy").stop_deployment(deploymentId=theirs)
