"""How far rights reach: by what an ARN leaves out, by conditions that limit nothing, and by policies of AWS's own."""

import json
from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made, policy, trusting_github

from crossfade.aws.resources.resource import Resource

ROLE = "aws_iam_role.x"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:ResourceAccount": "123456789012"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringLike": {"iam:PassedToService": "*"}},
    ],
)
def test_a_condition_that_all_of_the_account_meets_is_none(condition: Any) -> None:
    """Whoever has a role of the account is of it, and so is what it changes there."""
    name = "aws_iam_policy.x"
    assert ("CF-SEC-006", name) in found(made(name, policy=policy(Action="iam:PassRole", Condition=condition)))
    limited = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert ("CF-SEC-006", name) not in found(made(name, policy=policy(Action="iam:PassRole", Condition=limited)))


@pytest.mark.parametrize(
    ("action", "resource", "wide"),
    [
        ("iam:AttachRolePolicy", "arn:aws:iam::*", True),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role*", True),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/app-*", False),
        ("dynamodb:*", "arn:aws:dynamodb:*:123456789012:table/*", True),
        ("dynamodb:*", "arn:aws:dynamodb:*:123456789012:table/orders", False),
        ("s3:*", "arn:aws:s3:::*/*", True),
        ("s3:*", "arn:aws:s3:::uploads/*", False),
        ("sqs:*", "arn:aws:sqs", True),
        ("sqs:*", "arn:aws:sqs:us-east-1:123456789012:orders-*", False),
    ],
)
def test_an_arn_is_as_wide_as_what_it_leaves_out(action: str, resource: str, *, wide: bool) -> None:
    """Everything of a kind, and whatever comes after the last part that is there. A bucket is no kind."""
    name = "aws_iam_policy.x"
    ids = {id_ for id_, where in found(made(name, policy=policy(Action=action, Resource=resource))) if where == name}
    assert bool(ids & {"CF-SEC-005", "CF-SEC-010"}) is wide


@pytest.mark.parametrize(
    ("key", "value", "limited"),
    [
        ("repository", "acme/shop", True),
        ("repository_id", "123456", True),
        ("job_workflow_ref", "acme/ci/.github/workflows/deploy.yml@refs/heads/main", True),
        ("repository", "*/shop", False),
        ("repository_owner", "acme", True),
        ("repository_owner_id", "1234567", True),
        ("repository_owner", "acme*", False),
        ("environment", "production", False),
    ],
)
def test_a_job_of_github_is_told_by_more_than_its_subject(key: str, value: str, *, limited: bool) -> None:
    """By its repository or workflow; an environment anybody makes. Of an owner IAM has no key: none gets in."""
    assert (("CF-SEC-008", ROLE) not in found(trusting_github(ROLE, key, value))) is limited


def test_an_owner_that_need_not_be_told_is_anybody() -> None:
    """IAM never has that key, so that a test with ...IfExists is always passed; of `sub` there always is one."""
    issuer = "token.actions.githubusercontent.com"
    who = {"Federated": f"arn:aws:iam::1:oidc-provider/{issuer}"}
    for key, value, open_ in (("repository_owner_id", "1", True), ("sub", "repo:acme/shop:ref:refs/heads/main", False)):
        tested = {"StringEqualsIfExists": {f"{issuer}:{key}": value}}
        trust = policy(Action="sts:AssumeRoleWithWebIdentity", Principal=who, Condition=tested)
        assert (("CF-SEC-008", ROLE) in found(made(ROLE, assume_role_policy=trust))) is open_


@pytest.mark.parametrize(
    ("principals", "open_"),
    [
        ({"Service": "*"}, True),
        ({"Service": "ec2.amazonaws.com"}, False),
        ({"Federated": "arn:aws:iam::1:oidc-provider/oidc.vercel.com/acme"}, False),
        ({"Federated": "arn:aws:iam::1:oidc-provider/oidc.vercel.com"}, True),
    ],
)
def test_a_trust_of_every_service_is_one_of_everybody(principals: Any, *, open_: bool) -> None:
    """An issuer of one team alone knows no strangers."""
    trust = policy(Action="sts:AssumeRole", Principal=principals)
    assert (("CF-SEC-008", ROLE) in found(made(ROLE, assume_role_policy=trust))) is open_


@pytest.mark.parametrize(
    ("arn", "rule"),
    [
        ("arn:aws:iam::aws:policy/AmazonS3FullAccess", "CF-SEC-005"),
        ("arn:aws:iam::aws:policy/CloudWatchFullAccessV2", "CF-SEC-005"),
        ("arn:aws-cn:iam::aws:policy/AmazonSSMFullAccess", "CF-SEC-010"),
        ("arn:aws:iam::aws:policy/job-function/SystemAdministrator", "CF-SEC-005"),
        ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", None),
        ("arn:aws:iam::123456789012:policy/AmazonS3FullAccess", None),
    ],
)
def test_a_policy_that_aws_keeps_is_what_it_says(arn: str, rule: str | None) -> None:
    """As if it were written out, one by one or as the whole of what a role has."""
    for kind, values in (
        ("aws_iam_role_policy_attachment", {"policy_arn": arn}),
        ("aws_iam_role_policy_attachments_exclusive", {"policy_arns": [arn]}),
    ):
        ids = {id_ for id_, where in found(made(f"{kind}.x", **values)) if where == f"{kind}.x"}
        assert (ids >= {rule}) if rule else not ids


