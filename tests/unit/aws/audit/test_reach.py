"""What travels in plain on the second half of its way, containers that reach their host, and guards that are off."""

import json
from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made


def on_eks(**pod: Any) -> dict[str, Any]:
    return {"eks_properties": [{"pod_properties": [pod]}]}


@pytest.mark.parametrize(
    ("origin", "rule"),
    [
        ({"custom_origin_config": [{"origin_protocol_policy": "http-only"}]}, "CF-TLS-001"),
        (
            {"custom_origin_config": [{"origin_protocol_policy": "https-only", "origin_ssl_protocols": ["TLSv1"]}]},
            "CF-TLS-002",
        ),
        (
            {"custom_origin_config": [{"origin_protocol_policy": "https-only", "origin_ssl_protocols": ["TLSv1.2"]}]},
            None,
        ),
        ({"custom_origin_config": [{"origin_protocol_policy": "match-viewer"}]}, None),
        (
            {
                "domain_name": "b.s3-website-us-east-1.amazonaws.com",
                "custom_origin_config": [{"origin_protocol_policy": "http-only"}],
            },
            None,
        ),
        ({"s3_origin_config": [{"origin_access_identity": ""}]}, None),
    ],
)
def test_what_the_edge_asks_its_origins_travels_as_far(origin: Any, rule: str | None) -> None:
    """Visitors see a lock while passwords go on in plain; a site of a bucket has files for everybody, and no TLS."""
    behaviour = [{"viewer_protocol_policy": "redirect-to-https"}]
    site = made("aws_cloudfront_distribution.d", origin=[origin], default_cache_behavior=behaviour)
    ids = {id_ for id_, _ in found(site) if id_.startswith("CF-TLS")}
    assert ids == ({rule} if rule else set())


def test_a_cache_that_only_prefers_tls_takes_plain_connections() -> None:
    """It is a step on the way to TLS, and not its end."""
    cache = {"transit_encryption_enabled": True}
    name = "aws_elasticache_replication_group.c"
    assert ("CF-DAT-003", name) in found(made(name, **cache, transit_encryption_mode="preferred"))
    assert ("CF-DAT-003", name) not in found(made(name, **cache, transit_encryption_mode="required"))


@pytest.mark.parametrize(
    ("values", "owned"),
    [
        ({"volume": [{"host_path": "/var/run"}]}, True),
        ({"volume": [{"host_path": "/etc/"}]}, True),
        ({"volume": [{"host_path": "/srv/app"}]}, False),
        (
            {"eks_properties": [{"pod_properties": [{"containers": [{"security_context": [{"privileged": True}]}]}]}]},
            True,
        ),
        ({"eks_properties": [{"pod_properties": [{"volumes": [{"host_path": [{"path": "/"}]}]}]}]}, True),
        ({"eks_properties": [{"pod_properties": [{"containers": [{"image": "a"}]}]}]}, False),
        (
            {"node_properties": json.dumps({"nodeRangeProperties": [{"container": {"privileged": True}}]})},
            True,
        ),
        ({"container_properties": json.dumps({"privileged": False})}, False),
    ],
)
def test_a_job_that_owns_its_host_is_found_wherever_it_runs(values: Any, *, owned: bool) -> None:
    """On one host, on several, and on Kubernetes."""
    name = "aws_batch_job_definition.j"
    assert (("CF-SEC-013", name) in found(made(name, **values))) is owned


@pytest.mark.parametrize(
    ("kind", "off", "on"),
    [
        ("aws_guardduty_detector", {"enable": False}, {"enable": True}),
        ("aws_config_configuration_recorder_status", {"is_enabled": False}, {"is_enabled": True}),
        ("aws_ebs_snapshot_block_public_access", {"state": "unblocked"}, {"state": "block-all-sharing"}),
        ("aws_ec2_image_block_public_access", {"state": "unblocked"}, {"state": "block-new-sharing"}),
        ("aws_ebs_encryption_by_default", {"enabled": False}, {}),
        ("aws_macie2_account", {"status": "PAUSED"}, {}),
    ],
)
def test_a_guard_that_is_switched_off_is_found(kind: str, off: Any, on: Any) -> None:
    """One that is only not there may be another plan's."""
    assert ("CF-ACC-010", f"{kind}.x") in found(made(f"{kind}.x", **off))
    assert ("CF-ACC-010", f"{kind}.x") not in found(made(f"{kind}.x", **on))


def test_documents_that_may_be_shared_with_everybody_are_found() -> None:
    """The setting of the account, and no other setting that is on."""
    setting = "arn:aws:ssm:us-east-1:1:servicesetting/ssm/documents/console/public-sharing-permission"
    name = "aws_ssm_service_setting.x"
    assert ("CF-ACC-010", name) in found(made(name, setting_id=setting, setting_value="Enable"))
    assert ("CF-ACC-010", name) not in found(made(name, setting_id=setting, setting_value="Disable"))
    assert ("CF-ACC-010", name) not in found(made(name, setting_id="/ssm/other", setting_value="Enable"))


def test_a_replication_without_tls_is_found() -> None:
    """Of what has a server; a bucket is reached by AWS's own interface."""
    name = "aws_dms_endpoint.e"
    assert ("CF-DAT-003", name) in found(made(name, server_name="db"))
    assert ("CF-DAT-003", name) not in found(made(name, server_name="db", ssl_mode="verify-full"))
    assert ("CF-DAT-003", name) not in found(made(name, engine_name="s3"))


@pytest.mark.parametrize(("runtime", "ended"), [("python3.8", True), ("nodejs20.x", True), ("python3.13", False)])
def test_a_runtime_that_gets_no_fixes_is_found(runtime: str, *, ended: bool) -> None:
    """Functions go on in it, with every hole that is found from then on."""
    assert (("CF-DAT-017", "aws_lambda_function.f") in found(made("aws_lambda_function.f", runtime=runtime))) is ended
