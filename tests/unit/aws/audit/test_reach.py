"""What travels in plain on the second half of its way, and containers that reach their host."""

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
