"""What whoever deploys may do: all that crossfade calls, and nothing beside it."""

import json
import re
from fnmatch import fnmatchcase
from importlib.resources import files as package
from typing import Any

import pytest
from tests.unit.aws.terraform.files import app, on_hosts

from crossfade.aws.rights.deployer import policy
from crossfade.file.model import App

JOBS = {"tidy": {"service": "web", "command": "tidy", "schedule": "0 3 * * *", "timeout": "1h"}}
SHOP = app(
    {"web": {"secrets": ["KEY"]}, "api": {}}, jobs=JOBS, secrets={"KEY": {}}, site={}, database={"snapshot": True}
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB deploy"
FIXED, PRIVATE = (app(compute={"kind": "hosts", "keys": [KEY], "address": to}) for to in ("fixed", "private"))
GROUPS = app(compute={"kind": "autoscaling"}, database={"snapshot": True})
REVISIONS = on_hosts(pipeline={"strategy": "hybrid"})
# Botocore's name of a service -> IAM's prefix, where they differ.
PREFIXES = {"elbv2": "elasticloadbalancing"}
# A transaction is allowed by the rights of what it is made of: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
# So are operations of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
MADE_OF = {
    "dynamodb:TransactWriteItems": ("dynamodb:PutItem", "dynamodb:ConditionCheckItem"),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:ListObjectsV2": ("s3:ListBucket",),
}
# Who one is may be asked by everybody: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = {"sts:GetCallerIdentity"}
CALLED = re.compile(r'(?:call|all)\(\s*"([a-z0-9-]+)",\s*"([a-z_]+)"')


def statements(of: App, **how: bool) -> list[dict[str, Any]]:
    return list(policy(of, **how)["Statement"])


def allowed(of: App) -> set[str]:
    return {action for statement in statements(of) for action in statement["Action"]}


def calls() -> set[str]:
    """Actions of IAM behind the calls in the adapters for AWS."""
    found = set()
    folders = [package("crossfade.platforms.aws")]
    while folders:
        for entry in folders.pop().iterdir():
            if entry.is_dir():
                folders.append(entry)
            elif entry.name.endswith(".py"):
                for service, operation in CALLED.findall(entry.read_text()):
                    action = "".join(word.capitalize() for word in operation.split("_"))
                    found.add(f"{PREFIXES.get(service, service)}:{action}")
    return found - FREE


def test_all_that_is_called_is_allowed() -> None:
    """Each operation that the adapters call has its action in the policy."""
    filled = {
        action
        for of in (SHOP, FIXED, GROUPS, REVISIONS, on_hosts())
        for each in statements(of, fills_secrets=True, restores=True)
        for action in each["Action"]
    }
    may = {action.lower() for action in filled}
    assert len(calls()) > 15
    needed = {part for action in calls() for part in MADE_OF.get(action, (action,))}
    assert {action for action in needed if not any(fnmatchcase(action.lower(), one) for one in may)} == set()


@pytest.mark.parametrize(
    "of",
    [SHOP, on_hosts(), REVISIONS, GROUPS, FIXED, PRIVATE],
    ids=["containers", "hosts", "revisions", "groups", "fixed", "private"],
)
def test_what_it_changes_has_a_name(of: App) -> None:
    """For everything at once it only looks; taking an old definition out of the list is the one call without names."""
    for statement in statements(of):
        if statement["Resource"] == ["*"]:
            changing = [a for a in statement["Action"] if not re.search(r":(Describe|Get|List)", a)]
            assert changing in ([], ["ecs:DeregisterTaskDefinition"])


@pytest.mark.parametrize("other", ["production", "prod-eu", "dev"])
def test_another_environment_is_none_of_its_business(other: str) -> None:
    """Nothing of an environment beside it is reached, also where its name begins alike."""
    named = re.sub(r"shop([-@/])prod", rf"shop\g<1>{other}", json.dumps(policy(SHOP)))
    wanted = [arn for each in json.loads(named)["Statement"] for arn in each["Resource"]]
    for statement in statements(SHOP):
        narrow = "Condition" in statement
        for pattern in statement["Resource"]:
            met = [arn for arn in wanted if arn != "*" and pattern != "*" and fnmatchcase(arn, pattern)]
            assert met == [] or narrow


def test_a_journal_is_shared_by_a_table_and_not_by_rights() -> None:
    """Of the app's table it reads and writes the environment's own part."""
    (journal,) = (each for each in statements(SHOP) if each["Sid"] == "Journal")
    assert journal["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["shop@prod"]}}


def test_a_way_in_is_opened_in_the_environments_own_group_alone() -> None:
    """By the tags of the group; and where hosts are private nothing is opened at all."""
    (opens,) = (each for each in statements(FIXED) if each["Sid"] == "WayIn")
    assert opens["Condition"]["StringEquals"]["aws:ResourceTag/crossfade:environment"] == "prod"
    assert not [action for action in allowed(PRIVATE) if "SecurityGroupIngress" in action]
    (session,) = (each for each in statements(PRIVATE) if each["Sid"] == "Session")
    assert session["Condition"]["StringEquals"]["aws:ResourceTag/crossfade:app"] == "shop"


def test_a_target_of_scaling_is_named_when_it_is_made_and_never_anew() -> None:
    """A warm fleet of a service that does not scale takes one of its own; that of another environment stays that's."""
    (makes,) = (each for each in statements(SHOP) if "application-autoscaling:TagResource" in each["Action"])
    assert makes["Condition"]["StringEquals"]["aws:RequestTag/crossfade:environment"] == "prod"
    assert makes["Condition"]["Null"] == {"aws:ResourceTag/crossfade:environment": "true"}
    scaled = app({"web": {"scale": {"min": 1, "max": 2, "cpu": "70%"}}})
    assert "application-autoscaling:TagResource" not in allowed(scaled)


def test_hooks_run_on_the_environments_own_hosts_alone() -> None:
    """Who runs commands on hosts as root does so on no other, and where nothing of a release is run not at all."""
    (runs,) = (each for each in statements(GROUPS) if each["Sid"] == "Hooks")
    assert runs["Condition"]["StringEquals"]["aws:ResourceTag/crossfade:environment"] == "prod"
    assert "ssm:SendCommand" not in allowed(on_hosts()) | allowed(REVISIONS) | allowed(SHOP)


def test_roles_are_handed_to_tasks_only() -> None:
    """It passes on the roles of its own tasks, and to nobody but ECS; the one that begins jobs to who begins them."""
    passes, begins = (each for each in statements(SHOP) if "iam:PassRole" in each["Action"])
    assert begins["Resource"] == ["arn:${partition}:iam::${account}:role/shop-prod-jobs"]
    assert begins["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    assert passes["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert all(re.search(r":role/shop-prod-(web|api)-(task|execution)$", arn) for arn in passes["Resource"])


def test_no_value_of_a_secret_is_read() -> None:
    """A deploy sees versions of secrets; who fills them may write, and nobody reads."""
    assert not [action for action in allowed(SHOP) if action == "secretsmanager:GetSecretValue"]
    fills = {a for each in statements(SHOP, fills_secrets=True) for a in each["Action"]} - allowed(SHOP)
    assert fills == {"secretsmanager:PutSecretValue"}


def test_names_of_statements_are_what_iam_takes() -> None:
    """Letters and digits, each once: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html."""
    for of in (SHOP, on_hosts(), REVISIONS, GROUPS, FIXED, PRIVATE):
        names = [each["Sid"] for each in statements(of, fills_secrets=True, restores=True)]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names)


def test_a_role_can_hold_it() -> None:
    """With ten services the policy is within the 10,240 characters that a role takes in line."""
    many = app({f"service-{number}": {} for number in range(10)}, site={})
    assert len(json.dumps(policy(many), separators=(",", ":"))) < 10_240
