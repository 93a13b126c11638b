"""Services that come for any account, and roles that do not say whose pod or job may take them on."""

import json
from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made

from crossfade.aws.resources.resource import Resource

ACCOUNT = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
GITHUB = "token.actions.githubusercontent.com"


def policy(principal: Any, condition: Any = None, action: str = "sqs:SendMessage") -> str:
    one = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return json.dumps({"Statement": [one | ({"Condition": condition} if condition else {})]})


def has(rule: str, *resources: Resource) -> bool:
    return any(id_ == rule for id_, _ in found(*resources))


@pytest.mark.parametrize(
    ("kind", "service", "condition", "wrong"),
    [
        ("aws_sqs_queue", "sns.amazonaws.com", None, True),
        ("aws_sqs_queue_policy", "events.amazonaws.com", None, True),
        ("aws_sns_topic", "s3.amazonaws.com", None, True),
        ("aws_s3_bucket_policy", "cloudfront.amazonaws.com", None, True),
        ("aws_s3_bucket_policy", "cloudtrail.amazonaws.com", {"StringEquals": {"s3:x-amz-acl": "private"}}, True),
        ("aws_sqs_queue", "sns.amazonaws.com", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}, True),
        ("aws_sqs_queue", "sns.amazonaws.com", ACCOUNT, False),
        ("aws_sns_topic_policy", "s3.amazonaws.com", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::shop"}}, False),
        ("aws_sns_topic", "events.amazonaws.com", None, False),
        ("aws_sns_topic_policy", "backup.amazonaws.com", None, False),
        ("aws_s3_bucket_policy", "logdelivery.elasticloadbalancing.amazonaws.com", None, False),
        ("aws_kms_key", "sns.amazonaws.com", None, False),
    ],
)
def test_a_service_comes_for_whoever_names_the_resource(
    kind: str, service: str, condition: Any, *, wrong: bool
) -> None:
    """Without a condition on the source any account has it bring and fetch; not where it cannot say for whom."""
    resource = made(f"{kind}.x", policy=policy({"Service": service}, condition))
    assert has("CF-SEC-015", resource) is wrong


def test_a_source_that_only_the_apply_tells_is_one() -> None:
    """A condition on the ARNs of what the same plan makes, however many those will be."""
    condition = {"test": "ArnEquals", "variable": "aws:SourceArn"}
    statement = {
        "actions": ["sqs:SendMessage"],
        "principals": [{"type": "Service", "identifiers": ["s3.amazonaws.com"]}],
        "condition": [condition],
    }
    document = made("aws_iam_policy_document.d", statement=[statement])
    refers = {"policy": (document.address,)}
    queue = Resource(address="aws_sqs_queue_policy.q", type="aws_sqs_queue_policy", refers=refers)
    assert not has("CF-SEC-015", document, queue)
    everybody = {**statement, "principals": [{"type": "AWS", "identifiers": ["*"]}]}
    assert not has("CF-SEC-009", made(document.address, statement=[everybody]), queue)


def trust(provider: str, **conditions: str) -> Resource:
    tests = {f"{provider}:{key}": value for key, value in conditions.items()}
    who = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{provider}"}
    return made(
        "aws_iam_role.r", assume_role_policy=policy(who, {"StringLike": tests}, "sts:AssumeRoleWithWebIdentity")
    )


@pytest.mark.parametrize(
    ("role", "wrong"),
    [
        (trust(CLUSTER, aud="sts.amazonaws.com"), True),
        (trust(CLUSTER, sub="*"), True),
        (trust(CLUSTER, sub="system:serviceaccount:shop:web"), False),
        (trust(GITHUB, job_workflow_ref="acme/flows/.github/workflows/deploy.yml@refs/heads/main"), True),
        (trust(GITHUB, job_workflow_ref="acme/flows/x.yml@main", repository="acme/shop"), False),
        (trust(GITHUB, sub="repo:acme/shop:*"), False),
    ],
)
def test_whose_pod_or_job_it_is_has_to_be_said(role: Resource, *, wrong: bool) -> None:
    """A cluster has many pods, and a reusable workflow runs for whoever may call it."""
    assert has("CF-SEC-016", role) is wrong


@pytest.mark.parametrize(("value", "wrong"), [("sts.amazonaws.com", True), ("system:serviceaccount:a:b", False)])
def test_a_cluster_of_the_same_plan_is_one_too(value: str, *, wrong: bool) -> None:
    """Its issuer and the keys of its conditions have no names yet; what they are compared with tells which is which."""
    statement = {
        "actions": ["sts:AssumeRoleWithWebIdentity"],
        "principals": [{"type": "Federated", "identifiers": [None]}],
        "condition": [{"test": "StringEquals", "variable": None, "values": [value]}],
    }

    def refer(address: str, values: dict[str, Any] | None = None, **refers: tuple[str, ...]) -> Resource:
        dotted = {key.replace("__", "."): to for key, to in refers.items()}
        return Resource(address=address, type=address.partition(".")[0], values=values or {}, refers=dotted)

    plan = (
        made("aws_eks_cluster.c"),
        refer("aws_iam_openid_connect_provider.p", url=("aws_eks_cluster.c",)),
        refer(
            "aws_iam_policy_document.d",
            {"statement": [statement]},
            statement__principals__identifiers=("aws_iam_openid_connect_provider.p",),
        ),
        refer("aws_iam_role.r", assume_role_policy=("aws_iam_policy_document.d",)),
    )
    assert has("CF-SEC-016", *plan) is wrong