def test_a_boundary_gives_nobody_anything() -> None:
    """It only holds back; given to somebody as well, it is a policy like any other."""
    bound = made("aws_iam_policy.b", policy=policy(Action="*"))
    role = made("aws_iam_role.r", {"permissions_boundary": (bound.address,)})
    given = made("aws_iam_role_policy_attachment.g", {"policy_arn": (bound.address,)})
    has = made("aws_iam_role.h", {"managed_policy_arns": (bound.address,)})
    assert ("CF-SEC-003", bound.address) not in found(bound, role)
    assert ("CF-SEC-003", bound.address) in found(bound, role, given)
    assert ("CF-SEC-003", bound.address) in found(bound, role, has)
    assert ("CF-SEC-003", bound.address) in found(bound)


def test_a_document_has_what_the_documents_in_it_have() -> None:
    """As source or to override: the statement that publishes a bucket may stand two documents away."""
    anybody = {"actions": ["s3:GetObject"], "resources": ["*"], "principals": [{"type": "*", "identifiers": ["*"]}]}
    kind = "data.aws_iam_policy_document"
    base, middle, whole = (
        Resource(address=f"{kind}.{name}", type="aws_iam_policy_document", values=values, refers=refers)
        for name, values, refers in (
            ("base", {"statement": [anybody]}, {}),
            ("middle", {}, {"source_policy_documents": (f"{kind}.base",)}),
            ("whole", {}, {"override_policy_documents": (f"{kind}.middle",)}),
        )
    )
    opened = made("aws_s3_bucket_policy.p", {"policy": (whole.address,)})
    assert ("CF-DAT-015", opened.address) in found(opened, base, middle, whole)


def test_an_access_point_lets_no_stranger_in_unless_it_is_told_to() -> None:
    """Its own block of public access is on; a domain inside of a network is reached by who is in there."""
    text = policy(Action="s3:GetObject", Principal="*")
    point, opened = "aws_s3_access_point.p", {"public_access_block_configuration": [{"restrict_public_buckets": False}]}
    assert ("CF-SEC-009", point) not in found(made(point, policy=text))
    assert ("CF-SEC-009", point) in found(made(point, policy=text, **opened))
    inside = made("aws_opensearch_domain.d", vpc_options=[{"subnet_ids": ["a"]}])
    own = made("aws_opensearch_domain_policy.p", {"domain_name": (inside.address,)}, access_policies=text)
    assert ("CF-SEC-009", own.address) not in found(inside, own)
    assert ("CF-SEC-009", own.address) in found(made("aws_opensearch_domain.d"), own)


@pytest.mark.parametrize(
    ("allowed", "denied", "rules"),
    [
        ("iam:*", {"Action": "iam:*", "Resource": "*"}, set()),
        ("*", {"Action": "*", "Resource": "*"}, set()),
        ("iam:PassRole", {"Action": ["iam:*", "organizations:*"], "Resource": "*"}, set()),
        ("*", {"Action": "iam:*", "Resource": "*"}, {"CF-SEC-003"}),
        ("iam:PassRole", {"Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/admin"}, {"CF-SEC-006"}),
        (
            "iam:PassRole",
            {"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
            {"CF-SEC-006"},
        ),
        ("s3:*", {"Action": "s3:Delete*", "Resource": "*"}, {"CF-SEC-005"}),
    ],
)
def test_what_the_same_policy_takes_away_nobody_has(allowed: str, denied: Any, rules: set[str]) -> None:
    """Everywhere and always; what it forbids here or sometimes is still there otherwise. As text, and as a document."""
    deny = {"Effect": "Deny", **denied}
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}, deny]})
    written = made("aws_iam_policy.x", policy=text)
    condition = [{"test": "Bool", "variable": "aws:MultiFactorAuthPresent", "values": ["false"]}]
    statements = [
        {"effect": "Allow", "actions": [allowed], "resources": ["*"]},
        {
            "effect": "Deny",
            "actions": denied["Action"] if isinstance(denied["Action"], list) else [denied["Action"]],
            "resources": [denied["Resource"]],
            "condition": condition if "Condition" in denied else [],
        },
    ]
    document = made("aws_iam_policy_document.x", statement=statements)
    for policy_ in (written, document):
        assert {id_ for id_, where in found(policy_) if where == policy_.address} == rules
