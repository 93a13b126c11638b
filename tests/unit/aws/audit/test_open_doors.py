"""Doors, connections and guards beside the usual ones: found where they are open, not where they are shut."""

from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made

SUBNET = made("aws_subnet.s", map_public_ip_on_launch=True)
IN_IT = {"subnet_ids": (SUBNET.address,), "vpc_zone_identifier": (SUBNET.address,)}
ALL = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def policy(action: str) -> dict[str, Any]:
    return {"firewall_policy": [{"stateless_default_actions": [action], "stateless_fragment_default_actions": []}]}


@pytest.mark.parametrize(
    ("kind", "rule", "wrong", "right"),
    [
        (
            "aws_appsync_graphql_api",
            "CF-NET-009",
            {"authentication_type": "API_KEY"},
            {"authentication_type": "AWS_IAM"},
        ),
        ("aws_opensearch_domain", "CF-NET-009", {}, {"vpc_options": [{"subnet_ids": ["subnet-1"]}]}),
        (
            "aws_opensearch_domain",
            "CF-DAT-003",
            {},
            {
                "node_to_node_encryption": [{"enabled": True}],
                "domain_endpoint_options": [{"enforce_https": True}],
            },
        ),
        ("aws_db_proxy", "CF-DAT-003", {"require_tls": False}, {"require_tls": True}),
        ("aws_dax_cluster", "CF-DAT-003", {}, {"cluster_endpoint_encryption_type": "TLS"}),
        ("aws_sns_topic_subscription", "CF-DAT-003", {"protocol": "http"}, {"protocol": "https"}),
        (
            "aws_api_gateway_method_settings",
            "CF-DAT-002",
            {"settings": [{"caching_enabled": True}]},
            {"settings": [{"caching_enabled": True, "cache_data_encrypted": True}]},
        ),
        ("aws_redshift_cluster", "CF-DAT-004", {"automated_snapshot_retention_period": 0}, {}),
        ("aws_networkfirewall_firewall_policy", "CF-NET-011", policy("aws:pass"), policy("aws:forward_to_sfe")),
        ("aws_sagemaker_notebook_instance", "CF-NET-007", {}, {"direct_internet_access": "Disabled"}),
        ("aws_s3_account_public_access_block", "CF-ACC-010", {ALL[0]: True}, dict.fromkeys(ALL, True)),
    ],
)
def test_what_is_open_is_found(kind: str, rule: str, wrong: dict[str, Any], right: dict[str, Any]) -> None:
    """As somebody leaves it, or as it is when nobody says anything."""
    name = f"{kind}.x"
    assert (rule, name) in found(made(name, **wrong))
    assert (rule, name) not in found(made(name, **right))


@pytest.mark.parametrize("kind", ["aws_autoscaling_group", "aws_eks_node_group"])
def test_a_public_subnet_opens_the_hosts_of_a_group(kind: str) -> None:
    """Unless their template says otherwise."""
    name = f"{kind}.g"
    assert ("CF-NET-007", name) in found(SUBNET, made(name, IN_IT))
    private = made("aws_launch_template.t", network_interfaces=[{"associate_public_ip_address": "false"}])
    told = made(name, {**IN_IT, "launch_template.id": (private.address,)})
    assert ("CF-NET-007", name) not in found(SUBNET, private, told)
    silent = made("aws_launch_configuration.c", associate_public_ip_address=None)
    assert ("CF-NET-007", name) in found(
        SUBNET, silent, made(name, {**IN_IT, "launch_configuration": (silent.address,)})
    )
    assert ("CF-NET-007", name) not in found(made(SUBNET.address), made(name, IN_IT))
