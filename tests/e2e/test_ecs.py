"""Releases to ECS on the rig, under constant load: every strategy, what goes wrong with a release and what with AWS."""

import asyncio
import http.client
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

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
from tests.rig.place import APP, PREVIEW_HEADER, make_jobs, weights
from tests.support.on_ecs import CALLS_A_MINUTE, LIMIT, PACE, OnEcs, calls_a_minute, reached
from tests.support.shipped import repeated

from crossfade.adapters import ON_AWS
from crossfade.aws.places import Places
from crossfade.controller.order import Order, Shell
from crossfade.core.actions import AwaitApproval
from crossfade.core.errors import PlatformError
from crossfade.core.job import Job
from crossfade.core.release import Outcome
from crossfade.core.rollout import State
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.journal import DryJournal
from crossfade.platforms.aws.adapters import Adapters, Timing
from crossfade.platforms.aws.clients import Clients

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnEcs]:
    async with OnEcs(rig, "shop").serving() as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="module")
async def clear(shop: OnEcs) -> AsyncIterator[OnEcs]:
    """The shop; afterwards the rig's knobs are turned back."""
    yield shop
    shop.rig.knobs.clear()
    shop.rig.knobs.set(quota=0)


@pytest.mark.parametrize(
    ("release", "fault", "image", "why"),
    [
        ("broken", "broken", "", "exited with code 1: RuntimeError: no database"),
        ("nowhere", "", f"nowhere@sha256:{64 * 'a'}", "never started: its image was not found"),
    ],
)
async def test_a_task_that_never_starts_says_why(shop: OnEcs, release: str, fault: str, image: str, why: str) -> None:
    """Its exit code and last line, or what ECS says of its image."""
    async with shop.visited(2) as traffic:
        rollout = await shop.deploy(shop.service(release, fault, image=image))
    assert (rollout.state, traffic.report().failed) == (State.ROLLED_BACK, 0)
    assert why in rollout.reason


async def test_rolling_goes_by_counts_with_the_weights_following(shop: OnEcs) -> None:
    """One task more, then one less; a colour has no weight any more before its last task goes."""
    service = shop.service("rolling", name="rolling", max_surge=50)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(service)
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert sorted(shop.sizes().values()) == [0, 2]


class Regular:
    """A client that keeps its cookie: whom it met, one after the other, and what it lost."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=10)
        self.cookie, self.lost = "", list[str]()
        self.met: list[tuple[str, str]] = []  # releases and ports, each once in a row

    def ask(self) -> None:
        try:
            self._connection.request("GET", "/env/PORT", headers={"Cookie": self.cookie} if self.cookie else {})
            answer = self._connection.getresponse()
            met = answer.headers.get("X-Release", ""), answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.lost.append(repr(error))
            self._connection.close()
            return
        if answer.status != HTTPStatus.OK:
            self.lost.append(str(answer.status))
        elif self.met[-1:] != [met]:
            self.met.append(met)
        self.cookie = (answer.headers.get("Set-Cookie") or self.cookie).partition(";")[0]


async def test_clients_that_stay_with_a_task_go_over_once_and_stay_there(shop: OnEcs) -> None:
    """By the load balancer's cookie: each has one task before the switch and one after it, and loses nothing."""
    before, elb = await shop.settled(), shop.rig.client("elbv2")

    def keep(enabled: str) -> None:
        told = {"stickiness.enabled": enabled, "stickiness.type": "lb_cookie"}
        told["stickiness.lb_cookie.duration_seconds"] = "300"
        attributes = [{"Key": key, "Value": value} for key, value in told.items()]
        for group in shop.place.target_groups.values():
            elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)

    await asyncio.to_thread(keep, "true")
    regulars = [Regular(shop.url.removeprefix("http://")) for _ in range(6)]
    with repeated(*(one.ask for one in regulars)):
        await shop.until(lambda: all(one.cookie for one in regulars))
        for one in regulars:
            one.met.clear()
        rollout = await shop.deploy(shop.service("kept"))
        await shop.until(lambda: all(one.met[-1][0] == "kept" for one in regulars))
        await shop.settled()
    await asyncio.to_thread(keep, "false")
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert [one.lost for one in regulars] == [[]] * len(regulars)
    assert [[release for release, _ in one.met] for one in regulars] == [[before, "kept"]] * len(regulars)


