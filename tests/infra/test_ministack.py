"""The examples' dev environments on an AWS: made, seen to be as planned, changed, locked, and taken away.

What MiniStack cannot do is turned off by the files in ministack/, each with what it is.
"""

import json
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infra.cloud import turn_off
from tests.infra.project import Project, Ran
from tests.support.terraform import Terraform, served

from crossfade.file.reading.document import read

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST = "created (1 of"
OWN_LOCK = re.compile(r"the state of dev is locked by .* \(lock ([0-9a-f-]{36})\)")
pytestmark = [pytest.mark.slow, pytest.mark.applies, pytest.mark.timeout(2400)]


class Stack(Project):
    """An example's dev environment in a folder of its own."""

    def init(self) -> None:
        self.ok("init", "-e", "dev")
        turn_off(self.home / "infrastructure", "dev")

    def run(self, *words: str, **options: Any) -> Ran:
        """Once more, with a warning, when it met a lock that is its own.

        About one in a thousand answers breaks off while Terraform's SDK reads it ("decomposing response: ... use of
        closed network connection", seen with max_retries = 1). It asks again, and what was made is in its own way.
        """
        ran = super().run(*words, **options)
        return super().run(*words, **options) if self._unlocked(ran.err) else ran

    def _unlocked(self, said: str) -> bool:
        """Whether it met a lock of its own, which is taken away."""
        if (lock := OWN_LOCK.search(said)) is None:
            return False
        warnings.warn(f"MiniStack: {said.strip()}", stacklevel=3)
        unlock = ["terraform", "force-unlock", "-force", lock[1]]
        subprocess.run(unlock, cwd=self.folder("dev"), env=os.environ | self.env, check=True, capture_output=True)
        return True

    def apply_while(self, meanwhile: Callable[[], None]) -> Any:
        """Apply, and once the first resource is there, do something else beside it."""
        process, said = self._begun()
        if self._unlocked(said):
            process, said = self._begun()
        assert FIRST in said, said
        meanwhile()
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    def _begun(self) -> tuple[Any, str]:
        """An apply with its first resource, and what it said until then; or one that ended before."""
        process, said = self.start("apply", "-e", "dev", "--yes", "--json"), ""
        for line in process.stderr:
            said += line
            if FIRST in line:
                break
        return process, said

    def change(self, **different: Any) -> None:
        """Lay something over dev in the file."""
        file = read(self.file, self.file.name).plain()
        file["environments"]["dev"] = _over(file["environments"]["dev"], different)
        self.file.write_text(json.dumps(file))  # JSON is YAML

    def rename(self, app: str) -> None:
        """A state of its own, on the AWS that all tests share."""
        self.file.write_text(re.sub(r"^app: .*", f"app: {app}", self.file.read_text(), flags=re.MULTILINE))

    def aws(self, service: str, operation: str, **arguments: Any) -> Any:
        """Ask AWS itself, not Terraform."""
        from botocore.session import get_session

        client = get_session().create_client(
            service,
            region_name="ap-northeast-2",
            endpoint_url=self.env["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        return getattr(client, operation)(**arguments)


@pytest.fixture
def stack(aws: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    made: list[Stack] = []

    def of(system: str) -> Stack:
        shutil.copy(EXAMPLES / system / "crossfade.yaml", tmp_path)
        made.append(Stack(tmp_path, env=aws))
        return made[0]

    yield of
    for one in made:
        one.close()


def _over(below: Any, above: Any) -> Any:
    """Mappings are merged, everything else is replaced."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _over(below.get(key), value) for key, value in above.items()}


def as_the_file_says(stack: Stack) -> bool:
    """A second plan has nothing to do: what AWS has is what was written. But for alarms, which MiniStack gives back
    without their actions, texts and dimensions; no switch helps, because what is missing is required.
    """
    left = stack.ok("plan", "-e", "dev")["resources"]
    assert [one for one in left if (one["type"], one["action"]) != ("aws_cloudwatch_metric_alarm", "update")] == []
    return True


def refused_by_the_lock(stack: Stack) -> None:
    """The first run holds it, in the table on AWS: who, for what, and the way out."""
    ran = Project.run(stack, "plan", "-e", "dev")  # this lock is meant
    assert ran.code == 3
    assert "the state of dev is locked by " in ran.err
    assert "for apply (lock " in ran.err
    assert "terraform -chdir=infrastructure/environments/dev force-unlock " in ran.err


def test_bootstrap_makes_a_closed_bucket_and_two_tables_once(stack: Callable[[str], Stack]) -> None:
    """A versioned, encrypted, closed bucket that drops old states after 90 days, two tables; again changes nothing."""
    codemate = stack("codemate")
    codemate.rename("cm1")
    first = codemate.ok("bootstrap")
    bucket, table, journal = "cm1-terraform-state", "cm1-terraform-lock", "cm1-crossfade"
    assert first["places"] == [{"region": "ap-northeast-2", "bucket": bucket, "table": table, "journal": journal}]
    assert first["done"][0] == f"bucket {bucket} is made"
    assert codemate.aws("s3", "get_bucket_versioning", Bucket=bucket)["Status"] == "Enabled"
    (rule,) = codemate.aws("s3", "get_bucket_encryption", Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    closed = codemate.aws("s3", "get_public_access_block", Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    (rule,) = codemate.aws("s3", "get_bucket_lifecycle_configuration", Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    made = codemate.aws("dynamodb", "describe_table", TableName=table)["Table"]
    assert made["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    kept = codemate.aws("dynamodb", "describe_table", TableName=journal)["Table"]
    assert [key["AttributeName"] for key in kept["KeySchema"]] == ["place", "line"]
    backups = codemate.aws("dynamodb", "describe_continuous_backups", TableName=journal)
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    assert codemate.ok("bootstrap")["done"] == []


def test_bootstrap_goes_on_where_it_broke_off(stack: Callable[[str], Stack]) -> None:
    """A bucket without its settings gets them, and rules of somebody else stay."""
    codemate = stack("codemate")
    codemate.rename("cm2")
    bucket = "cm2-terraform-state"
    codemate.aws(
        "s3",
        "create_bucket",
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"},
    )
    other = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    codemate.aws("s3", "put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration={"Rules": [other]})
    done = codemate.ok("bootstrap")["done"]
    assert f"bucket {bucket} is made" not in done
    assert f"bucket {bucket} keeps overwritten states" in done
    rules = codemate.aws("s3", "get_bucket_lifecycle_configuration", Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == ["theirs", "crossfade-old-versions"]


def test_without_bootstrap_the_verb_that_makes_it_is_named(stack: Callable[[str], Stack]) -> None:
    """The message says which verb makes what is missing."""
    codemate = stack("codemate")
    codemate.rename("cm3")
    codemate.init()
    ran = codemate.run("plan", "-e", "dev")
    assert ran.code == 4
    assert "`crossfade infra bootstrap` makes the bucket" in ran.err


@pytest.mark.walks  # tests/rig/tests/test_terraform.py applies it on the rig
def test_tiketis_dev_goes_from_nothing_to_nothing(stack: Callable[[str], Stack]) -> None:
    """Fargate behind a balancer and a CDN, with RDS and ElastiCache: from nothing to nothing."""
    tiketi = stack("tiketi")
    tiketi.ok("bootstrap")
    tiketi.init()
    made = tiketi.apply_while(lambda: refused_by_the_lock(tiketi))
    assert made["add"] > 100
    assert made["outputs"]["urls"] == ["https://tiketi.gg", "https://api.tiketi.gg"]
    names = [f"tiketi-dev-api-{colour}" for colour in ("blue", "green")]
    services = tiketi.aws("ecs", "describe_services", cluster="tiketi-dev", services=names)["services"]
    assert {one["serviceName"]: one["desiredCount"] for one in services} == dict(zip(names, (1, 0), strict=True))
    assert as_the_file_says(tiketi)

    tiketi.change(cloud={"secrets": {"PARTNER_KEY": {}}, "logs": {"keep": "14d"}})
    refused = tiketi.run("plan", "-e", "dev")
    assert (refused.code, "`crossfade infra init -e dev`" in refused.err) == (3, True)
    tiketi.init()
    changed = tiketi.ok("apply", "-e", "dev", "--yes", limit=600)
    assert changed["add"] > 0
    assert changed["destroy"] == 0
    groups = tiketi.aws("logs", "describe_log_groups", logGroupNamePrefix="/ecs/tiketi-dev-api")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [14]

    refused = tiketi.run("destroy", "-e", "dev", "--confirm", "dev")
    assert refused.code == 3
    assert "database tiketi-dev, 20 GB" in refused.out
    assert "confirm it with --with-data" in refused.err
    ended = tiketi.ok("destroy", "-e", "dev", "--confirm", "dev", "--with-data", limit=600)
    assert ended["destroy"] > 100
    assert tiketi.aws("rds", "describe_db_instances")["DBInstances"] == []


def _sizes(of: Stack) -> dict[str, tuple[int, int]]:
    groups = of.aws("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
    return {group["AutoScalingGroupName"]: (group["MinSize"], group["MaxSize"]) for group in groups}


@pytest.fixture
def in_one_region(aws: dict[str, str], terraform: Terraform) -> Iterator[dict[str, str]]:
    """By which one process of the provider serves all that is done: it would take another region's for its own."""
    with served(terraform, aws) as once:
        yield once.variables


def test_feedbacks_dev_goes_from_nothing_to_nothing(
    stack: Callable[[str], Stack], in_one_region: dict[str, str]
) -> None:
    """Two Auto Scaling groups behind a balancer, and a database on a host of its own: from nothing to nothing."""
    feedback = stack("feedback")
    feedback.env = feedback.env | in_one_region
    feedback.ok("bootstrap")
    feedback.init()
    made = feedback.ok("apply", "-e", "dev", "--yes", limit=600)
    assert made["add"] > 50
    assert _sizes(feedback) == {"feedback-dev-web-blue": (2, 3), "feedback-dev-web-green": (0, 3)}
    assert as_the_file_says(feedback)

    feedback.change(services={"web": {"scale": {"max": 4}}}, cloud={"secrets": {"PARTNER_KEY": {}}})
    feedback.init()
    changed = feedback.ok("apply", "-e", "dev", "--yes", limit=600)
    assert changed["add"] > 0
    assert changed["destroy"] == 0
    assert _sizes(feedback) == {"feedback-dev-web-blue": (2, 4), "feedback-dev-web-green": (0, 4)}
    refused = feedback.run("destroy", "-e", "dev", "--confirm", "dev")
    assert (refused.code, "confirm it with --with-data" in refused.err) == (3, True)
    ended = feedback.ok("destroy", "-e", "dev", "--confirm", "dev", "--with-data", limit=600)
    assert ended["destroy"] > 50
