"""A host on its way to a revision: nobody is sent there, and why it failed is one sentence."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Hooks, Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.adapters import Adapters
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.codedeploy.deployments import (
    Deployment,
    DeploymentGroup,
    Deployments,
    HostTarget,
    described,
    host_target,
)
from crossfade.platforms.aws.codedeploy.lookout import Progress, on_its_way
from crossfade.platforms.aws.codedeploy.runtime import RevisionRuntime
from crossfade.platforms.aws.place import Finder
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Lookout, Task

HOST = Task(arn="i-1", colour="green", release=2, address="i-1:80", launched_at=1.0, health=Health.HEALTHY)
NEW = "s3://revisions/dev/web/new.zip"
BUSY = HostTarget(status="InProgress", at="AfterInstall")
DONE = HostTarget(status="Succeeded")
FAILED = HostTarget(
    status="Failed", at="ValidateService", why="ValidateService failed: validate.sh failed: no table", own=True
)
WAITING = HostTarget(status="Pending", taken=False, begun=False)
FETCHING = HostTarget(status="InProgress", at="DownloadBundle", begun=False)
MUTE = HostTarget(status="Failed", at="AfterInstall", why="AfterInstall failed: the agent did not report")


class Watching(Lookout):
    """What is made of the load balancer's word on one host."""

    def found(self, health: Health, *, on_its_way: bool = False) -> Health:
        made = self._seen("shop/web", "i-1", TargetHealth(health=health))
        if on_its_way:
            self._nothing_seen("shop/web", ["i-1"])
        return made


def progress(
    status: str = "",
    revision: str = "",
    *,
    attached: bool = False,
    why: str = "",
    living: Collection[str] = ("i-1", "i-2"),
    **targets: HostTarget,
) -> Progress:
    found = {name.replace("_", "-"): target for name, target in targets.items()}
    deployment = Deployment(
        id="d-1", status=status, created=datetime.now(UTC), creator="user", description="", why=why, targets=found
    )
    group = DeploymentGroup(name="shop-dev-web-green", revision=revision, attached=attached)
    return Progress(group=group, revision=NEW, deployment=deployment if status else None, living=living)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (progress(), "boots, and waits for CodeDeploy"),
        (progress("Created"), "CodeDeploy's d-1 is Created"),
        (
            progress("InProgress", i_1=HostTarget(status="InProgress", at="AfterInstall")),
            "CodeDeploy's d-1 is at AfterInstall",
        ),
        (progress("InProgress", i_1=FAILED), "CodeDeploy's d-1 is at ValidateService"),
        (progress("Succeeded", i_1=DONE), "CodeDeploy's d-1 is Succeeded"),
    ],
)
def test_a_host_that_the_load_balancer_likes_already_is_starting(at: Progress, said: str) -> None:
    """Until its last hook is through, and all others' are."""
    host = on_its_way(HOST, at)
    assert (host.health, host.exited, host.detail) == (Health.STARTING, False, said)


@pytest.mark.parametrize(
    ("at", "said", "blamed"),
    [
        (progress("Failed", i_1=FAILED), f"did not get its revision by CodeDeploy's d-1: {FAILED.why}", True),
        (
            progress("Failed", i_1=HostTarget(status="Skipped"), i_2=FAILED),
            f"did not get its revision by CodeDeploy's d-1: on i-2 {FAILED.why}",
            True,
        ),
        (
            progress("Succeeded", i_1=FAILED, i_2=DONE),
            f"did not get its revision by CodeDeploy's d-1: {FAILED.why}",
            True,
        ),
        (
            progress("Failed", why="no instances were found"),
            "did not get its revision by CodeDeploy's d-1: no instances were found",
            False,
        ),
        (progress("Failed", i_1=MUTE), f"did not get its revision by CodeDeploy's d-1: {MUTE.why}", False),
        (progress("Stopped"), "did not get its revision: somebody stopped CodeDeploy's d-1", False),
    ],
)
def test_one_that_did_not_get_its_revision_ended_for_good(at: Progress, said: str, blamed: bool) -> None:
    """Another host would end the same way; where no hook of it said no, that is no fault of the release."""
    host = on_its_way(HOST, at)
    assert (host.exited, host.final, host.blamed, host.detail) == (True, True, blamed, said)