async def test_a_step_waits_for_a_person(shop: OnEcs) -> None:
    """Paused, resumed and approved: half of the traffic stays where it is until somebody says so."""
    service = shop.service("approved", name="canary", steps=(50, 100), approve=(50,), bake=0.0)
    orders, kim = shop.process.orders, Order(by="kim")
    async with shop.visited() as traffic:
        await shop.order(service)
        async with asyncio.timeout(LIMIT):
            await shop.loop.until(lambda loop: any(isinstance(one, AwaitApproval) for one in loop.waits))
        await orders.pause(shop.loop, kim)
        await orders.resume(shop.loop, kim)
        assert sorted(shop.weights().values()) == [50, 50]
        await orders.promote(shop.loop, kim)
        rollout = await shop.over()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)


async def test_a_newer_deploy_takes_the_older_one_back_first(shop: OnEcs) -> None:
    """Superseded in the middle of its steps: three releases within one rollout's time, and nobody loses a request."""
    async with shop.visited() as traffic:
        await shop.order(shop.service("older", name="canary", steps=(50, 100), bake=600.0))
        await shop.until(lambda: 50 in shop.weights().values())
        older = shop.loop.ledger.rollouts
        await shop.process.orders.deploy([shop.service("newer")], Order(by="ben", supersede=True), Shell())
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "newer")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    states = {one.rollout.id: one.rollout.state for one in shop.loop.ledger.records}
    assert states[older] is State.ABORTED


async def test_a_restart_loses_nothing_and_one_that_cannot_come_up_leaves_the_old_tasks(shop: OnEcs) -> None:
    """It is given up on ECS as well: nobody comes beside those that serve any more."""
    orders = shop.process.orders
    await shop.deploy(shop.service("restarted"))

    def up() -> set[str]:
        return {one.id for one in shop.loop.fleet.instances if one.release == shop.loop.ledger.current and one.up}

    async with shop.visited() as traffic:
        first = up()
        await orders.restart(shop.loop, Order(by="kim"))
        assert await orders.restarted(shop.loop) == ""
        second = up()
        assert (len(second), first & second) == (2, set())
        await shop.until(lambda: shop.deployments() == {"COMPLETED"})  # one that can be gone back to
        image = shop.loop.ledger.release(shop.loop.ledger.current or 0).digest
        shop.rig.images.add(image, [sys.executable, "-c", "raise SystemExit('no database')"])
        await orders.restart(shop.loop, Order(by="kim"))
        said = await orders.restarted(shop.loop)
        assert "exited 3 times: exited with code 1: no database" in said
        await shop.until(lambda: "IN_PROGRESS" not in shop.deployments())  # ECS may have given it up before us
        await shop.loop.until(lambda _: up() == second)
    report = traffic.report()
    assert (report.failed, report.releases.keys()) == (0, {"restarted"}), report.losses


async def test_a_task_that_ends_after_ecs_gave_a_deployment_up_is_replaced(shop: OnEcs) -> None:
    """ECS starts none any more by itself: it is told to begin anew, and what kept new ones from coming may be over."""
    rollout = await shop.deploy(shop.service("short", timeout=20.0))
    assert rollout.state is State.SUCCEEDED, rollout.reason
    release = shop.loop.ledger.release(rollout.target)
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    ecs, there, kept = shop.rig.client("ecs"), {"cluster": shop.place.cluster}, shop.place.services[serving]

    def given_up() -> bool:
        (service,) = ecs.describe_services(**there, services=[kept])["services"]
        primary = service["deployments"][0]
        return primary["rolloutState"] == "FAILED" and not primary["runningCount"] + primary["pendingCount"]

    def up() -> set[str]:
        return {one.id for one in shop.loop.fleet.of(release.number) if one.up}

    first = up()
    shop.rig.images.add(release.digest, [sys.executable, "-c", "raise SystemExit('no database')"])
    ecs.update_service(**there, service=kept, forceNewDeployment=True)
    await shop.until(given_up)
    shop.rig.images.add(release.digest, [sys.executable, str(APP)])
    gone = min(first)
    ecs.stop_task(**there, task=gone)
    await shop.until(lambda: gone not in up() and len(up()) == len(first))


