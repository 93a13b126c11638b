"""Releases on AWS as a person ships them: the command line, a model of AWS, and clients that count what they lose."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.rig import REGION
from tests.support.shipped import LIMIT, PACE, counted, throttled, until
from tests.support.shop_on_aws import Shop

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


@pytest.fixture
def shop(rig: Rig, request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return Shop(rig, f"shop{request.module.SHOPS.pop()}", tmp_path)


SHOPS = list("nmlkjihgfedcba")


def test_a_release_goes_out_and_back_without_losing_a_request(shop: Shop) -> None:
    """Blue-green by the weights, told as on one machine; a rollback is carried as well."""
    with shop.visited() as visitors:
        assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
        shop.write(2)
        ran = shop.run("deploy", "-e", "dev", "--version", "v2", "--json")
        assert (ran.code, ran.last["rollout"]["state"]) == (0, "succeeded")
        assert "retried" in ran.last["traffic"]["uncounted"]
        assert shop.run("rollback", "-e", "dev").code == 0
    assert not visitors.lost
    assert set(visitors.answers) == {"1", "2"}
    releases = json.loads(shop.run("releases", "-e", "dev", "--json").out)["releases"]
    assert [(one["version"], one["outcome"]) for one in releases] == [("v2", "bad"), ("v1", "good")]
    assert "release 1 starts" in shop.run("logs", "-e", "dev").out


def test_a_release_that_never_gets_healthy_is_taken_back(shop: Shop) -> None:
    """Nobody was sent to it: exit code 1, and why."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, fault="broken")
    with shop.visited() as visitors:
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
    assert ran.code == 1
    assert not visitors.lost
    assert set(visitors.answers) == {"1"}


def test_what_a_killed_process_left_is_gone_on_with_by_the_next(shop: Shop) -> None:
    """SIGKILL in the middle of the switch; the job of CI is run again, and loses nothing."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2)
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
            until(process, lambda event: event["kind"] == "done")
            process.send_signal(signal.SIGKILL)
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, "was left: going on with it" in ran.out) == (0, True)
        assert "already runs exactly this" in ran.out
    assert not visitors.lost
    assert visitors.answers["2"]


def test_a_command_runs_as_a_task_of_the_release(shop: Shop) -> None:
    """With its environment and its exit code; the same again is another one. Beside a task AWS has its own way."""
    shop.write(7)
    assert shop.run("deploy", "-e", "dev", "--version", "v7").code == 0
    for _ in range(2):
        ran = shop.run("run", "-e", "dev", "--json", "--", "sh", "-c", "echo release $RELEASE; exit 3")
        assert (ran.code, ran.last["code"], ran.last["output"]) == (3, 3, "release 7"), ran.err
    assert "release 7" in shop.run("run", "web", "-e", "dev", "--", "sh", "-c", "echo release $RELEASE").out
    beside = shop.run("exec", "0123abc", "-e", "dev", "--", "sh", "-c", "env")
    assert (beside.code, "--task 0123abc --command 'sh -c env'" in beside.err) == (3, True), beside.err
    unknown = shop.run("run", "api", "-e", "dev", "--", "ls")
    assert (unknown.code, "nothing called" in unknown.err) == (2, True), unknown.err


def test_another_machine_looks_and_gives_orders(shop: Shop) -> None:
    """A second deploy is refused with who carries the first; `abort` is done by that one."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, bake="10m")
    with shop.visited() as visitors, shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
        until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
        refused = shop.run("deploy", "-e", "dev", "--version", "v3")
        assert refused.code == 3
        assert f"rollout 2 of {shop.home}/web to release 2 (v2)" in refused.err
        assert f"process {process.pid}-" in refused.err
        assert f"process {process.pid}-" in shop.run("status", "-e", "dev").out
        aborted = shop.run("abort", "-e", "dev", "--reason", "wrong branch")
        assert aborted.code == 0
        assert "who carries it" in aborted.out
        out, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 1
        assert json.loads(out.splitlines()[-1])["rollout"]["reason"] == "wrong branch"
    assert not visitors.lost