@pytest.mark.parametrize(
    ("at", "said", "blamed"),
    [
        (progress(), "boots, and waits for CodeDeploy", False),
        (progress("Created"), "CodeDeploy's d-1 is Created", False),
        (
            progress("InProgress", i_1=WAITING, i_2=WAITING),
            "waits, because no host's agent has taken CodeDeploy's d-1",
            False,
        ),
        (progress("InProgress", i_1=WAITING, i_2=FETCHING), "CodeDeploy's d-1 is InProgress", False),
        (progress("InProgress", i_1=FETCHING, i_2=WAITING), "CodeDeploy's d-1 is at DownloadBundle", False),
        (progress("InProgress", i_1=WAITING, i_2=BUSY), "CodeDeploy's d-1 is InProgress", True),
        (progress("InProgress", living=["i-1"], i_1=WAITING, i_2=WAITING), "d-1 lost a host, and is begun anew", False),
        (progress("InProgress", living=["i-1"], i_1=BUSY, i_2=WAITING), "d-1 lost a host, and is begun anew", True),
    ],
)
def test_a_release_is_late_from_its_first_hook_on(at: Progress, said: str, blamed: bool) -> None:
    """Agents that take nothing, or do not get as far, are not its own; one hook on one host is."""
    host = on_its_way(HOST, at)
    assert said in host.detail
    assert (host.health, host.exited, host.blamed) == (Health.STARTING, False, blamed)


@pytest.mark.parametrize(
    ("events", "taken", "begun"),
    [
        ([("ApplicationStop", "Pending"), ("BeforeInstall", "Pending")], False, False),
        ([("ApplicationStop", "InProgress"), ("BeforeInstall", "Pending")], True, False),
        ([("ApplicationStop", "Succeeded"), ("DownloadBundle", "Failed"), ("BeforeInstall", "Skipped")], True, False),
        ([("ApplicationStop", "Succeeded"), ("BeforeInstall", "InProgress")], True, True),
        ([], False, False),
    ],
)
def test_what_a_host_has_begun_is_told_by_its_events(events: list[tuple[str, str]], taken: bool, begun: bool) -> None:
    """Its agent stops what was there and fetches the revision first; only then comes the release's own."""
    told = [{"lifecycleEventName": name, "status": status} for name, status in events]
    host = host_target({"targetId": "i-1", "status": "InProgress", "lifecycleEvents": told})
    assert (host.taken, host.begun) == (taken, begun)


@pytest.mark.parametrize(
    ("at", "bereft"),
    [
        (progress("InProgress", living=["i-1"], i_1=BUSY, i_2=BUSY), True),
        (progress("InProgress", living=["i-3"], i_1=BUSY, i_2=BUSY), True),
        (progress("Failed", living=["i-1"], i_1=MUTE, i_2=MUTE), True),
        (progress("Stopped", living=["i-1"], i_1=DONE, i_2=HostTarget(status="Skipped")), True),
        (progress("InProgress", living=["i-1"], i_1=BUSY, i_2=DONE), False),
        (progress("Failed", living=["i-1"], i_1=FAILED, i_2=MUTE), False),
        (progress("Failed", living=["i-1"], i_1=MUTE, i_2=FAILED), False),
        (progress("Succeeded", living=["i-1"], i_1=DONE, i_2=MUTE), False),
        (progress("Failed", i_1=MUTE, i_2=MUTE), False),
        (progress("Stopped", i_1=BUSY, i_2=BUSY), False),
        (progress("Failed", living=["i-1"]), False),
        (progress(living=["i-1"]), False),
    ],
)
def test_a_deployment_that_lost_a_host_is_begun_anew(at: Progress, bereft: bool) -> None:
    """One that went before it had its revision: unless a script said no, or others got it, that means nothing."""
    assert at.bereft is bereft
    if bereft:
        host = on_its_way(HOST, at)
        assert (host.health, host.exited) == (Health.STARTING, False)
        assert host.detail == "CodeDeploy's d-1 lost a host, and is begun anew"