async def test_recreate_never_runs_two_releases(shop: OnEcs) -> None:
    """The old one has gone when the new one comes: who chooses this has clients that wait."""
    before = await shop.settled()
    async with shop.visited(2) as traffic:
        rollout = await shop.deploy(shop.service("recreated", name="recreate"))
        await shop.until(lambda: shop.answer() == "recreated")
    report = traffic.report()
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert report.releases[before].last_seen < report.releases["recreated"].first_seen


async def test_smoke_goes_through_the_preview_before_any_visitor(shop: OnEcs, tmp_path: Path) -> None:
    """While the hook runs, its header leads to the new release; when it fails, no visitor ever got there."""
    seen = tmp_path / "seen"
    smoke = f'while [ ! -e {seen} ]; do sleep 0.1; done; echo "$CROSSFADE_HEADER"; exit 3'
    header = {PREVIEW_HEADER: shop.place.preview_token}
    async with shop.visited() as traffic:
        try:
            await shop.order(shop.service("smoked", hooks={"smoke": smoke}))
            await shop.until(lambda: shop.answer(header) == "smoked")
        finally:
            seen.touch()
        rollout = await shop.over()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert f"failed with code 3: {PREVIEW_HEADER}: {shop.place.preview_token}" in rollout.reason
    assert "smoked" not in report.releases


async def test_throttling_and_lost_answers_change_nothing(clear: OnEcs) -> None:
    """Of twenty calls one is refused, the answers of changes get lost, and the deploy goes its way."""
    for service, operation in (
        ("ecs", "UpdateService"),
        ("ecs", "RegisterTaskDefinition"),
        ("elbv2", "ModifyRule"),
    ):
        clear.rig.knobs.lose_answer(service, operation, times=1)
    clear.rig.knobs.throttle(rate=0.05)
    async with clear.visited() as traffic:
        rollout = await clear.deploy(clear.service("throttled"))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)


@pytest.mark.parametrize(
    ("service", "operation", "right"),
    [
        ("ecs", "RegisterTaskDefinition", "ecs:RegisterTaskDefinition on *"),
        ("ecs", "UpdateService", "ecs:UpdateService on arn:aws:ecs:us-east-1:1:service/shop-dev/web"),
        ("elbv2", "ModifyRule", "elasticloadbalancing:ModifyRule on arn:aws:elasticloadbalancing:us-east-1:1:rule"),
        ("ecs", "RunTask", "ecs:RunTask on *"),
    ],
)
async def test_a_right_that_is_missing_takes_the_release_back_at_once(
    clear: OnEcs, service: str, operation: str, right: str
) -> None:
    """It is named with what it is for, nobody waits for the timeout, and the release is not to blame."""
    await clear.until(lambda: clear.loop.knows_its_size)  # what ran here before has gone home, which takes rights too
    action, _, where = right.partition(" on ")
    said = f"User: ci is not authorized to perform: {action} on resource: {where} because no policy allows it"
    clear.rig.knobs.refuse(service, operation, "AccessDeniedException", said)
    hooks = {"migrate": "true"} if operation == "RunTask" else {}
    async with clear.visited(2) as traffic:
        rollout = await clear.deploy(clear.service(f"no-{operation}", hooks=hooks))
    assert (rollout.state, traffic.report().failed) == (State.ROLLED_BACK, 0)
    assert rollout.reason.startswith(f"these credentials may not {right}; give their role that right")
    assert clear.loop.ledger.release(rollout.target).outcome is Outcome.ABORTED