def test_a_cancelled_job_leaves_things_as_they_are(shop: Shop) -> None:
    """SIGTERM gives the lease back at once, and says how to go on; `abort` carries it home."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, bake="10m")
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
            until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
            process.terminate()
            assert process.wait(LIMIT) == 130
        assert "nobody carries it" in shop.run("status", "-e", "dev").out
        assert shop.run("abort", "-e", "dev").code == 0
    assert not visitors.lost


def test_credentials_that_expire_on_the_way_end_the_command(rig: Rig, shop: Shop) -> None:
    """It cannot even write down what is: traffic stays, and the next command with good ones carries it home."""
    shop.write(1, bake="10m")
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v1", "--json") as process:
            until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
            rig.knobs.refuse("*", "*", "ExpiredTokenException", "The security token is expired")
            out, _ = process.communicate(timeout=LIMIT)
            rig.knobs.clear()
        error = json.loads(out.splitlines()[-1])["error"]
        assert (process.returncode, error["cause"]) == (4, "the credentials for AWS have expired")
        assert "traffic stays as it is, and `crossfade resume -e dev` goes on" in error["way_out"]
        assert shop.run("abort", "-e", "dev").code == 0
    assert not visitors.lost


def test_a_right_that_is_missing_on_the_way_is_trouble_of_the_platform(rig: Rig, shop: Shop) -> None:
    """Exit code 4 and the right by its name; the release goes back unblamed, and no request is lost."""
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    shop.write(2)
    said = "User: ci is not authorized to perform: elasticloadbalancing:ModifyRule on resource: * because of no policy"
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
            until(process, lambda event: event["kind"] == "done")
            rig.knobs.refuse("elbv2", "ModifyRule", "AccessDeniedException", said)
            out, _ = process.communicate(timeout=LIMIT)
            rig.knobs.clear()
        last = json.loads(out.splitlines()[-1])["rollout"]
        assert (process.returncode, last["state"], last["denied"]) == (4, "rolled_back", True)
        assert "may not elasticloadbalancing:ModifyRule" in last["reason"]
    assert not visitors.lost
    releases = json.loads(shop.run("releases", "-e", "dev", "--json").out)["releases"]
    assert releases[0]["outcome"] == "aborted"


def test_what_aws_refuses_is_one_sentence(rig: Rig, shop: Shop) -> None:
    """With its way out and exit code, and nothing is on record."""
    nobody = shop.run("deploy", "-e", "dev", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nonexistent")
    assert (nobody.code, "there are no credentials for AWS" in nobody.err) == (4, True)
    rig.knobs.refuse("dynamodb", "GetItem", "ExpiredTokenException", "The security token is expired")
    expired = shop.run("deploy", "-e", "dev")
    rig.knobs.clear()
    assert (expired.code, "the credentials for AWS have expired" in expired.err) == (4, True)
    rig.knobs.throttle()  # for longer than a call is tried again
    throttled = shop.run("deploy", "-e", "dev")
    rig.knobs.clear()
    said = "AWS gets too many calls from this account at once and refuses dynamodb GetItem"
    assert (throttled.code, said in throttled.err, throttled.err.count("\n")) == (4, True, 2)
    assert "nothing runs here" in shop.run("status", "-e", "dev").out


def test_every_operation_of_a_deploy_may_be_throttled(rig: Rig, shop: Shop) -> None:
    """Some times in a row, those of journal, registry and secrets too: it takes longer, and nobody loses a request."""
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    shop.write(2)
    with counted(rig) as asked:
        assert shop.run("deploy", "-e", "dev", "--version", "v2").code == 0
    assert {one.partition(":")[0] for one in asked} >= {"dynamodb", "ecr", "ecs", "elbv2"}
    shop.write(3)
    with shop.visited() as visitors, throttled(rig, asked):
        ran = shop.run("deploy", "-e", "dev", "--version", "v3")
    assert ran.code == 0, ran.out + ran.err
    assert not visitors.lost


def test_what_is_wrong_before_a_deploy_begins_leaves_all_as_it_was(rig: Rig, shop: Shop) -> None:
    """Each is one sentence with its way out and exit code 2 to 4; the release that serves does so all the time."""
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    shop.write(2)
    unknown = "UnrecognizedClientException", "The security token included in the request is invalid."
    denied = "User: ci is not authorized to perform: {} on resource: arn:aws:x because no policy allows it"
    with shop.visited() as visitors:
        for (service, operation, code, said), cause in {
            ("dynamodb", "GetItem", *unknown): "AWS does not know these credentials",
            ("dynamodb", "Query", "AccessDeniedException", denied.format("dynamodb:Query")): "may not dynamodb:Query",
            ("ecs", "*", "AccessDeniedException", denied.format("ecs:ListTasks")): "may not ecs:ListTasks on arn:aws:x",
            ("elbv2", "DescribeRules", "AccessDenied", ""): "may not elasticloadbalancing:DescribeRules",
        }.items():
            rig.knobs.refuse(service, operation, code, said)
            ran = shop.run("deploy", "-e", "dev", "--version", "v2")
            rig.knobs.clear()
            assert (ran.code, cause in ran.err, ran.err.count("\n")) == (4, True, 2), ran.err
        with shop.unruled():
            ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, "is in no rule of the load balancer" in ran.err) == (4, True), ran.err
        shop.write(2, region="eu-west-1")
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, f"there is no table {shop.place.journal}" in ran.err) == (2, True), ran.err
        shop.write(2, image="123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:gone")
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, "is not in ECR" in ran.err) == (2, True), ran.err
        ran = shop.run("deploy", "-e", "stage", "--version", "v2")
        assert (ran.code, f"there is no cluster {shop.place.app}-stage in us-east-1 of" in ran.err) == (4, True), (
            ran.err
        )
        shop.write(2)
        shop.delete_target_group()
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, "there is no target group of" in ran.err) == (4, True), ran.err
    assert (set(visitors.answers), dict(visitors.lost)) == ({"1"}, {})
    releases = json.loads(shop.run("releases", "-e", "dev", "--json").out)["releases"]
    assert [one["version"] for one in releases] == ["v1"]


@pytest.mark.parametrize("where", ["account", "region"])
def test_in_another_account_or_region_than_the_environments_nothing_is_touched(
    rig: Rig, shop: Shop, where: str
) -> None:
    """One sentence that says where it looked, with the way out; there the environment goes on with what it has."""
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    elsewhere = rig.keys_of("999999999999") if where == "account" else {}
    shop.write(2, region="eu-west-1" if where == "region" else REGION)
    asked = "us-east-1 of account 999999999999" if where == "account" else "eu-west-1 of account 123456789012"
    with shop.visited() as visitors:
        for words, what, code in (
            (("deploy", "--version", "v2"), f"table {shop.place.journal} for the journal", 2),
            (("status",), f"table {shop.place.journal} for the journal", 2),
            (("rollback",), f"table {shop.place.journal} for the journal", 2),
            (("secrets", "set", "KEY", "--command", "echo new"), f"secret {shop.place.app}/dev/KEY", 4),
        ):
            ran = shop.run(*words, "-e", "dev", **elsewhere)
            assert ran.code == code, ran.out + ran.err
            assert f"there is no {what} in {asked}" in ran.err
            assert "set AWS_PROFILE or `cloud: {region: ...}` to where that was" in ran.err
            assert ran.err.count("\n") == 2
        shop.write(2, region=f'{REGION}, account: "999999999999"')
        for words in (("deploy",), ("status",), ("secrets", "set", "KEY", "--command", "echo new")):
            ran = shop.run(*words, "-e", "dev")
            said = "these credentials belong to account 123456789012, and the file's `cloud: account` is 999999999999"
            assert (ran.code, said in ran.err, ran.err.count("\n")) == (2, True, 2), ran.err
    assert (set(visitors.answers), dict(visitors.lost)) == ({"1"}, {})
    shop.write(1)
    assert shop.releases() == [("v1", "good")]


def test_a_quota_that_is_reached_on_the_way_is_trouble_of_the_platform(rig: Rig, shop: Shop) -> None:
    """No task more is begun: the release goes back, unblamed, with what AWS says of it."""
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    shop.write(2, timeout="10s")
    with shop.visited() as visitors:
        rig.knobs.set(quota=1)
        ran = shop.run("deploy", "-e", "dev", "--version", "v2", "--json")
        rig.knobs.set(quota=0)
    last = ran.last["rollout"]
    assert (ran.code, last["state"], set(visitors.answers), dict(visitors.lost)) == (4, "rolled_back", {"1"}, {}), last
    assert "the limit on the number of tasks" in last["reason"]
