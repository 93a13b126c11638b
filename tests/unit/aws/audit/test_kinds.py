"""Dangers of one kind by other resources: each is found where it is written, and what comes near it is not."""

import base64
import json
from datetime import date
from typing import Any

import pytest

from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.resources.plan import Plan
from crossfade.aws.resources.resource import Resource

DAY = date(2026, 11, 28)


def made(address: str, refers: dict[str, tuple[str, ...]] | None = None, region: str = "", **values: Any) -> Resource:
    kind = address.partition(".")[0]
    return Resource(address=address, type=kind, values=values, refers=refers or {}, region=region)


def found(*resources: Resource) -> set[tuple[str, str]]:
    return {(one.rule.id, one.where) for one in audit_plan(Plan(resources=resources), "plan.json", day=DAY)}


def policy(**statement: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*", **statement}]})


def trusting_github(address: str, key: str, value: str) -> Resource:
    """A role for jobs of GitHub whose token has a key with that value."""
    issuer = "token.actions.githubusercontent.com"
    trust = policy(
        Action="sts:AssumeRoleWithWebIdentity",
        Principal={"Federated": f"arn:aws:iam::1:oidc-provider/{issuer}"},
        Condition={"StringLike": {f"{issuer}:{key}": value}},
    )
    return made(address, assume_role_policy=trust)


NOT_PRINCIPAL = policy(NotPrincipal={"AWS": "arn:aws:iam::1:user/x"})
FROM_PUBLIC = json.dumps([{"Rules": [], "AllowFromPublic": True}])
FROM_INSIDE = json.dumps([{"Rules": [], "AllowFromPublic": False}])


@pytest.mark.parametrize(
    ("kind", "dangerous", "near"),
    [
        ("aws_ami_launch_permission", {"group": "all"}, {"account_id": "1"}),
        ("aws_lambda_layer_version_permission", {"principal": "*"}, {"principal": "*", "organization_id": "o-1"}),
        ("aws_cloudwatch_event_permission", {"principal": "*"}, {"principal": "1"}),
        ("aws_ssm_document", {"permissions": {"account_ids": "All"}}, {"permissions": {"account_ids": "1"}}),
        ("aws_db_snapshot", {"shared_accounts": ["all"]}, {"shared_accounts": ["1"]}),
        ("aws_sqs_queue_policy", {"policy": NOT_PRINCIPAL}, {"policy": policy(Principal={"AWS": "1"})}),
        ("aws_cloudwatch_log_destination_policy", {"access_policy": policy(Principal="*")}, {}),
        (
            "aws_vpc_endpoint_service",
            {"allowed_principals": ["*"]},
            {"allowed_principals": ["*"], "acceptance_required": True},
        ),
        ("aws_cognito_identity_pool", {"allow_unauthenticated_identities": True}, {}),
        ("aws_brand_new_policy", {"policy": policy(Principal="*")}, {"policy": policy()}),
    ],
)
def test_what_everybody_may_use_is_found_whatever_it_is(kind: str, dangerous: Any, near: Any) -> None:
    """By a policy of its own, also of a type that nobody here knows, or by an attribute."""
    assert ("CF-SEC-009", f"{kind}.x") in found(made(f"{kind}.x", **dangerous))
    assert ("CF-SEC-009", f"{kind}.x") not in found(made(f"{kind}.x", **near))


def test_a_file_system_for_everybody_in_its_network_is_for_nobody_else() -> None:
    """As the console writes it: whoever reaches a mount target is inside already."""
    inside = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}
    name = "aws_efs_file_system_policy.x"
    assert ("CF-SEC-009", name) in found(made(name, policy=policy(Principal="*")))
    assert ("CF-SEC-009", name) not in found(made(name, policy=policy(Principal="*", Condition=inside)))


@pytest.mark.parametrize("kind", ["aws_vpc_endpoint", "aws_api_gateway_rest_api", "aws_ecrpublic_repository_policy"])
def test_a_policy_that_is_there_for_everybody_is_no_finding(kind: str) -> None:
    """Endpoints let one's own network through, and public interfaces and images are for the public."""
    assert ("CF-SEC-009", f"{kind}.x") not in found(made(f"{kind}.x", policy=policy(Principal="*")))


