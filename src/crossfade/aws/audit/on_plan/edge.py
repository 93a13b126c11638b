"""How visitors reach what a plan makes: listeners, TLS, names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossfade.aws.audit.balancer import opens_streams
from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.limits import LONGEST_TTL
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on, number
from crossfade.aws.idle import SHORT_IDLE
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

BALANCERS = ("aws_lb", "aws_alb")
_LISTENERS = ("aws_lb_listener", "aws_alb_listener")
_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
# Take TLS 1.2 at least: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
_NEW_POLICIES = ("TLS13-1-2", "TLS13-1-3", "TLS-1-2", "FS-1-2")
_POLICY_UNSAID = "ELBSecurityPolicy-2016-08"
_OLD_OF_CDN = frozenset({"SSLv3", "TLSv1", "TLSv1.1", "TLSv1_2016", "TLSv1.1_2016"})
_OLD_PROTOCOLS = frozenset({"Protocol-SSLv3", "Protocol-TLSv1", "Protocol-TLSv1.1"})
_REFERENCE = "Reference-Security-Policy"  # a classic balancer that has one of AWS's as it is
_OLD_SEARCH = frozenset({"Policy-Min-TLS-1-0-2019-07"})
# Doors beside load balancers, where each says which TLS it takes, and what of that is old.
_OLD_ELSEWHERE: tuple[tuple[str, tuple[str, ...], frozenset[str]], ...] = (
    ("aws_api_gateway_domain_name", ("security_policy",), frozenset({"TLS_1_0"})),
    ("aws_cloudsearch_domain", ("endpoint_options", "tls_security_policy"), _OLD_SEARCH),
    ("aws_elasticsearch_domain", ("domain_endpoint_options", "tls_security_policy"), _OLD_SEARCH),
    ("aws_opensearch_domain", ("domain_endpoint_options", "tls_security_policy"), _OLD_SEARCH),
)
_OWN_MACHINE = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/?#].*)?")
_SERVING = frozenset({"forward", "authenticate-oidc", "authenticate-cognito"})
_MOVING = frozenset({"A", "AAAA", "CNAME"})


def applications(inventory: Inventory) -> Iterator[Resource]:
    """Load balancers for HTTP."""
    for balancer in inventory.of(*BALANCERS):
        if balancer.values.get("load_balancer_type", "application") == "application":
            yield balancer


def plain_http(inventory: Inventory) -> Iterator[Mark]:
    for listener in inventory.of(*_LISTENERS):
        if _is_plain(inventory, listener) and not _leads_to_https(listener):
            yield Mark(listener.address, f"port {listener.values.get('port', 80)} answers over HTTP")
    yield from _forwarded_plain(inventory)
    yield from _tokens_in_plain(inventory)
    for site in inventory.of("aws_cloudfront_distribution"):
        behaviours = (*blocks(site.values, "default_cache_behavior"), *blocks(site.values, "ordered_cache_behavior"))
        if _takes_http(behaviours):
            yield Mark(site.address, "viewer_protocol_policy is allow-all")
        for origin in _own_origins(site):
            policy = origin.get("origin_protocol_policy")
            if policy == "http-only" or (policy == "match-viewer" and _takes_http(behaviours)):
                yield Mark(site.address, f"origin_protocol_policy is {policy}: it asks its origin over HTTP")


def _tokens_in_plain(inventory: Inventory) -> Iterator[Mark]:
    """People who signed in come back with a code; to their own machine it may come by HTTP."""
    for client in inventory.of("aws_cognito_user_pool_client"):
        for url in client.values.get("callback_urls") or ():
            if str(url).startswith("http://") and not _OWN_MACHINE.fullmatch(str(url)):
                yield Mark(client.address, f"callback_urls has {url}")


def _own_origins(site: Resource) -> Iterator[Mapping[str, Any]]:
    """Those that are no buckets, which have no TLS where they are sites: what is there is for everybody."""
    for origin in blocks(site.values, "origin"):
        if "s3-website" not in str(origin.get("domain_name")):
            yield from blocks(origin, "custom_origin_config")


def _takes_http(behaviours: Iterable[Mapping[str, Any]]) -> bool:
    return any(one.get("viewer_protocol_policy") == "allow-all" for one in behaviours)


def _forwarded_plain(inventory: Inventory) -> Iterator[Mark]:
    """A listener whose default redirects may still have rules that do not; a classic balancer has no redirects."""
    for rule in inventory.of(*_RULES):
        serves = any(one.get("type") in _SERVING for one in blocks(rule.values, "action"))
        for listener in inventory.referred(rule, "listener_arn", *_LISTENERS):
            if serves and _is_plain(inventory, listener) and _leads_to_https(listener):
                yield Mark(rule.address, f"forwards visitors of port {listener.values.get('port', 80)} over HTTP")
    for classic in inventory.of("aws_elb"):
        for door in blocks(classic.values, "listener"):
            if str(door.get("lb_protocol", "")).upper() == "HTTP" and not is_on(classic.values.get("internal")):
                yield Mark(classic.address, f"port {door.get('lb_port', 80)} answers over HTTP")


def _is_plain(inventory: Inventory, listener: Resource) -> bool:
    """It takes HTTP from the internet. Without a protocol and a certificate that is what it speaks."""
    inside = any(is_on(lb.values.get("internal")) for lb in inventory.referred(listener, "load_balancer_arn"))
    encrypted = bool(listener.values.get("certificate_arn")) or "certificate_arn" in listener.unknown
    return listener.values.get("protocol", "HTTPS" if encrypted else "HTTP") == "HTTP" and not inside


def _leads_to_https(listener: Resource) -> bool:
    """It redirects, or answers something fixed, such as a refusal."""
    action = blocks(listener.values, "default_action")
    kinds = {one.get("type") for one in action}
    return kinds == {"fixed-response"} or first({"a": action}, "a", "redirect", "protocol") == "HTTPS"


def old_tls(inventory: Inventory) -> Iterator[Mark]:
    for listener in inventory.of(*_LISTENERS):
        if listener.values.get("protocol") in {"HTTPS", "TLS"}:
            policy = listener.values.get("ssl_policy", _POLICY_UNSAID)
            if not any(new in policy for new in _NEW_POLICIES):
                yield Mark(listener.address, f"{policy} takes TLS 1.0 or 1.1")
    yield from _old_elsewhere(inventory)
    for site in inventory.of("aws_cloudfront_distribution"):
        least = first(site.values, "viewer_certificate", "minimum_protocol_version")
        of_aws = is_on(first(site.values, "viewer_certificate", "cloudfront_default_certificate"))
        if least in _OLD_OF_CDN and not of_aws:
            yield Mark(site.address, f"minimum_protocol_version is {least}")
        for origin in _own_origins(site):
            secure = origin.get("origin_protocol_policy") != "http-only"
            if secure and (old := sorted(_OLD_OF_CDN.intersection(origin.get("origin_ssl_protocols") or ()))):
                yield Mark(site.address, f"origin_ssl_protocols has {', '.join(old)}")


def _old_elsewhere(inventory: Inventory) -> Iterator[Mark]:
    for kind, keys, old in _OLD_ELSEWHERE:
        for door in inventory.of(kind):
            if (policy := first(door.values, *keys)) in old:
                yield Mark(door.address, f"{'.'.join(keys)} is {policy}")
    yield from _classic_unsaid(inventory)
    for classic in inventory.of("aws_lb_ssl_negotiation_policy", "aws_load_balancer_policy"):
        for said in (*blocks(classic.values, "attribute"), *blocks(classic.values, "policy_attribute")):
            name, value = said.get("name"), str(said.get("value"))
            if name in _OLD_PROTOCOLS and value.lower() == "true":
                yield Mark(classic.address, f"takes {name}")
            elif name == _REFERENCE and not any(new in value for new in _NEW_POLICIES):
                yield Mark(classic.address, f"{value} takes TLS 1.0 or 1.1")


def _classic_unsaid(inventory: Inventory) -> Iterator[Mark]:
    """Those that nothing tells otherwise take what AWS took in 2016."""
    for classic in inventory.of("aws_elb"):
        encrypted = any(
            str(door.get("lb_protocol")).upper() in {"HTTPS", "SSL"} for door in blocks(classic.values, "listener")
        )
        told = settings(inventory, classic, "aws_lb_ssl_negotiation_policy", "load_balancer")
        told += settings(inventory, classic, "aws_load_balancer_listener_policy", "load_balancer_name")
        if encrypted and not told:
            yield Mark(classic.address, f"{_POLICY_UNSAID} takes TLS 1.0 or 1.1")


def slow_names(inventory: Inventory) -> Iterator[Mark]:
    for record in inventory.of("aws_route53_record"):
        ttl = number(record.values.get("ttl"))
        if ttl is not None and ttl > LONGEST_TTL and record.values.get("type") in _MOVING:
            yield Mark(record.address, f"ttl is {ttl} s")


def streams_cut(inventory: Inventory) -> Iterator[Mark]:
    for balancer in applications(inventory):
        idle = number(balancer.values.get("idle_timeout", 60)) or 60
        if idle <= SHORT_IDLE and (paths := list(_stream_paths(inventory, balancer))):
            yield Mark(balancer.address, f"connections of {', '.join(paths)} are closed after {idle} s of silence")


def _stream_paths(inventory: Inventory, balancer: Resource) -> Iterator[str]:
    for rule in inventory.of(*_RULES):
        listeners = inventory.referred(rule, "listener_arn", *_LISTENERS)
        owners = {address for one in listeners for address in one.refers.get("load_balancer_arn", ())}
        if owners and balancer.address not in owners:
            continue
        for condition in blocks(rule.values, "condition"):
            for path in first(condition, "path_pattern", "values") or ():
                if opens_streams(str(path)):
                    yield str(path)


def unprotected(inventory: Inventory) -> Iterator[Mark]:
    for balancer in inventory.of(*BALANCERS):
        if not is_on(balancer.values.get("enable_deletion_protection")):
            yield Mark(balancer.address, "enable_deletion_protection is not true")


def no_access_logs(inventory: Inventory) -> Iterator[Mark]:
    for balancer in applications(inventory):
        if not is_on(first(balancer.values, "access_logs", "enabled")):
            yield Mark(balancer.address, "access_logs are not enabled")


def odd_headers(inventory: Inventory) -> Iterator[Mark]:
    for balancer in applications(inventory):
        if not is_on(balancer.values.get("drop_invalid_header_fields")):
            yield Mark(balancer.address, "drop_invalid_header_fields is not true")


CHECKS = {
    "CF-NET-010": odd_headers,
    "CF-TLS-001": plain_http,
    "CF-TLS-002": old_tls,
    "CF-TLS-004": slow_names,
    "CF-AVL-004": streams_cut,
    "CF-AVL-008": unprotected,
    "CF-OBS-006": no_access_logs,
}