async def test_a_quota_that_is_reached_is_said(clear: OnEcs) -> None:
    """No task ever appears: why is in the events of the service, and the release is not to blame."""
    before = clear.answer()
    clear.rig.knobs.set(quota=1)
    async with clear.visited(2) as traffic:
        rollout = await clear.deploy(clear.service("quota", timeout=5.0))
    assert (rollout.state, traffic.report().failed, clear.answer()) == (State.ROLLED_BACK, 0, before)
    assert "You've reached the limit on the number of tasks you can run concurrently" in rollout.reason
    assert clear.loop.ledger.release(rollout.target).outcome is Outcome.ABORTED


async def test_a_service_that_another_hand_deploys_to_stops_the_deploy(shop: OnEcs) -> None:
    """What serves then is not ours to take away, until somebody says so; nobody loses a request either way."""
    await shop.deploy(shop.service("ours"))
    await shop.process.close()
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    ecs = shop.rig.client("ecs")
    async with shop.visited(2) as traffic:
        ecs.update_service(
            cluster=shop.place.cluster, service=shop.place.services[serving], taskDefinition=shop.place.definition
        )
        await shop.until(lambda: shop.answer() == "1")
        await shop.begin()
        weights, sizes = shop.weights(), shop.sizes()
        with pytest.raises(PlatformError, match=rf"somebody else changed service {shop.app}-dev-web-{serving}"):
            await shop.order(shop.service("refused"))
        assert (shop.weights(), shop.sizes()) == (weights, sizes)
        await shop.process.orders.deploy([shop.service("forced")], Order(by="kim", force=True), Shell())
        rollout = await shop.over()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)


async def test_another_process_goes_on_where_one_died(shop: OnEcs) -> None:
    """It finds tasks, weights and what is on record, and brings the rollout to its end."""
    async with shop.visited() as traffic:
        await shop.order(shop.service("resumed", name="canary", steps=(50, 100), bake=2.0))
        await shop.until(lambda: 50 in shop.weights().values())
        await shop.process.close()
        await shop.begin()
        rollout = await shop.over()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    await shop.until(lambda: shop.answer() == "resumed")


async def test_a_deploy_at_the_peak_keeps_what_scaling_made(shop: OnEcs) -> None:
    """Three tasks where the file said two: neither colour has fewer, whoever deploys."""
    await shop.process.close()
    serving = next(colour for colour, weight in shop.weights().items() if weight)
    at_work = dict.fromkeys(
        ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
    )
    scaling = shop.rig.client("application-autoscaling")
    for colour in shop.place.services:
        scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{shop.app}-dev/{shop.app}-dev-web-{colour}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=2,
            MaxCapacity=4,
            SuspendedState=at_work,
        )
    ecs = shop.rig.client("ecs")
    ecs.update_service(cluster=shop.place.cluster, service=shop.place.services[serving], desiredCount=3)
    await shop.begin()
    await shop.until(lambda: shop.loop.ledger.wanted == 3)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("peak"))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert (rollout.replicas, rollout.before) == (3, 3)
    assert sorted(shop.sizes().values()) == [3, 3]


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "empty"])
async def test_weights_that_another_hand_changed_are_put_right(shop: OnEcs, warm: bool) -> None:
    """While a process looks after the service it sees them at its next look, whether or not anything runs there."""
    kept = 600.0 if warm else 0.0
    rollout = await shop.deploy(shop.service(f"steered {warm}", keep_previous=kept))
    assert rollout.state is State.SUCCEEDED, rollout.reason
    await shop.until(lambda: (0 in shop.sizes().values()) is not warm)
    right = shop.weights()
    wrong = weights(shop.place.target_groups, blue=50, green=50)
    shop.rig.client("elbv2").modify_rule(RuleArn=shop.place.rule, Actions=wrong)
    await shop.until(lambda: shop.weights() == right)


