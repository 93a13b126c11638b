"""Ways around the rules: what looks limited and is not, and what looks open and is closed."""

import json
from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made, policy, trusting_github

QUEUE, ROLE = "aws_sqs_queue_policy.x", "aws_iam_role.x"


def queue(**conditions: Any) -> Any:
    return made(QUEUE, policy=policy(Principal="*", Condition=conditions))


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}},
        {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"StringEquals": {"aws:PrincipalTag/team": "payments"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringLike": {"aws:SourceVpce": "vpce-*"}},
        {"StringLike": {"aws:PrincipalArn": "*role/admin"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs-*"}},
        {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    ],
)
def test_a_condition_that_anybody_meets_limits_nobody(conditions: Any) -> None:
    """Keys that need not be there, tags that one gives oneself, halves of the world, what begins with a wildcard."""
    assert ("CF-SEC-009", QUEUE) in found(queue(**conditions))


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}},
        {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::acme-logs"}},
        {"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}},
        {"StringLike": {"aws:userid": "AROAEXAMPLE:*"}},
        {"StringEquals": {"aws:VpceAccount": "123456789012"}},
        {"StringEquals": {"aws:VpceOrgID": "o-1"}},
    ],
)
def test_a_condition_on_who_asks_limits(conditions: Any) -> None:
    """An organisation, a service of AWS, the roles of one account, one's own network."""
    assert ("CF-SEC-009", QUEUE) not in found(queue(**conditions))


@pytest.mark.parametrize(
    ("deny", "open_"),
    [
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        (
            {
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"},
                    "BoolIfExists": {"aws:ViaAWSService": "false"},
                }
            },
            False,
        ),
        ({"Action": "sqs:SendMessage", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Resource": "arn:aws:sqs:*:*:other", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"StringNotLike": {"aws:PrincipalOrgID": "o-*"}}}, True),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
        ({"Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}}, True),
        ({"Condition": {"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-1/*"}}}, True),
        (
            {
                "Condition": {
                    "StringNotEquals": {"aws:PrincipalOrgID": "o-1"},
                    "Bool": {"aws:SecureTransport": "false"},
                }
            },
            True,
        ),
        ({"Principal": {"AWS": "123456789012"}, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
    ],
)
def test_what_is_forbidden_to_all_but_some_is_for_those(deny: Any, *, open_: bool) -> None:
    """As AWS's own pages let one network in: everybody may, but who is not there may not. As text and as a document."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    fence = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", **deny}
    written = made(QUEUE, policy=json.dumps({"Statement": [allow, fence]}))
    assert (("CF-SEC-009", QUEUE) in found(written)) is open_

    whom = fence["Principal"]
    statements = [
        {"effect": "Allow", "actions": ["sqs:*"], "principals": [{"type": "*", "identifiers": ["*"]}]},
        {
            "effect": "Deny",
            "actions": [fence["Action"]],
            "resources": [fence["Resource"]],
            "principals": [{"type": "AWS", "identifiers": ["*"] if whom == "*" else [whom["AWS"]]}],
            "condition": [
                {"test": test, "variable": key, "values": [value]}
                for test, keys in fence["Condition"].items()
                for key, value in keys.items()
            ],
        },
    ]
    statements[0]["resources"] = ["*"]
    document = made("aws_iam_policy_document.d", statement=statements)
    later = made(QUEUE, {"policy": (document.address,)})
    assert (("CF-SEC-009", QUEUE) in found(later, document)) is open_


@pytest.mark.parametrize(
    ("allowed", "forbidden"),
    [
        ({"NotAction": "sqs:PurgeQueue", "Resource": "*"}, {"Action": "sqs:SendMessage", "Resource": "*"}),
        ({"Action": "sqs:*", "Resource": "*"}, {"Action": "sqs:*", "NotResource": "arn:aws:sqs:*:*:open"}),
    ],
)
def test_what_is_named_by_what_it_is_not_is_more_than_a_fence_keeps_in(allowed: Any, forbidden: Any) -> None:
    """All actions but one, behind a fence for another; all resources, behind a fence that leaves one out."""
    outsiders = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
    allow = {"Effect": "Allow", "Principal": "*", **allowed}
    deny = {"Effect": "Deny", "Principal": "*", "Condition": outsiders, **forbidden}
    written = made(QUEUE, policy=json.dumps({"Statement": [allow, deny]}))
    assert ("CF-SEC-009", QUEUE) in found(written)

    names = {
        "Action": "actions",
        "NotAction": "not_actions",
        "Resource": "resources",
        "NotResource": "not_resources",
    }
    whom = [{"type": "AWS", "identifiers": ["*"]}]
    tested = [{"test": "StringNotEquals", "variable": "aws:PrincipalOrgID", "values": ["o-1"]}]
    statements = [
        {"effect": "Allow", "principals": whom, **{names[key]: [value] for key, value in allowed.items()}},
        {
            "effect": "Deny",
            "principals": whom,
            "condition": tested,
            **{names[key]: [value] for key, value in forbidden.items()},
        },
    ]
    document = made("aws_iam_policy_document.d", statement=statements)
    later = made(QUEUE, {"policy": (document.address,)})
    assert ("CF-SEC-009", QUEUE) in found(later, document)


@pytest.mark.parametrize(
    ("subject", "open_"),
    [
        ("repo:*/shop:*", True),
        ("repo:acme*", True),
        ("repo:acme?/shop:*", True),
        ("repo:*", True),
        ("repo:acme/*", False),
        ("repo:acme/shop:ref:refs/heads/main", False),
        ("organization:acme:project:*:workspace:*", False),
        ("project_path:acme/*:ref_type:branch:ref:main", False),
    ],
)
def test_an_owner_with_a_wildcard_is_anybody(subject: str, *, open_: bool) -> None:
    """Whoever likes makes an account called acme-too, with a repository called shop."""
    assert (("CF-SEC-008", ROLE) in found(trusting_github(ROLE, "sub", subject))) is open_


@pytest.mark.parametrize(
    ("action", "rule"), [("*", "CF-SEC-003"), ("iam:PassRole", "CF-SEC-006"), ("secretsmanager:*", "CF-SEC-005")]
)
def test_all_but_some_resources_is_everywhere(action: str, rule: str) -> None:
    """NotResource names where somebody may not; the rest of the account is theirs. As text, and as a document."""
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "NotResource": "arn:aws:s3:::logs"}]})
    assert (rule, "aws_iam_policy.x") in found(made("aws_iam_policy.x", policy=text))
    statement = {"effect": "Allow", "actions": [action], "not_resources": ["arn:aws:s3:::logs"]}
    document = made("aws_iam_policy_document.x", statement=[statement])
    assert (rule, "aws_iam_policy_document.x") in found(document)


@pytest.mark.parametrize(
    "action",
    ["ecs:ExecuteCommand", "lambda:UpdateFunctionConfiguration", "ec2-instance-connect:SendSSHPublicKey"],
)
def test_a_shell_into_what_has_another_role_is_a_way_up(action: str) -> None:
    """Whoever gets in there has what its role has."""
    assert ("CF-SEC-010", "aws_iam_policy.x") in found(made("aws_iam_policy.x", policy=policy(Action=action)))


def test_a_function_that_a_service_calls_for_any_account_is_everybodys() -> None:
    """A bucket or a topic of a stranger calls it as well, unless a source is named."""
    name = "aws_lambda_permission.x"
    assert ("CF-SEC-009", name) in found(made(name, principal="s3.amazonaws.com"))
    for near in (
        {"principal": "s3.amazonaws.com", "source_account": "1"},
        {"principal": "sns.amazonaws.com", "source_arn": "arn:aws:sns:eu-west-1:1:t"},
        {"principal": "edgelambda.amazonaws.com"},
        {"principal": "123456789012"},
    ):
        assert ("CF-SEC-009", name) not in found(made(name, **near))


@pytest.mark.parametrize(
    ("values", "owned"),
    [
        ({"pid_mode": "host"}, True),
        ({"pid_mode": "task"}, False),
        ({"container_definitions": [{"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}}]}, True),
        ({"container_definitions": [{"linuxParameters": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}]}, False),
    ],
)
def test_the_hosts_processes_and_rights_are_the_host(values: Any, *, owned: bool) -> None:
    """As well as its root directory and its Docker socket."""
    told = {key: json.dumps(value) if isinstance(value, list) else value for key, value in values.items()}
    assert (("CF-SEC-013", "aws_ecs_task_definition.t") in found(made("aws_ecs_task_definition.t", **told))) is owned


def test_a_token_for_the_driver_of_logs_stands_there_for_all_to_read() -> None:
    """Options of a log driver are as plain as variables; what ECS fetches itself stands in secretOptions."""
    options = {"splunk-url": "https://splunk.example", "splunk-token": "hunter22-hunter22"}
    task = [{"name": "web", "image": "a/b:1", "logConfiguration": {"logDriver": "splunk", "options": options}}]
    name = "aws_ecs_task_definition.t"
    assert ("CF-SEC-001", name) in found(made(name, container_definitions=json.dumps(task)))
    del options["splunk-token"]
    assert ("CF-SEC-001", name) not in found(made(name, container_definitions=json.dumps(task)))


def test_a_host_without_a_metadata_service_gives_nothing_away() -> None:
    """And one that was asked for as spare capacity is a host."""
    off = [{"http_endpoint": "disabled", "http_tokens": "optional"}]
    assert ("CF-SEC-007", "aws_instance.h") not in found(made("aws_instance.h", metadata_options=off))
    assert ("CF-SEC-007", "aws_spot_instance_request.h") in found(made("aws_spot_instance_request.h"))


def test_a_classic_balancer_takes_old_tls_unless_it_is_told_otherwise() -> None:
    """By a policy of its own; without HTTPS there is nothing to tell."""
    door = [{"lb_port": 443, "lb_protocol": "https", "instance_port": 80, "instance_protocol": "http"}]
    classic = made("aws_elb.c", listener=door)
    told = made("aws_lb_ssl_negotiation_policy.p", {"load_balancer": ("aws_elb.c",)})
    assert ("CF-TLS-002", "aws_elb.c") in found(classic)
    assert ("CF-TLS-002", "aws_elb.c") not in found(classic, told)
    assert ("CF-TLS-002", "aws_elb.c") not in found(made("aws_elb.c", listener=[{**door[0], "lb_protocol": "tcp"}]))


@pytest.mark.parametrize(
    ("name", "value", "old"),
    [
        ("Protocol-TLSv1", "true", True),
        ("Protocol-TLSv1", "false", False),
        ("Protocol-TLSv1.2", "true", False),
        ("Reference-Security-Policy", "ELBSecurityPolicy-2016-08", True),
        ("Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01", False),
    ],
)
def test_a_policy_of_a_classic_balancer_is_one_of_awss_or_its_own(name: str, value: str, *, old: bool) -> None:
    """By whichever of the two resources; what it refers to says which TLS it takes."""
    told = [{"name": name, "value": value}]
    for kind, key in (("aws_load_balancer_policy", "policy_attribute"), ("aws_lb_ssl_negotiation_policy", "attribute")):
        assert (("CF-TLS-002", f"{kind}.p") in found(made(f"{kind}.p", **{key: told}))) is old


@pytest.mark.parametrize(
    ("engine", "version", "parameter", "plain"),
    [
        ("aurora-postgresql", "15.4", None, True),
        ("aurora-postgresql", "17.4", None, False),
        ("aurora-postgresql", "15.4", ("rds.force_ssl", "1"), False),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", None, True),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", ("require_secure_transport", "ON"), False),
    ],
)
def test_a_cluster_that_takes_who_comes_without_tls(engine: str, version: str, parameter: Any, *, plain: bool) -> None:
    """As of single databases: by its parameters, or by what its version does when they say nothing."""
    key = "db_cluster_parameter_group_name"
    cluster = made(
        "aws_rds_cluster.c", {key: ("aws_rds_cluster_parameter_group.g",)}, engine=engine, engine_version=version
    )
    said = [{"name": parameter[0], "value": parameter[1]}] if parameter else []
    assert (
        ("CF-DAT-003", cluster.address) in found(cluster, made("aws_rds_cluster_parameter_group.g", parameter=said))
    ) is plain


INSIDE = {"ingress": [{"protocol": "tcp", "from_port": 8080, "to_port": 8080, "cidr_blocks": ["10.0.0.0/16"]}]}
GROUPS = {"vpc_security_group_ids": ("aws_security_group.app",)}


@pytest.mark.parametrize(
    "behind",
    [
        (
            made("aws_launch_template.t", GROUPS),
            made(
                "aws_autoscaling_group.a",
                {"mixed_instances_policy.launch_template": ("aws_launch_template.t",)},
                target_group_arns=["arn"],
            ),
        ),
        (
            made("aws_launch_configuration.l", {"security_groups": ("aws_security_group.app",)}),
            made(
                "aws_autoscaling_group.a",
                {"launch_configuration": ("aws_launch_configuration.l",)},
                target_group_arns=["arn"],
            ),
        ),
        (
            made("aws_instance.h", GROUPS),
            made("aws_lb_target_group_attachment.t", {"target_id": ("aws_instance.h",)}),
        ),
    ],
)
def test_a_host_behind_a_balancer_is_one_however_it_got_there(behind: tuple[Any, ...]) -> None:
    """By a policy of several classes, by a launch configuration, or one by one: its group names the balancer's."""
    assert ("CF-NET-005", "aws_security_group.app") in found(made("aws_security_group.app", **INSIDE), *behind)
    assert ("CF-NET-005", "aws_security_group.app") not in found(made("aws_security_group.app", **INSIDE))