def test_all_hosts_have_it_before_others_are_launched_with_it() -> None:
    """A deployment to all at once is called a success when one host got it."""
    assert progress("Succeeded", i_1=DONE, i_2=DONE).brought
    assert not progress("Succeeded", i_1=DONE, i_2=FAILED).brought
    assert not progress("InProgress", i_1=DONE).brought


def test_a_host_that_is_gone_does_not_keep_the_others_from_their_release() -> None:
    """They have it; what is launched in its place gets it by the hook."""
    assert progress("Succeeded", living=["i-1"], i_1=DONE, i_2=MUTE).brought


def test_a_group_is_ready_by_its_revision_and_its_hook() -> None:
    """One of an older release would give new hosts that one."""
    assert progress(revision=NEW, attached=True).ready
    assert not progress(revision=NEW).ready
    assert not progress(revision="s3://revisions/dev/web/old.zip", attached=True).ready


async def test_no_hook_of_the_file_runs_beside_processes() -> None:
    """Nothing is asked of AWS before that is said; CodeDeploy's own hooks run on the hosts."""
    places = Places("shop", "dev")
    runtime = Adapters(Clients(), places, TokenFence(), SystemClock(), compute="autoscaling", revision={}).runtime
    web = Service(app="shop", name="web", environment="dev", runtime="autoscaling", source=".", command="serve")
    with pytest.raises(WrongInputError, match="nothing runs them beside processes that CodeDeploy brings"):
        await runtime.build(replace(web, hooks=Hooks(migrate="rake")))
    release = Release(number=1, service=web, version="v1", digest=NEW, config_hash="c")
    with pytest.raises(PlatformError, match="nothing runs `rake` beside the hosts of shop@dev/web"):
        await runtime.run(release, "rake", {}, {}, 1.0)


async def test_what_a_host_answered_before_its_revision_came_is_not_the_releases() -> None:
    """It served a page that says so: once its processes boot, it is starting and not a host that was lost."""
    clients = Clients("us-east-1")
    watching = Watching(clients, Finder(clients, Places("shop", "dev")), SystemClock())
    assert watching.found(Health.HEALTHY, on_its_way=True) is Health.HEALTHY
    assert watching.found(Health.UNHEALTHY) is Health.STARTING
    assert watching.found(Health.HEALTHY) is Health.HEALTHY
    assert watching.found(Health.UNHEALTHY) is Health.UNHEALTHY
    await clients.close()