async def test_a_target_group_in_the_rules_that_is_not_ours_stops_everything(shop: OnEcs) -> None:
    """Nothing is changed by us, and the sentence names it."""
    elb = shop.rig.client("elbv2")
    other = elb.create_target_group(Name="by-hand", Protocol="HTTP", Port=80, VpcId=shop.place.vpc, TargetType="ip")[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    before = elb.describe_rules(RuleArns=[shop.place.rule])["Rules"][0]["Actions"]
    groups = [*before[0]["ForwardConfig"]["TargetGroups"], {"TargetGroupArn": other, "Weight": 1}]
    try:
        elb.modify_rule(
            RuleArn=shop.place.rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        )
        await shop.until(lambda: "also leads to target group by-hand" in shop.loop.trouble)
    finally:
        elb.modify_rule(RuleArn=shop.place.rule, Actions=before)
    await shop.until(lambda: not shop.loop.trouble)


async def test_waiting_asks_aws_gently(shop: OnEcs) -> None:
    """At AWS's own pace a service that waits, and is watched, takes a tenth less than sixty calls a minute.

    Also while its tasks boot. At rest it is asked for runs of jobs as well, and takes less than half of that.
    """
    clients, clock = Clients("us-east-1", endpoint=shop.rig.endpoint), SystemClock()
    made = Adapters(clients, Places(shop.app, "dev"), DryJournal(clock, shop.paper), clock, shop.timing)

    async def looked() -> int:
        """What a look takes at which nothing is new."""
        took = []
        for _ in range(6):
            before = clients.asked.copy()
            await made.lookout.look(shop.key, fresh=True)
            await made.balancer.preview(shop.service("watched"), 1)
            took.append(sum((clients.asked - before).values()))
            await asyncio.sleep(made.timing.busy)
        return min(took)

    each = await looked()
    make_jobs(shop.rig, shop.place)
    tidy = Job(name="tidy", schedule="0 3 * * *", command="true", timeout=600)
    release = shop.loop.ledger.releases[-1]
    watched = replace(release, service=replace(release.service, jobs=(tidy,)))
    runs = made.schedules[ON_AWS["fargate"]].runs
    await runs(watched)
    before = clients.asked.copy()
    await runs(watched)
    more = sum((clients.asked - before).values())
    shop.rig.knobs.set(task_start=3000)
    await shop.order(shop.service("boots"))
    await shop.until(lambda: shop.loop.ledger.wanted in shop.pending().values())
    boots = await looked()
    assert shop.loop.ledger.wanted in shop.pending().values()
    shop.rig.knobs.set(task_start=5)
    await shop.process.orders.abort(f"{shop.app}@dev", "web", Order(by="kim"))
    await shop.over()
    await clients.close()
    assert calls_a_minute(max(each, boots)) <= 0.9 * CALLS_A_MINUTE
    assert calls_a_minute(each + more, Timing().idle) <= CALLS_A_MINUTE / 2


async def test_a_migration_is_a_task_of_the_new_release(shop: OnEcs) -> None:
    """It runs once, before the first instance of the release, and what it says of the schema is kept."""
    rollout = await shop.deploy(shop.service("migrated", hooks={"migrate": "echo CROSSFADE_SCHEMA=12"}))
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert shop.loop.ledger.release(rollout.target).schema == "12"


async def test_a_migration_that_a_process_left_behind_is_gone_on_with_by_the_next(shop: OnEcs) -> None:
    """It is found again by its token, although the next one has registered a task definition of its own."""
    begun = shop.rig.calls().get("ecs:RunTask", 0)
    await shop.order(shop.service("taken-over", hooks={"migrate": "echo CROSSFADE_SCHEMA=$RELEASE; sleep 3"}))
    await shop.until(lambda: shop.rig.calls().get("ecs:RunTask", 0) > begun)
    await shop.process.close()
    await shop.begin()
    rollout = await shop.over()
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert shop.loop.ledger.release(rollout.target).schema == "taken-over"


async def test_a_migration_that_fails_is_shown_with_its_last_line(shop: OnEcs) -> None:
    """And nobody but the old release ever serves."""
    rollout = await shop.deploy(shop.service("unmigrated", hooks={"migrate": "echo no such column; exit 4"}))
    assert rollout.state is State.ROLLED_BACK
    assert "failed with code 4: no such column" in rollout.reason
    assert "unmigrated" not in {shop.answer() for _ in range(10)}
