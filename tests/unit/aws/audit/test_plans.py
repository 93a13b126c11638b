"""Rules on Terraform plans: one that breaks all of them, one that breaks none, both made by terraform."""

import json
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.terraform import find_terraform, served
from tests.unit.aws.audit.plans import FOLDER, NAMES, made

from crossfade.aws.audit.finding import Finding
from crossfade.aws.audit.plan import RULES, audit_plan
from crossfade.aws.audit.rule import Severity, rules
from crossfade.aws.resources.plan import Plan, open_plan
from crossfade.aws.resources.resource import Resource
from crossfade.core.errors import WrongInputError

DAY = date(2026, 11, 28)


@cache
def plan(name: str) -> Plan:
    return open_plan(FOLDER / name / "plan.json")


def audited(name: str, *, production: bool | None = None) -> list[Finding]:
    found = audit_plan(plan(name), "plan.json", production=production, day=DAY)
    return sorted(found, key=lambda one: one.order)


def line(found: Finding) -> str:
    return f"{found.severity} {found.rule.id} {found.where or '-'}: {found.what}"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_finds_what_breaks_it_and_nothing_where_all_is_well(rule: str) -> None:
    """Each rule finds something in the broken plan, and nothing in the clean one."""
    assert [found for found in audited("broken") if found.rule.id == rule]
    assert not [line(found) for found in audited("clean") if found.rule.id == rule]


def test_what_is_found_is_what_was_broken() -> None:
    """The broken plan has exactly the findings that are written down beside it."""
    written = (FOLDER / "broken" / "findings.txt").read_text(encoding="utf-8").splitlines()

    assert [line(found) for found in audited("broken")] == written


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_plans_are_terraforms(name: str, tmp_path: Path) -> None:
    """What terraform plans today is what the rules are tested with."""
    with served(find_terraform(tmp_path)) as terraform:
        now = made(name, terraform, tmp_path)

    assert now == json.loads((FOLDER / name / "plan.json").read_text(encoding="utf-8"))


def test_outside_of_production_only_what_matters_there_is_found() -> None:
    """Every finding has the weight that its rule has elsewhere."""
    found = audited("broken", production=False)

    assert found
    assert all(one.severity is one.rule.elsewhere for one in found)
    assert {one.rule.id for one in found} == {id_ for id_ in RULES if rules()[id_].elsewhere is not None}


def alone(tags: dict[str, str], key: str = "tags_all") -> list[Finding]:
    database = {"engine": "postgres", "storage_encrypted": True, "backup_retention_period": 7, key: tags}
    resource = Resource(address="aws_db_instance.one", type="aws_db_instance", values=database)
    return [found for found in audit_plan(Plan(resources=(resource,)), "plan.json") if found.rule.id == "CF-DAT-006"]


@pytest.mark.parametrize(
    ("tags", "strict"),
    [
        ({"Environment": "prod"}, True),
        ({"env": "eu-production"}, True),
        ({"Environment": "dev"}, False),
        ({"Stage": "staging"}, False),
        ({"Team": "shop"}, True),
        ({}, True),
    ],
)
def test_tags_say_whether_it_is_production(tags: dict[str, str], strict: bool) -> None:
    """A tag says which environment it is; without one the strict reading is the safe one."""
    assert bool(alone(tags)) is strict
    assert bool(alone(tags, "tags")) is strict


@pytest.mark.parametrize(
    ("engine", "version", "value", "plain"),
    [
        ("postgres", "14.12", None, True),
        ("postgres", "15.4", None, False),
        ("postgres", None, None, False),
        ("postgres", "14.12", "1", False),
        ("postgres", "17.2", "0", True),
        ("mysql", "8.4", None, True),
        ("mysql", None, None, True),
        ("mysql", "8.4", "ON", False),
        ("mariadb", "11.4", None, True),
        ("mariadb", "11.8.2", None, False),
        ("oracle-ee", "19", None, False),
    ],
)
def test_each_engine_forces_tls_in_its_own_way(
    engine: str, version: str | None, value: str | None, plain: bool
) -> None:
    """By a parameter of its own, which some versions set when nobody does."""
    key = "rds.force_ssl" if engine == "postgres" else "require_secure_transport"
    parameters = [{"name": key, "value": value}] if value else []
    group = {"name": "mine", "parameter": parameters}
    database = {"engine": engine, "engine_version": version, "parameter_group_name": "mine"}
    made = (
        Resource(address="aws_db_parameter_group.mine", type="aws_db_parameter_group", values=group),
        Resource(address="aws_db_instance.one", type="aws_db_instance", values=_known(database)),
    )

    found = {one.rule.id for one in audit_plan(Plan(resources=made), "plan.json")}

    assert ("CF-DAT-003" in found) is plain


