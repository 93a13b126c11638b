"""The doors: security groups with their rules, and the load balancer with its target groups."""

from collections.abc import Iterator

from crossfade.aws.environment import balancer_protected, drain, health_seconds, idle_timeout
from crossfade.aws.places import COLOURS
from crossfade.aws.resources.areas.network import VPC
from crossfade.aws.resources.areas.planned import bucket, planned, subnets
from crossfade.aws.resources.hosts import listens_on, on_hosts
from crossfade.aws.resources.names import places, prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.data import PORTS
from crossfade.file.model import App

GROUPS = "module.security_groups.aws_security_group"
_RULE = "module.security_groups.aws_vpc_security_group_ingress_rule"
BALANCER = "module.alb.aws_lb.this"


def doors(app: App) -> Iterator[Resource]:
    yield from _groups(app)
    yield from _rules(app)
    yield from _balancer(app)
    yield from _targets(app)


def group(kind: str) -> str:
    """The address of a security group."""
    return f"{GROUPS}.{kind}" if kind in ("alb", "app") else f"{GROUPS}.{kind}[0]"


def _groups(app: App) -> Iterator[Resource]:
    cloud = app.cloud
    for kind, wanted, where in (
        ("alb", True, "cloud.load_balancer"),
        ("app", True, "services"),
        ("database", cloud.database is not None, "cloud.database"),
        ("cache", cloud.cache is not None, "cloud.cache"),
    ):
        if wanted:
            yield planned(group(kind), where, {"vpc_id": (VPC,)}, name_prefix=f"{prefix(app)}-{kind}-")


def _rules(app: App) -> Iterator[Resource]:
    cloud = app.cloud
    for port in (80, 443) if cloud.https else (80,):
        for cidr in cloud.load_balancer.visitors:
            yield _rule(f'{_RULE}.alb["{port} {cidr}"]', "cloud.load_balancer.visitors", "alb", port, cidr=cidr)
    for port in dict.fromkeys(listens_on(app, service) for service in app.web.values()):
        yield _rule(f'{_RULE}.app_from_alb["{port}"]', "services", "app", port, of="alb")
    for index, opened in enumerate(cloud.network.open_ports):
        for cidr in opened.to:
            address, where = f'{_RULE}.app_open["{opened.port} {cidr}"]', f"cloud.network.open_ports.{index}"
            yield _rule(address, where, "app", opened.port, cidr=cidr)
    if cloud.database is not None:
        port, where = cloud.database.port, "cloud.database"
        yield _rule(f"{_RULE}.database_from_app[0]", where, "database", port, of="app")
        if cloud.database.public:
            address = f"{_RULE}.database_public[0]"
            yield _rule(address, "cloud.database.public", "database", port, cidr="0.0.0.0/0")
    if cloud.cache is not None:
        port = PORTS[cloud.cache.engine]
        yield _rule(f"{_RULE}.cache_from_app[0]", "cloud.cache", "cache", port, of="app")


def _rule(address: str, where: str, kind: str, port: int, *, cidr: str | None = None, of: str = "") -> Resource:
    refers = {"security_group_id": (group(kind),), "referenced_security_group_id": (group(of),) if of else ()}
    return planned(address, where, refers, cidr_ipv4=cidr, from_port=port, to_port=port, ip_protocol="tcp")


def _balancer(app: App) -> Iterator[Resource]:
    balancer = app.cloud.load_balancer
    yield planned(
        BALANCER,
        "cloud.load_balancer",
        {"subnets": subnets(app, "public"), "security_groups": (group("alb"),)},
        name=prefix(app),
        load_balancer_type="application",
        internal=False,
        idle_timeout=idle_timeout(app),
        enable_deletion_protection=balancer_protected(app),
        drop_invalid_header_fields=True,
    )
    refers, where = {"load_balancer_arn": (BALANCER,)}, "cloud.certificate"
    if app.cloud.https:
        yield planned("module.alb.aws_lb_listener.redirect[0]", where, refers, port=80, protocol="HTTP")
        policy = balancer.tls_policy
        address = "module.alb.aws_lb_listener.https[0]"
        yield planned(address, where, refers, port=443, protocol="HTTPS", ssl_policy=policy)
    else:
        yield planned("module.alb.aws_lb_listener.http[0]", where, refers, port=80, protocol="HTTP")
    if balancer.logs:
        yield from bucket("module.alb.aws_s3_bucket.logs[0]", "cloud.load_balancer.logs")


def _targets(app: App) -> Iterator[Resource]:
    for name, service in app.web.items():
        interval, timeout = health_seconds(service)
        for colour in COLOURS:
            yield planned(
                f'module.alb.aws_lb_target_group.this["{name}-{colour}"]',
                f"services.{name}",
                {"vpc_id": (VPC,)},
                name=places(app).coloured(name, colour),
                port=listens_on(app, service),
                protocol="HTTP",
                target_type="instance" if on_hosts(app) else "ip",
                deregistration_delay=str(drain(service)),
                health_check=[{"path": service.health.path, "interval": interval, "timeout": timeout}],
            )
