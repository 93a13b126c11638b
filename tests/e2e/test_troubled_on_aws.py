"""Each operation of AWS's that a rollout takes goes wrong for a while: nothing is lost, and the rollout ends well."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.rig import Fault, Kind, Rig
from tests.rig.place import make_jobs
from tests.support.on_ecs import PACE, OnEcs, reached

from crossfade.aws.places import Places
from crossfade.core.job import Job
from crossfade.core.rollout import State
from crossfade.core.service import Service

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

WHILE = 6.0  # seconds: longer than the patience of a call in these tests
OFTEN = 8  # calls: more than one is tried again within that patience
LOOKS = (
    "application-autoscaling DescribeScalableTargets",
    "application-autoscaling DescribeScheduledActions",
    "cloudwatch GetMetricData",
    "ecs DescribeServices",
    "ecs DescribeTaskDefinition",
    "ecs DescribeTasks",
    "ecs ListTaskDefinitions",
    "ecs ListTasks",
    "elbv2 DescribeListeners",
    "elbv2 DescribeLoadBalancers",
    "elbv2 DescribeRules",
    "elbv2 DescribeTargetGroups",
    "elbv2 DescribeTargetHealth",
    "logs FilterLogEvents",
    "logs GetLogEvents",
    "scheduler ListSchedules",
)
CHANGES = (
    "application-autoscaling DeleteScheduledAction",
    "application-autoscaling PutScheduledAction",
    "application-autoscaling RegisterScalableTarget",
    "ecs RegisterTaskDefinition",
    "ecs RunTask",
    "ecs UpdateService",
    "elbv2 ModifyRule",
    "scheduler CreateSchedule",
    "scheduler DeleteSchedule",
    "scheduler UpdateSchedule",
)
# What comes once a release serves, and holds nothing up; and who is asked where, as there is no repository here.
AFTERWARDS = {
    "ecr BatchGetImage",
    "ecr DescribeImages",
    "ecr DescribeRepositories",
    "ecr PutImage",
    "sts GetCallerIdentity",
}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnEcs]:
    async with OnEcs(rig, "troubled") as shop:
        make_jobs(rig, shop.place)
        assert (await shop.deploy(_service(shop, "first"))).state is State.SUCCEEDED
        yield shop


def _service(shop: OnEcs, release: str) -> Service:
    """One job goes with each release, and one comes."""
    names = ("tidy", f"of-{release}")
    jobs = tuple(Job(name=name, schedule="0 3 * * *", command="true", timeout=600) for name in names)
    return replace(shop.service(release, hooks={"migrate": "true"}), jobs=jobs)


async def _deploy(shop: OnEcs, release: str, *faults: Fault) -> None:
    """Under load, by a process that has to find its places first; the faults go away by themselves."""
    await shop.process.close()
    await shop.begin()
    async with shop.visited(2) as traffic:
        healed = asyncio.create_task(_heal(shop, faults))
        try:
            rollout = await shop.deploy(_service(shop, release))
            await shop.until(lambda: _is_scheduled(shop, f"of-{release}"))
        finally:
            await healed
            await asyncio.to_thread(shop.rig.knobs.clear)
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    await shop.until(lambda: shop.answer() == release)
    there = shop.rig.client("scheduler").list_schedules(GroupName=Places(shop.app, "dev").schedules)["Schedules"]
    assert {one["Name"] for one in there} == {"web.tidy", f"web.of-{release}"}


def _is_scheduled(shop: OnEcs, job: str) -> bool:
    """As the process that deploys has it on record: to ask AWS would take faults that are meant for that one."""
    return any((one.kind, one.data.get("job")) == ("job scheduled", job) for one in shop.process.told)


async def _heal(shop: OnEcs, faults: Sequence[Fault]) -> None:
    await shop.until(lambda: shop.process.orders.registry.loops[shop.key].ledger.active)
    for fault in faults:
        await asyncio.to_thread(shop.rig.knobs.add, fault)
    if any(fault.times is None for fault in faults):
        await asyncio.sleep(WHILE)
        await asyncio.to_thread(shop.rig.knobs.clear)


def _each(operations: Iterable[str], kind: Kind, times: int) -> list[Fault]:
    parts = (operation.split(" ") for operation in operations)
    return [Fault(service=service, operation=name, kind=kind, times=times) for service, name in parts]


@pytest.mark.parametrize("operations", [LOOKS, CHANGES], ids=["looks", "changes"])
async def test_operations_that_are_throttled_for_a_while_hold_a_rollout_up_and_no_more(
    shop: OnEcs, operations: Sequence[str]
) -> None:
    """Each of them in one rollout, more often than one call is tried again."""
    await _deploy(shop, f"throttled-{len(operations)}", *_each(operations, Kind.REFUSED, OFTEN))


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.UNHEARD])
async def test_a_change_whose_answer_is_lost_is_made_once(shop: OnEcs, kind: Kind) -> None:
    """Whether it was done or not: each of them three times in a row."""
    await _deploy(shop, f"{kind}-3", *_each(CHANGES, kind, 3))


@pytest.mark.parametrize("operation", ["ecs *", "elbv2 *"])
async def test_a_service_of_aws_that_is_broken_for_a_while_is_waited_for(shop: OnEcs, operation: str) -> None:
    """It answers every call with an error of its own."""
    service, _, name = operation.partition(" ")
    fault = Fault(service=service, operation=name, code="InternalFailure", message="broken", status=500)
    await _deploy(shop, f"broken-{service}", fault)


async def test_these_are_all_operations_that_a_rollout_takes(shop: OnEcs) -> None:
    """An operation that is added to the adapters is added here."""
    before = shop.rig.calls()
    await _deploy(shop, "counted")
    asked = {one.replace(":", " ") for one, count in shop.rig.calls().items() if count > before.get(one, 0)}
    assert asked - AFTERWARDS <= {*LOOKS, *CHANGES}