class ToOneHost(Clients):
    """CodeDeploy, by whom a revision went to i-1; `ended` are hosts whose group was told to replace them."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.ended: list[str] = []

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "terminate_instance_in_auto_scaling_group":
            assert not parameters["ShouldDecrementDesiredCapacity"]
            self.ended.append(parameters["InstanceId"])
        target = {"targetId": "i-1", "status": "Succeeded"}
        answers: dict[str, Answer] = {
            "list_deployments": {"deployments": ["d-1"]},
            "get_deployment": {"deploymentInfo": {"status": "Succeeded", "createTime": datetime.now(UTC)}},
            "list_deployment_targets": {"targetIds": ["i-1"]},
            "batch_get_deployment_targets": {"deploymentTargets": [{"instanceTarget": target}]},
        }
        return answers.get(operation, {})


async def test_a_host_to_which_no_deployment_went_is_replaced() -> None:
    """Whoever attached the hook may have died before it was; one that is sick with its revision is not touched."""
    clients = ToOneHost()
    runtime = Adapters(
        clients, Places("shop", "dev"), TokenFence(), SystemClock(), compute="autoscaling", revision={}
    ).runtime
    assert isinstance(runtime, RevisionRuntime)
    sick = [replace(HOST, arn=arn, health=Health.UNHEALTHY) for arn in ("i-1", "i-2")]
    await runtime._replace_unreached("shop-dev-web-green", [*sick, replace(HOST, arn="i-3")], unfenced)
    assert clients.ended == ["i-2"]
    await clients.close()


class Forgetful(Clients):
    """CodeDeploy, whose answers to the first calls of a change are lost; `begun` are its deployments, over at once."""

    def __init__(self, lost: int, *, done: bool) -> None:
        super().__init__("us-east-1", clock=NoWait())
        self.begun: list[Answer] = []
        self._lost, self._done = lost, done

    def _ask(self, service: str, operation: str, parameters: Answer) -> Answer:
        if operation == "create_deployment":
            lost = self._lost > 0
            self._lost -= 1
            if self._done or not lost:
                said = {"description": parameters["description"], "createTime": datetime.now(UTC)}
                self.begun.append({"status": "Succeeded", "creator": "user", **said})
            if lost:
                raise AwsError("no answer came", again=True)
            return {"deploymentId": f"d-{len(self.begun)}"}
        if operation == "get_deployment":
            return {"deploymentInfo": self.begun[int(parameters["deploymentId"][2:]) - 1]}
        there = parameters.get("createTimeRange", {}).get("start")
        found = [f"d-{at}" for at, one in enumerate(self.begun, 1) if there is None or one["createTime"] >= there]
        return {"list_deployments": {"deployments": found}}.get(operation, {"targetIds": []})


class NoWait(SystemClock):
    async def sleep(self, seconds: float) -> None:
        """At once."""


@pytest.mark.parametrize(("lost", "done"), [(0, True), (1, True), (3, True), (1, False), (3, False)])
async def test_one_deployment_is_begun_however_many_answers_are_lost(lost: int, done: bool) -> None:
    """Be the first over when it is asked for again, or have the call never arrived."""
    clients = Forgetful(lost, done=done)
    web = Service(app="shop", name="web", environment="dev", runtime="autoscaling", source=".", command="serve")
    deployments = Deployments(clients, Places("shop", "dev"))
    for number in (1, 2):
        release = Release(number=number, service=web, version=f"v{number}", digest=NEW, config_hash="c")
        since = datetime.now(UTC) if number == 1 else clients.begun[0]["createTime"]
        await deployments.begin("shop-dev-web-green", release, unfenced, since=since)
        assert [one["description"] for one in clients.begun][number - 1 :] == [described(release)]
    await clients.close()


async def test_one_that_comes_after_another_of_the_same_release_is_begun() -> None:
    """The one before it had lost a host, and is not taken for it."""
    clients = Forgetful(0, done=True)
    web = Service(app="shop", name="web", environment="dev", runtime="autoscaling", source=".", command="serve")
    release = Release(number=1, service=web, version="v1", digest=NEW, config_hash="c")
    deployments, since = Deployments(clients, Places("shop", "dev")), datetime.now(UTC)
    await deployments.begin("shop-dev-web-green", release, unfenced, since=since)
    clients._lost, clients._done = 1, False
    await deployments.begin("shop-dev-web-green", release, unfenced, since=since, after="d-1")
    assert len(clients.begun) == 2
    await clients.close()


class Busy(Clients):
    """CodeDeploy with one deployment of each hand under way, the newest last; `stopped` are those that were."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.stopped: list[str] = []
        self._hands = {
            "d-1": ("user", "crossfade release v1 of shop@dev/web"),
            "d-2": ("autoscaling", ""),
            "d-3": ("user", ""),
        }

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "stop_deployment":
            self.stopped.append(parameters["deploymentId"])
        if operation == "get_deployment":
            creator, description = self._hands[parameters["deploymentId"]]
            began = datetime.fromtimestamp(int(parameters["deploymentId"][2:]), UTC)
            told = {"status": "InProgress", "createTime": began, "creator": creator, "description": description}
            return {"deploymentInfo": told}
        return {"list_deployments": {"deployments": [*self._hands]}}.get(operation, {"targetIds": []})


async def test_another_hands_deployment_is_neither_stopped_nor_taken_for_ours() -> None:
    """Only its own hand ends it; what comes of it is held against no release of ours."""
    clients = Busy()
    deployments = Deployments(clients, Places("shop", "dev"))
    newest = await deployments.newest("shop-dev-web-green", datetime.fromtimestamp(0, UTC))
    assert newest is not None
    assert newest.id == "d-1"
    assert await deployments.stop("shop-dev-web-green", unfenced)
    assert clients.stopped == ["d-1", "d-2"]
    await clients.close()
