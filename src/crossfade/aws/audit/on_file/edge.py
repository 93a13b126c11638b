"""How visitors reach it: names, certificate, TLS."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Spot
from crossfade.aws.audit.limits import LONGEST_TTL
from crossfade.aws.environment import balancer_protected
from crossfade.file.model import App
from crossfade.file.units import write_duration

OLD = frozenset({"ELBSecurityPolicy-TLS13-1-1-2021-06", "ELBSecurityPolicy-2016-08"})  # take TLS 1.0 or 1.1


def plain_http(app: App) -> Iterator[Spot]:
    if not app.cloud.https:
        yield Spot(("cloud", "certificate"), "no certificate and no domain to make one for: visitors speak plain HTTP")


def old_tls(app: App) -> Iterator[Spot]:
    policy = app.cloud.load_balancer.tls_policy
    if app.cloud.https and policy in OLD:
        yield Spot(("cloud", "load_balancer", "tls_policy"), f"{policy} takes TLS 1.0 or 1.1")


def no_name(app: App) -> Iterator[Spot]:
    if app.cloud.domain is None:
        yield Spot(("cloud", "domain"), "no domain: visitors would use a name of AWS's")


def slow_names(app: App) -> Iterator[Spot]:
    if app.cloud.domain and app.cloud.domain.ttl > LONGEST_TTL:
        ttl = write_duration(app.cloud.domain.ttl)
        yield Spot(("cloud", "domain", "ttl"), f"resolvers keep an old address for {ttl}")


def unprotected(app: App) -> Iterator[Spot]:
    if not balancer_protected(app):
        yield Spot(("cloud", "load_balancer", "protect"), "the load balancer can be deleted by one call")


def no_access_logs(app: App) -> Iterator[Spot]:
    if not app.cloud.load_balancer.logs:
        yield Spot(("cloud", "load_balancer", "logs"), "the load balancer keeps no record of requests")


CHECKS = {
    "CF-TLS-001": plain_http,
    "CF-TLS-002": old_tls,
    "CF-TLS-003": no_name,
    "CF-TLS-004": slow_names,
    "CF-AVL-008": unprotected,
    "CF-OBS-006": no_access_logs,
}