def _known(values: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


@pytest.mark.parametrize(("hidden", "found"), [(True, False), (False, True)])
def test_a_policy_whose_statements_are_not_known_yet_is_no_finding(hidden: bool, found: bool) -> None:
    """One of a `dynamic` block over what comes later hides those that are written out beside it."""
    unknown = frozenset({"statement"}) if hidden else frozenset()
    refers = {"bucket": ("aws_s3_bucket.one",), "policy": ("data.aws_iam_policy_document.one",)}
    made = (
        Resource(address="aws_s3_bucket.one", type="aws_s3_bucket", values={}),
        Resource(
            address="data.aws_iam_policy_document.one", type="aws_iam_policy_document", values={}, unknown=unknown
        ),
        Resource(
            address="aws_s3_bucket_policy.one",
            type="aws_s3_bucket_policy",
            values={},
            refers=refers,
            unknown=frozenset({"policy"}),
        ),
    )
    rules = {one.rule.id for one in audit_plan(Plan(resources=made), "plan.json")}
    assert ("CF-DAT-020" in rules) is found


POLICY = '{"Statement": [{"Effect": "Allow", "Action": ACTION, "Resource": RESOURCE}]}'


def allowed(action: str, resource: str, more: str = "") -> set[str]:
    text = POLICY.replace("ACTION", action).replace("RESOURCE", resource + more)
    policy = Resource(address="aws_iam_policy.one", type="aws_iam_policy", values={"policy": text})
    return {found.rule.id for found in audit_plan(Plan(resources=(policy,)), "plan.json")}


@pytest.mark.parametrize(
    ("action", "resource", "found"),
    [
        ('"*"', '"arn:aws:s3:::one/*"', {"CF-SEC-003"}),
        ('"secretsmanager:*"', '"*"', {"CF-SEC-004", "CF-SEC-005"}),
        ('["SecretsManager:Get*"]', '["*"]', {"CF-SEC-004"}),
        ('"secretsmanager:GetSecretValue"', '"arn:aws:secretsmanager:*:*:secret:*"', {"CF-SEC-004"}),
        ('"secretsmanager:GetSecretValue"', '"arn:aws:secretsmanager:us-east-1:1:secret:app/*"', set()),
        ('"secretsmanager:ListSecrets"', '"*"', set()),
        ('"iam:PassRole"', '"*"', {"CF-SEC-006"}),
        ('"iam:PassRole"', '"arn:aws:iam::1:role/app-*"', set()),
        ('"s3:*"', '"*"', {"CF-SEC-005"}),
        ('"S3:*"', '"*"', {"CF-SEC-005"}),
        ('"iam:*"', '"*"', {"CF-SEC-005", "CF-SEC-006", "CF-SEC-010"}),
        ('"IAM:createaccesskey"', '"*"', {"CF-SEC-010"}),
        ('"iam:CreateAccessKey"', '"arn:aws:iam::1:user/${aws:username}"', set()),
        ('"sts:AssumeRole"', '"arn:aws:iam::1:role/app"', set()),
        ('"sts:AssumeRole"', '"*"', {"CF-SEC-010"}),
        ('"s3:*"', '"arn:aws:s3:::one"', set()),
        ('"ssmmessages:*"', '"*"', set()),
    ],
)
def test_policies_are_read_as_iam_reads_them(action: str, resource: str, found: set[str]) -> None:
    """Wildcards and letters of either case mean what they mean to IAM."""
    assert allowed(action, resource) == found


def trusted(principal: str, condition: str = "{}") -> set[str]:
    text = f'{{"Statement": [{{"Effect": "Allow", "Principal": {principal}, "Condition": {condition}}}]}}'
    role = Resource(address="aws_iam_role.one", type="aws_iam_role", values={"assume_role_policy": text})
    return {found.rule.id for found in audit_plan(Plan(resources=(role,)), "plan.json")}


GITHUB = '{"Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"}'
SUB = "token.actions.githubusercontent.com:sub"


@pytest.mark.parametrize(
    ("principal", "condition", "open_"),
    [
        ('"*"', "{}", True),
        ('{"AWS": ["arn:aws:iam::1:root", "*"]}', "{}", True),
        ('{"AWS": "*"}', '{"StringEquals": {"sts:ExternalId": "known"}}', True),
        ('{"AWS": "*"}', '{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}', True),
        ('{"AWS": "*"}', '{"StringLike": {"aws:PrincipalArn": "*"}}', True),
        ('{"AWS": "*"}', '{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}', False),
        ('{"AWS": "arn:aws:iam::1:root"}', "{}", False),
        ('{"Service": "ecs-tasks.amazonaws.com"}', "{}", False),
        (GITHUB, "{}", True),
        (GITHUB, '{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}', True),
        (GITHUB, f'{{"StringLike": {{"{SUB}": "repo:*/*:*"}}}}', True),
        (GITHUB, f'{{"StringLike": {{"{SUB}": ["repo:acme/shop:*", "*"]}}}}', True),
        (GITHUB, f'{{"StringLike": {{"{SUB}": "repo:acme/*"}}}}', False),
        ('{"Federated": "cognito-identity.amazonaws.com"}', "{}", True),
        (
            '{"Federated": "cognito-identity.amazonaws.com"}',
            '{"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:0"}}',
            False,
        ),
        ('{"Federated": "accounts.google.com"}', "{}", True),
        ('{"Federated": "arn:aws:iam::1:oidc-provider/gitlab.com"}', "{}", True),
        ('{"Federated": "arn:aws:iam::1:oidc-provider/oidc.circleci.com/org/0"}', "{}", False),
        ('{"Federated": "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0"}', "{}", False),
        ('{"Federated": "arn:aws:iam::1:saml-provider/office"}', "{}", False),
        (GITHUB, f'{{"StringEquals": {{"{SUB.upper()}": "repo:acme/shop:environment:prod"}}}}', False),
    ],
)
def test_a_trust_names_who_it_is_for(principal: str, condition: str, open_: bool) -> None:
    """An account, an organisation, a repository; an external id or an audience names nobody."""
    assert ("CF-SEC-008" in trusted(principal, condition)) is open_


def test_a_version_is_old_from_a_day_on() -> None:
    """MySQL 8.0 until the end of July 2026; a version that nobody names is the newest."""
    kinds = {"old": {"engine_version": "8.0.39"}, "new": {"engine_version": "8.4.3"}, "unsaid": {}}
    made = tuple(
        Resource(address=f"a.{name}", type="aws_db_instance", values={"engine": "mysql", **values})
        for name, values in kinds.items()
    )

    def old(day: date) -> list[str]:
        found = audit_plan(Plan(resources=made), "plan.json", day=day)
        return [one.where for one in found if one.rule.id == "CF-DAT-017"]

    assert old(date(2026, 7, 31)) == []
    assert old(date(2026, 8, 1)) == ["a.old"]


@pytest.mark.parametrize(
    ("network", "open_"),
    [("0.0.0.0/0", True), ("::/0", True), ("0.0.0.0/1", True), ("128.0.0.0/1", True), ("2000::/3", True),
     ("10.0.0.0/8", False), ("203.0.113.0/24", False), ("2001:db8::/32", False)],
)  # fmt: skip
def test_half_of_the_world_is_the_world(network: str, open_: bool) -> None:
    """Rules are written in halves to hide it; a company's largest network is none."""
    version = "cidr_ipv6" if ":" in network else "cidr_ipv4"
    ports = {"from_port": 5432, "to_port": 5432, version: network, "ip_protocol": "tcp"}
    rule = Resource(address="a.b", type="aws_vpc_security_group_ingress_rule", values=ports)

    found = {one.rule.id for one in audit_plan(Plan(resources=(rule,)), "plan.json")}

    assert ("CF-NET-003" in found) is open_


@pytest.mark.parametrize(
    ("protocol", "port", "found"),
    [("udp", 11211, True), ("17", 111, True), ("udp", 443, False), ("udp", 5432, False), ("tcp", 2375, True)],
)
def test_what_answers_datagrams_is_found_where_it_answers_them(protocol: str, port: int, found: bool) -> None:
    """Memcached and the portmapper over UDP, too; HTTP/3 and a database that speaks only TCP are no finding there."""
    values = {"from_port": port, "to_port": port, "cidr_ipv4": "0.0.0.0/0", "ip_protocol": protocol}
    rule = Resource(address="a.b", type="aws_vpc_security_group_ingress_rule", values=values)
    assert ("CF-NET-003" in {one.rule.id for one in audit_plan(Plan(resources=(rule,)), "plan.json")}) is found


def test_a_control_plane_that_is_open_to_two_halves_is_open() -> None:
    """As everywhere: 0.0.0.0/1 is half of the world."""
    plane = [{"public_access_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}]
    cluster = Resource(address="aws_eks_cluster.k", type="aws_eks_cluster", values={"vpc_config": plane})
    assert "CF-NET-009" in {one.rule.id for one in audit_plan(Plan(resources=(cluster,)), "plan.json")}


def test_an_account_that_is_closed_closes_its_buckets_and_disks() -> None:
    """The switches of a whole account or region say what each resource leaves out."""
    closed = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    public = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}'
    alone = (
        Resource(address="aws_s3_bucket.one", type="aws_s3_bucket", values={"bucket": "one", "acl": "public-read"}),
        Resource(
            address="aws_s3_bucket_policy.one", type="aws_s3_bucket_policy", values={"bucket": "one", "policy": public}
        ),
        Resource(address="aws_ebs_volume.one", type="aws_ebs_volume", values={"size": 10}),
    )
    switches = (
        Resource(address="a.a", type="aws_s3_account_public_access_block", values=closed),
        Resource(address="a.e", type="aws_ebs_encryption_by_default", values={"enabled": True}),
    )
    covered = {"CF-DAT-010", "CF-DAT-013", "CF-DAT-015"}

    assert covered <= {one.rule.id for one in audit_plan(Plan(resources=alone), "plan.json")}
    assert covered.isdisjoint(one.rule.id for one in audit_plan(Plan(resources=(*alone, *switches)), "plan.json"))


@pytest.mark.parametrize(
    ("rule", "told", "found"),
    [
        ({"description": "db/password wants a new value", "schedule_expression": "rate(90 days)"}, True, False),
        ({"description": "db/password wants a new value", "schedule_expression": "rate(90 days)"}, False, True),
        ({"description": "jwt/secret wants a new value", "schedule_expression": "rate(90 days)"}, True, True),
        ({"description": "db/password", "schedule_expression": "rate(90 days)", "state": "DISABLED"}, True, True),
        ({"description": "db/password", "event_pattern": "{}"}, True, True),
    ],
)
def test_a_reminder_is_one_that_reaches_somebody(rule: dict[str, str], told: bool, found: bool) -> None:
    """A tag alone reminds nobody: a rule by the clock speaks of the secret, is on, and has a target."""
    secret = {"name": "db/password", "tags": {"RotateEvery": "90d"}}
    resources = [
        Resource(address="aws_secretsmanager_secret.db", type="aws_secretsmanager_secret", values=secret),
        Resource(address="aws_cloudwatch_event_rule.due", type="aws_cloudwatch_event_rule", values=rule),
    ]
    if told:
        refers = {"rule": ("aws_cloudwatch_event_rule.due",)}
        resources.append(
            Resource(address="aws_cloudwatch_event_target.t", type="aws_cloudwatch_event_target", refers=refers)
        )
    ids = {one.rule.id for one in audit_plan(Plan(resources=tuple(resources)), "plan.json")}
    assert ("CF-SEC-002" in ids) is found


def test_a_condition_narrows_what_is_allowed() -> None:
    """PassRole on every role is no finding when a condition says to whom."""
    assert allowed('"iam:PassRole"', '"*"', ', "Condition": {"StringEquals": {"iam:PassedToService": "ecs"}}') == set()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Statement": 3}', '{"Statement": ["x"]}', None])
def test_a_policy_that_is_not_known_is_no_finding(text: str | None) -> None:
    """What is not written out yet, or is no policy, is passed over."""
    policy = Resource(address="aws_iam_policy.one", type="aws_iam_policy", values={"policy": text})

    assert list(audit_plan(Plan(resources=(policy,)), "plan.json")) == []


def test_a_port_beyond_all_numbers_is_refused_in_words() -> None:
    """More ports than Python can count are no rule of any group."""
    ports = {"from_port": 0, "to_port": 2**63, "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp"}
    rule = Resource(address="a.b", type="aws_vpc_security_group_ingress_rule", values=ports)

    with pytest.raises(WrongInputError, match=r"plan\.json has a value that no plan has"):
        list(audit_plan(Plan(resources=(rule,)), "plan.json"))


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers()) | st.just({"a": [1]})


@settings(max_examples=30)
@given(st.data())
def test_a_plan_that_is_none_is_refused_in_words(data: st.DataObject) -> None:
    """Whatever stands where: findings, or one error that names the file."""
    spoilt = []
    for resource in filter(lambda one: one.values, plan("broken").resources):
        key = data.draw(st.sampled_from(sorted(resource.values)))
        spoilt.append(replace(resource, values={**resource.values, key: data.draw(JUNK)}))

    try:
        list(audit_plan(Plan(resources=tuple(spoilt)), "plan.json"))
    except WrongInputError as error:
        assert error.cause.startswith("plan.json has a value that no plan has")  # noqa: PT017  either is right


@settings(max_examples=10)
@given(st.data())
def test_whatever_a_plan_does_not_know_breaks_no_rule(data: st.DataObject) -> None:
    """Values may be missing anywhere: all rules still answer."""
    thinned = []
    for resource in plan("broken").resources:
        keys = sorted(resource.values)
        lost = data.draw(st.sets(st.sampled_from(keys)) if keys else st.just(set()))
        values = {key: value for key, value in resource.values.items() if key not in lost}
        refers = resource.refers if data.draw(st.booleans()) else {}
        thinned.append(Resource(address=resource.address, type=resource.type, values=values, refers=refers))

    found = list(audit_plan(Plan(resources=tuple(thinned)), "plan.json"))

    assert all(one.severity >= Severity.LOW for one in found)
