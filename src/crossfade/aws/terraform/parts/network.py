"""The network, what is open in it, and the load balancer."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import (
    balancer_protected,
    drain,
    gateway_endpoints,
    has_data_subnets,
    health_seconds,
    idle_timeout,
    interface_endpoints,
    whole,
    zones,
)
from crossfade.aws.resources.hosts import by_colour, listens_on, on_hosts
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, REGION, from_module
from crossfade.aws.terraform.rules import ListenerRule, default, rules
from crossfade.file.cloud.data import PORTS
from crossfade.file.model import App, Service, Sticky

OWN_COOKIE: str = Sticky.model_fields["cookie"].default


def network(app: App) -> Iterator[Block]:
    yield _vpc(app)
    yield _security_groups(app)
    yield _alb(app)


def _vpc(app: App) -> Block:
    net, count = app.cloud.network, len(app.cloud.zones)
    return block(
        "module",
        "vpc",
        source=f"{MODULES}/networking/vpc",
        name=NAME,
        region=REGION,
        cidr=net.cidr,
        zones=list(zones(app)),
        public_subnets=list(net.subnets("public", count)),
        private_subnets=list(net.subnets("private", count)),
        database_subnets=list(net.subnets("database", count)) if has_data_subnets(app) else None,
        nat=net.nat,
        nat_instance_type=net.nat_instance if net.nat == "instance" else None,
        gateway_endpoints=list(gateway_endpoints(app)),
        interface_endpoints=list(interface_endpoints(app)) or None,
        flow_logs=net.flow_logs or None,
        log_retention_days=app.cloud.logs.keep if net.flow_logs else None,
    )


def _security_groups(app: App) -> Block:
    cloud = app.cloud
    ports = sorted({listens_on(app, service) for service in app.web.values()})
    return block(
        "module",
        "security_groups",
        source=f"{MODULES}/networking/security-groups",
        name=NAME,
        vpc_id=from_module("vpc", "vpc_id"),
        visitors=list(cloud.load_balancer.visitors),
        https=cloud.https,
        app_ports=ports,
        open_ports=[{"port": one.port, "to": list(one.to)} for one in cloud.network.open_ports] or None,
        database_port=cloud.database.port if cloud.database else None,
        database_public=True if cloud.database and cloud.database.public else None,
        database_on_host=True if cloud.database and cloud.database.host else None,
        cache_port=PORTS[cloud.cache.engine] if cloud.cache else None,
    )


def _alb(app: App) -> Block:
    wanted, default_service = app.cloud.load_balancer, default(app.web)
    return block(
        "module",
        "alb",
        source=f"{MODULES}/networking/alb",
        name=NAME,
        vpc_id=from_module("vpc", "vpc_id"),
        subnet_ids=from_module("vpc", "public_subnet_ids"),
        security_group_id=from_module("security_groups", "alb_id"),
        https=app.cloud.https,
        certificate_arn=_certificate(app),
        tls_policy=wanted.tls_policy if app.cloud.https else None,
        idle_timeout=idle_timeout(app),
        algorithm=wanted.algorithm,
        services={name: _target(app, service) for name, service in app.web.items()},
        rules=[_rule(rule) for rule in rules(app.web)] or None,
        default_service=default_service,
        previews=_previews(app) or None,
        deletion_protection=balancer_protected(app) or None,
        access_logs=wanted.logs or None,
    )


def _previews(app: App) -> list[dict[str, str]]:
    """In the order of the file, so that a service that is added at its end moves no other's rule."""
    if on_hosts(app) and not by_colour(app):  # one group, and nothing to lead to before it serves
        return []
    return [{"service": name, "header": service.preview.header} for name, service in app.web.items()]


def _certificate(app: App) -> Expression | str | None:
    if not app.cloud.https:
        return None
    given = app.cloud.certificate
    return given if given and given != "managed" else from_module("certificate", "arn")


def _target(app: App, service: Service) -> dict[str, Any]:
    health, (interval, timeout) = service.health, health_seconds(service)
    target: dict[str, Any] = {
        "port": listens_on(app, service),
        "target_type": "instance" if on_hosts(app) else "ip",
        "drain": drain(service),
        "health": {
            "path": health.path,
            "interval": interval,
            "timeout": timeout,
            "healthy": health.healthy,
            "unhealthy": health.unhealthy,
            "codes": health.codes,
        },
    }
    return target | ({"stickiness": _stickiness(service.sticky)} if service.sticky else {})


def _stickiness(sticky: Sticky) -> dict[str, Any]:
    """A cookie of another name is the application's own, which it sets itself."""
    seconds = whole(sticky.ttl)
    if sticky.cookie == OWN_COOKIE:
        return {"type": "lb_cookie", "seconds": seconds}
    return {"type": "app_cookie", "seconds": seconds, "cookie": sticky.cookie}


def _rule(rule: ListenerRule) -> dict[str, Any]:
    conditions = {"hosts": list(rule.hosts), "paths": list(rule.paths)}
    return {"service": rule.service} | {kind: values for kind, values in conditions.items() if values}
