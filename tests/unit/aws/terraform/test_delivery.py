"""How visitors reach an environment: names, certificates, the site at the edge."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.planned import Plans, policy
from tests.unit.aws.terraform.files import app

from crossfade.aws.resources.hostnames import api_name, balancer_names, edge_names, managed, one_certificate, site_names
from crossfade.aws.terraform.hcl import Expression
from crossfade.aws.terraform.parts.delivery import delivery

DOMAIN = {"name": "shop.io"}
GIVEN = "arn:aws:acm:us-east-1:123456789012:certificate/1"


def calls(**cloud: Any) -> dict[str, dict[str, Any]]:
    """Arguments by module."""
    made = [one for one in delivery(app(**cloud)) if one.kind == "module"]
    return {one.labels[0]: dict(item for item in one.body if isinstance(item, tuple)) for one in made}


@given(site=st.booleans(), api=st.booleans(), own=st.booleans(), hosts=st.lists(st.sampled_from("abc"), unique=True))
def test_each_name_leads_to_one_place(site: bool, api: bool, own: bool, hosts: list[str]) -> None:
    """Whatever is asked for, no name is the site's and the load balancer's at once, and each is covered by a record."""
    domain = {**DOMAIN, **({"api": "do.shop.io"} if own else {})}
    routes = [{"path": "/*"}, *({"host": f"{host}.shop.io"} for host in hosts)]
    asked = app({"web": {"routes": routes}}, domain=domain, site={"api": api} if site else None)
    assert set(site_names(asked)).isdisjoint(balancer_names(asked))
    (dns,) = (one for one in delivery(asked) if one.labels == ("dns",))
    aliases = dict(item for item in dns.body if isinstance(item, tuple))["aliases"]
    assert set(aliases) == {*site_names(asked), *balancer_names(asked)}
    assert {f"{host}.shop.io" for host in hosts} <= set(aliases)


def test_the_domain_is_the_sites_when_there_is_one() -> None:
    """With a site the API moves below the domain; without one the domain is the API's."""
    assert api_name(app(domain=DOMAIN)) == "shop.io"
    assert api_name(app(domain=DOMAIN, site={})) == "api.shop.io"
    assert api_name(app(domain={**DOMAIN, "api": "do.shop.io"}, site={})) == "do.shop.io"
    assert api_name(app(site={})) is None


def test_somebody_elses_hosts_are_left_alone() -> None:
    """A route for a host outside of the domain gets neither a record nor a place in the certificate."""
    asked = app({"web": {"routes": [{"host": "a.shop.io"}, {"host": "shop.org"}]}}, domain=DOMAIN)
    assert balancer_names(asked) == ["shop.io", "a.shop.io"]


def test_cloudfront_has_a_certificate_where_it_takes_it_from() -> None:
    """Elsewhere a second one is made in us-east-1; there, one does for both."""
    far = calls(region="ap-northeast-2", domain=DOMAIN, site={"api": True})
    assert far["certificate"]["domain_name"] == "api.shop.io"
    assert far["edge_certificate"]["providers"] == {"aws": Expression("aws.global")}
    assert far["edge_certificate"]["domain_name"] == "shop.io"
    assert far["edge_certificate"]["alternative_names"] == ["api.shop.io"]
    assert far["site"]["certificate_arn"] == Expression("module.edge_certificate.arn")

    near = calls(region="us-east-1", domain=DOMAIN, site={})
    assert "edge_certificate" not in near
    assert {near["certificate"]["domain_name"], *near["certificate"]["alternative_names"]} == {"shop.io", "api.shop.io"}
    assert near["site"]["certificate_arn"] == Expression("module.certificate.arn")


@pytest.mark.parametrize(
    ("certificate", "region", "made"),
    [
        (GIVEN, "us-east-1", set()),
        (GIVEN, "eu-west-1", set()),
        (GIVEN.replace("us-east-1", "eu-west-1"), "eu-west-1", {"edge_certificate"}),
        ("managed", "eu-west-1", {"certificate", "edge_certificate"}),
    ],
)
def test_a_given_certificate_is_taken(certificate: str, region: str, made: set[str]) -> None:
    """What the file brings is not made again, except for CloudFront when it lies in another region."""
    found = calls(region=region, domain=DOMAIN, site={}, certificate=certificate)
    assert {name for name in found if "certificate" in name} == made
    assert managed(app(domain=DOMAIN, certificate=certificate)) is (certificate == "managed")


def test_without_a_domain_there_are_aws_own_names() -> None:
    """No zone and no certificate; the site has CloudFront's own name."""
    found = calls(site={"api": True})
    assert set(found) == {"site", "cdn"}
    assert all("certificate_arn" not in one for one in found.values())
    assert found["cdn"]["https"] is False
    assert not one_certificate(app(site={}))
    assert edge_names(app(site={"api": True})) == []


def test_a_moving_name_is_shared() -> None:
    """The old host's address and the share of visitors reach the zone."""
    domain = {**DOMAIN, "ttl": "60s", "move": {"old": "203.0.113.10", "share": "10%"}}
    dns = calls(domain=domain)["dns"]
    assert dns["move"] == {"name": "shop.io", "address": "203.0.113.10", "share": 10}
    assert dns["ttl"] == 60