@pytest.mark.parametrize(
    ("action", "resource", "rule"),
    [
        ("iam:CreateAccessKey", "arn:aws:iam::*:user/*", "CF-SEC-010"),
        ("iam:PutRolePolicy", "arn:aws:iam::1:*", "CF-SEC-010"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:*:1:function:*", "CF-SEC-010"),
        ("iam:PassRole", "arn:aws:iam::1:role/*", "CF-SEC-006"),
        ("s3:*", "arn:aws:s3:::*", "CF-SEC-005"),
    ],
)
def test_all_of_a_kind_is_as_wide_as_everything(action: str, resource: str, rule: str) -> None:
    """Also behind a condition that says how somebody asks, and in a permission set."""
    how = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    text = policy(Action=action, Resource=resource, Condition=how)
    assert (rule, "aws_iam_policy.x") in found(made("aws_iam_policy.x", policy=text))
    sets = "aws_ssoadmin_permission_set_inline_policy.x"
    assert (rule, sets) in found(made(sets, inline_policy=text))


@pytest.mark.parametrize("resource", ["arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:role/app/*"])
def test_ones_own_and_what_begins_with_a_name_is_not_everything(resource: str) -> None:
    """A user's own keys and the roles of one application are what such a right is for."""
    text = policy(Action=["iam:CreateAccessKey", "iam:PassRole"], Resource=resource)
    assert found(made("aws_iam_policy.x", policy=text)) == set()


KEY = "AKIAIOSFODNN7EXAMPL1"
JOB = {"image": "a/b:1", "privileged": True, "environment": [{"name": "API_KEY", "value": "abcdef123456"}]}


@pytest.mark.parametrize(
    ("kind", "rule", "values"),
    [
        (
            "aws_elastic_beanstalk_environment",
            "CF-SEC-001",
            {"setting": [{"name": "DB_PASSWORD", "value": "hunter22"}]},
        ),
        ("aws_glue_connection", "CF-SEC-001", {"connection_properties": {"PASSWORD": "hunter22"}}),
        ("aws_amplify_app", "CF-SEC-001", {"environment_variables": {"API_SECRET": "hunter22"}}),
        ("aws_batch_job_definition", "CF-SEC-001", {"container_properties": json.dumps(JOB)}),
        ("aws_batch_job_definition", "CF-SEC-013", {"container_properties": json.dumps(JOB)}),
        ("aws_lightsail_instance", "CF-SEC-001", {"user_data": "export TOKEN=abcdef123456"}),
        ("aws_spot_fleet_request", "CF-SEC-001", {"launch_specification": [{"user_data": "export TOKEN=abcdef12"}]}),
        ("aws_instance", "CF-SEC-012", {"user_data": f"aws configure set aws_access_key_id {KEY}"}),
        ("aws_ssm_document", "CF-SEC-012", {"content": f"run {KEY}"}),
        ("aws_brand_new", "CF-SEC-012", {"inside": [{"of": f"what {KEY} is"}]}),
        (
            "aws_sagemaker_notebook_instance_lifecycle_configuration",
            "CF-SEC-001",
            {"on_start": base64.b64encode(b"export DB_PASSWORD=hunter22").decode()},
        ),
    ],
)
def test_a_secret_is_found_wherever_it_is_written(kind: str, rule: str, values: Any) -> None:
    """By the name of a variable, whatever runs with it; by its own shape in any text at all."""
    assert (rule, f"{kind}.x") in found(made(f"{kind}.x", **values))


@pytest.mark.parametrize(
    "resource",
    [
        made("aws_instance.x", user_data=f"export AWS_ACCESS_KEY_ID={KEY}"),
        made("aws_lambda_function.x", environment=[{"variables": {"KEY_ID": KEY}}]),
        made("aws_ssm_parameter.x", name="id", type="String", value=KEY),
    ],
)
def test_a_secret_is_found_once(resource: Resource) -> None:
    """What is found by its variable is not found once more by its shape."""
    rules = {rule for rule, where in found(resource) if where == resource.address}
    assert len(rules & {"CF-SEC-001", "CF-SEC-012"}) == 1


def test_what_is_named_like_a_secret_and_is_none_is_no_finding() -> None:
    """A parameter of a database about its passwords, a header of an integration, a tag."""
    assert found(
        made("aws_db_parameter_group.x", parameter=[{"name": "password_encryption", "value": "scram-sha-256"}]),
        made("aws_api_gateway_integration.x", request_parameters={"X-Api-Key": "method.request.header.x-api-key"}),
        made("aws_iam_user.x", tags={"password": "rotated-by-hand"}),
    ) == set()  # fmt: skip


NETWORK = made("aws_lb.n", load_balancer_type="network", internal=False)
WORLD = made("aws_ec2_managed_prefix_list.w", entry=[{"cidr": "0.0.0.0/1"}, {"cidr": "128.0.0.0/1"}])
OFFICE = made("aws_ec2_managed_prefix_list.w", entry=[{"cidr": "203.0.113.0/24"}])
BEHIND = {"load_balancer_arn": ("aws_lb.n",)}
BY_LIST = {"prefix_list_id": ("aws_ec2_managed_prefix_list.w",)}
REDIS = {"from_port": 6379, "to_port": 6379, "ip_protocol": "tcp"}
KEYED = {"remote_access": [{"ec2_ssh_key": "k"}]}


@pytest.mark.parametrize(
    ("rule", "resources"),
    [
        ("CF-NET-003", (NETWORK, made("aws_lb_listener.x", BEHIND, port=5432, protocol="TCP"))),
        ("CF-NET-003", (WORLD, made("aws_vpc_security_group_ingress_rule.x", BY_LIST, **REDIS))),
        (
            "CF-NET-003",
            (
                WORLD,
                made(
                    "aws_security_group.x",
                    {"ingress": ("aws_ec2_managed_prefix_list.w",)},
                    ingress=[{"from_port": 27017, "to_port": 27017, "protocol": "tcp", "cidr_blocks": []}],
                ),
            ),
        ),
        (
            "CF-NET-003",
            (
                made(
                    "aws_lightsail_instance_public_ports.x",
                    port_info=[{"protocol": "tcp", "from_port": 3306, "to_port": 3306}],
                ),
            ),
        ),
        ("CF-NET-001", (made("aws_eks_node_group.x", **KEYED),)),
    ],
)
def test_a_door_without_a_rule_of_a_group_is_a_door(rule: str, resources: tuple[Resource, ...]) -> None:
    """Load balancers without groups, lists of networks, Lightsail's ports, SSH to nodes."""
    assert (rule, resources[-1].address) in found(*resources)


@pytest.mark.parametrize(
    "resources",
    [
        (NETWORK, made("aws_lb_listener.x", BEHIND, port=443, protocol="TLS")),
        (
            made("aws_lb.n", load_balancer_type="network", internal=True),
            made("aws_lb_listener.x", BEHIND, port=5432, protocol="TCP"),
        ),
        (OFFICE, made("aws_vpc_security_group_ingress_rule.x", BY_LIST, **REDIS)),
        (
            WORLD,
            made(
                "aws_security_group.x",
                {"ingress": ("aws_ec2_managed_prefix_list.w",)},
                ingress=[{"from_port": 6379, "to_port": 6379, "protocol": "tcp", "prefix_list_ids": []}],
            ),
        ),
        (
            made(
                "aws_eks_node_group.x", {"remote_access.source_security_group_ids": ("aws_security_group.s",)}, **KEYED
            ),
        ),
        (
            made("aws_vpc_block_public_access_options.b", internet_gateway_block_mode="block-bidirectional"),
            made("aws_vpc_security_group_ingress_rule.x", cidr_ipv4="0.0.0.0/0", **REDIS),
        ),
    ],
)
def test_a_door_that_somebody_guards_is_none(resources: tuple[Resource, ...]) -> None:
    """Inside, with a group, for an office, in a rule without the list, or where the whole region is closed."""
    assert (resources[-1].address) not in {where for rule, where in found(*resources) if rule.startswith("CF-NET-00")}


@pytest.mark.parametrize(
    ("rule", "kind", "dangerous", "near"),
    [
        ("CF-DAT-016", "aws_kinesis_stream", {"encryption_type": "NONE"}, {"encryption_type": "KMS"}),
        (
            "CF-DAT-002",
            "aws_workspaces_workspace",
            {"user_volume_encryption_enabled": True},
            {"user_volume_encryption_enabled": True, "root_volume_encryption_enabled": True},
        ),
        (
            "CF-DAT-003",
            "aws_docdb_cluster_parameter_group",
            {"parameter": [{"name": "tls", "value": "disabled"}]},
            {"parameter": [{"name": "tls", "value": "enabled"}]},
        ),
        ("CF-DAT-003", "aws_redshift_parameter_group", {"parameter": [{"name": "require_ssl", "value": "false"}]}, {}),
        ("CF-DAT-003", "aws_transfer_server", {"protocols": ["FTP"]}, {"protocols": ["SFTP", "FTPS"]}),
        ("CF-DAT-005", "aws_neptune_cluster", {}, {"backup_retention_period": 7}),
        ("CF-DAT-012", "aws_docdb_cluster", {}, {"deletion_protection": True}),
        ("CF-DAT-013", "aws_ami_copy", {}, {"encrypted": True}),
        ("CF-DAT-014", "aws_redshift_cluster", {"skip_final_snapshot": True}, {"skip_final_snapshot": False}),
        ("CF-DAT-017", "aws_docdb_cluster", {"engine_version": "3.6.0"}, {"engine_version": "5.0.0"}),
        (
            "CF-DAT-017",
            "aws_opensearch_domain",
            {"engine_version": "Elasticsearch_7.4"},
            {"engine_version": "OpenSearch_2.19"},
        ),
        ("CF-DAT-017", "aws_elasticsearch_domain", {}, {"elasticsearch_version": "7.10"}),
        (
            "CF-DAT-017",
            "aws_mq_broker",
            {"engine_type": "RabbitMQ", "engine_version": "3.11.28"},
            {"engine_type": "RabbitMQ", "engine_version": "3.13"},
        ),
        ("CF-DAT-017", "aws_msk_cluster", {"kafka_version": "2.8.1"}, {"kafka_version": "3.9.x"}),
        (
            "CF-DAT-017",
            "aws_db_instance",
            {"engine": "mariadb", "engine_version": "10.5.28"},
            {"engine": "mariadb", "engine_version": "10.11.9"},
        ),
        ("CF-TLS-002", "aws_api_gateway_domain_name", {"security_policy": "TLS_1_0"}, {"security_policy": "TLS_1_2"}),
        (
            "CF-TLS-002",
            "aws_lb_ssl_negotiation_policy",
            {"attribute": [{"name": "Protocol-TLSv1", "value": "true"}]},
            {"attribute": [{"name": "Protocol-TLSv1.2", "value": "true"}]},
        ),
        (
            "CF-NET-009",
            "aws_opensearchserverless_security_policy",
            {"type": "network", "policy": FROM_PUBLIC},
            {"type": "network", "policy": FROM_INSIDE},
        ),
    ],
)
def test_other_stores_and_doors_are_held_to_the_same(rule: str, kind: str, dangerous: Any, near: Any) -> None:
    """What is asked of a database of RDS is asked of every store, and of each door what is asked of a listener."""
    assert (rule, f"{kind}.x") in found(made(f"{kind}.x", **dangerous))
    assert (rule, f"{kind}.x") not in found(made(f"{kind}.x", **near))


def test_a_switch_of_one_region_covers_that_region_alone() -> None:
    """Encryption by default and IMDSv2 by default say nothing about what is made elsewhere."""
    both = found(
        made("aws_ebs_encryption_by_default.e", enabled=True, region="us-east-1"),
        made("aws_ec2_instance_metadata_defaults.m", http_tokens="required", region="us-east-1"),
        made("aws_instance.here", region="us-east-1"),
        made("aws_instance.there", region="eu-west-1"),
    )
    assert {(rule, where) for rule, where in both if rule in {"CF-DAT-013", "CF-SEC-007"}} == {
        ("CF-DAT-013", "aws_instance.there"),
        ("CF-SEC-007", "aws_instance.there"),
    }