@pytest.mark.long
def test_tiketis_site_is_as_its_team_wants(plans: Plans) -> None:
    """HTML 5 min, hashed assets 1 year, images 1 week; AES-256, old versions 30 d; two distributions, at all edges."""
    prod = plans.of("tiketi", "prod")
    seconds = {
        address.split('"')[1]: one["default_ttl"]
        for address, one in _named(prod.of("aws_cloudfront_cache_policy"))
        if address.startswith("module.site.")
    }
    assert seconds == {"html": 300, "assets": 31536000, "images": 604800}
    assert prod.resources['module.cdn.aws_cloudfront_cache_policy.passed_on["services"]']["max_ttl"] == 0
    made = "aws_cloudfront_distribution"
    site, api = (prod.resources[f"module.{name}"] for name in (f"site.{made}.site", f"cdn.{made}.this"))
    assert (site["aliases"], api["aliases"]) == (["tiketi.gg"], ["api.tiketi.gg"])
    for one in (site, api):
        assert one["viewer_certificate"][0]["minimum_protocol_version"] == "TLSv1.2_2021"
        assert one["price_class"] == "PriceClass_All"
    assert api["origin"][0]["custom_origin_config"][0]["origin_protocol_policy"] == "https-only"
    bucket = "module.site.aws_s3_bucket_"
    assert prod.resources[f"{bucket}versioning.site"]["versioning_configuration"][0]["status"] == "Enabled"
    encryption = prod.resources[f"{bucket}server_side_encryption_configuration.site"]["rule"]
    assert encryption[0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "AES256"
    rule = prod.resources[f"{bucket}lifecycle_configuration.site"]["rule"][0]
    assert rule["noncurrent_version_expiration"][0]["noncurrent_days"] == 30


@pytest.mark.long
def test_tiketis_names_are_as_its_team_wants(plans: Plans) -> None:
    """`tiketi.gg` and its API lead to CloudFront on IPv4 and IPv6, and both certificates are proven in the zone."""
    prod = plans.of("tiketi", "prod")
    records = {(one["name"], one["type"]) for one in prod.of("aws_route53_record").values() if one.get("alias")}
    assert records == {(name, kind) for name in ("tiketi.gg", "api.tiketi.gg") for kind in ("A", "AAAA")}
    certificates = {address: one["domain_name"] for address, one in prod.of("aws_acm_certificate").items()}
    assert certificates == {
        "module.certificate.aws_acm_certificate.this": "api.tiketi.gg",
        "module.edge_certificate.aws_acm_certificate.this": "tiketi.gg",
    }
    call = prod.json["configuration"]["root_module"]["module_calls"]["edge_certificate"]
    region = prod.json["configuration"]["provider_config"]["aws.global"]["expressions"]["region"]["constant_value"]
    assert region == "us-east-1"
    assert {one["provider_config_key"] for one in call["module"]["resources"]} == {"aws.global"}


@pytest.mark.long
def test_codemates_cdn_is_as_its_team_wants(plans: Plans) -> None:
    """Before balancer and static files, PriceClass_200: `_next/static` a year, `/api` never, the rest 24 h."""
    prod = plans.of("codemate", "prod")
    cdn, ages = prod.one("aws_cloudfront_distribution"), prod.of("aws_cloudfront_cache_policy")
    assert (cdn["price_class"], cdn["aliases"]) == ("PriceClass_200", ["codemate.code1398.io"])
    behaviours = {one["path_pattern"]: one["target_origin_id"] for one in cdn["ordered_cache_behavior"]}
    assert behaviours == {"/api/*": "load-balancer", "/socket.io/*": "load-balancer", "/_next/static/*": "bucket"}
    kept = {address.split('"')[1]: one["default_ttl"] for address, one in ages.items()}
    assert kept == {"services": 86400, "never": 0, "31536000": 31536000}
    records = {(one["name"], one["type"]) for one in prod.of("aws_route53_record").values() if one.get("alias")}
    assert records == {("codemate.code1398.io", kind) for kind in ("A", "AAAA")}
    versions = prod.resources["module.bucket_static.aws_s3_bucket_versioning.this"]["versioning_configuration"]
    assert versions[0]["status"] == "Suspended"


def test_a_cdn_has_the_services_name_and_leaves_the_load_balancer_its_certificate() -> None:
    """Visitors come to it, and it asks by the same name."""
    found = calls(region="eu-west-1", domain=DOMAIN, cdn={"never": ["/api/*"]})
    assert found["dns"]["aliases"]["shop.io"]["dns_name"] == Expression("module.cdn.domain_name")
    assert found["certificate"]["domain_name"] == found["edge_certificate"]["domain_name"] == "shop.io"
    assert (found["cdn"]["aliases"], found["cdn"]["keep"]) == (["shop.io"], 0)
    assert "cdn" not in calls(region="eu-west-1", domain=DOMAIN)


@pytest.mark.long
def test_bluegreens_records_are_short(plans: Plans) -> None:
    """The TTL before the move is 60 s."""
    records = plans.of("bluegreen", "prod").of("aws_route53_record").values()
    assert {one["ttl"] for one in records if not one.get("alias")} == {60}


@pytest.mark.long
def test_only_the_distribution_reads_the_site(plans: Plans) -> None:
    """No bucket policy of any example opens a bucket to everybody."""
    for system in ("tiketi", "codemate"):
        for one in plans.of(system, "prod").of("aws_s3_bucket_policy").values():
            for statement in policy(one)["Statement"] if "policy" in one else ():
                assert statement["Effect"] == "Deny" or statement["Principal"] != "*"


def _named(resources: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(address, one) for address, one in resources.items() if '"' in address]
