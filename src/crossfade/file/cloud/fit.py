"""Contradictions between services and their cloud part. Asked only of an environment on AWS."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from crossfade.core.service import SITE
from crossfade.file.cloud.fargate import FARGATE
from crossfade.file.cloud.model import Cloud
from crossfade.file.part import Clash
from crossfade.file.parts.container import written_for_containers
from crossfade.file.parts.health import code_ranges
from crossfade.file.parts.variables.secrets import VARIABLE
from crossfade.file.reading.problem import nearest
from crossfade.file.units import GIB

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

MIB = 1 << 20
NAME_LIMIT = 32  # characters of a target group's name: <app>-<environment>-<service>-green
DEPLOYS_TO = {"codepipeline": "fargate", "codedeploy": "autoscaling"}
FASTEST = 5  # seconds between two questions of a load balancer
TELLS = (200, 499)  # codes that a load balancer takes for a good answer
OWN_BUCKETS = ("site", "logs", "artifacts", "revisions", "trail")  # of CDN, load balancer, pipelines, CloudTrail
SIZES = (0.25, 0.5, 1, 2, 4, 8, 16)  # cores that Fargate has


def misfits(app: str, environment: str, services: "Mapping[str, Service]", cloud: Cloud) -> Iterator[Clash]:
    """Every combination that AWS would refuse, later and in other words."""
    for name, service in services.items():
        of_service = [
            *_containers(service),
            *_scale(service),
            *(_health(service) if service.kind == "web" else ()),
            *_secrets(service, list(cloud.secrets)),
            *_credentials(service, list(cloud.secrets)),
        ]
        of_service += _fargate(service) if cloud.compute.kind == "fargate" else _hosts(service)
        of_service += _exported(service) if cloud.compute.kind == "autoscaling" else []
        yield from (_under(name, clash) for clash in of_service)
        if len(target := f"{app}-{environment}-{name}-green") > NAME_LIMIT:
            found = f"a name that makes the target group {target}, of {len(target)} characters"
            yield Clash(("services", name), found, f"shorter names: AWS takes {NAME_LIMIT} characters")
    if not any(service.kind == "web" for service in services.values()):
        yield Clash(("services",), "workers alone on AWS", "a web service beside them, which visitors get to")
    if cloud.site is not None and SITE in services:
        yield Clash(("services", SITE), "a service beside the site, which has that name", "another name")
    images = cloud.compute.kind == "autoscaling" and all(each.runtime == "docker" for each in services.values())
    if cloud.database is not None and cloud.database.snapshot and cloud.compute.kind != "fargate" and not images:
        found, allowed = "a snapshot before migrations on hosts", "compute: {kind: fargate}, or an image on autoscaling"
        yield Clash(("cloud", "database", "snapshot"), found, allowed)
    yield from _dumps(services, cloud)
    yield from _users(list(services), cloud)
    yield from _buckets(cloud)
    by = cloud.pipeline.on_aws if cloud.pipeline else ""
    if by and cloud.compute.kind != (needed := DEPLOYS_TO[by]):
        found = f"{by} with compute {cloud.compute.kind}"
        yield Clash(("cloud", "pipeline", "by"), found, f"compute: {{kind: {needed}}}, or another way to deploy")
    yield from _plain_hosts(services, cloud)
    if cloud.compute.kind != "fargate" and len(services) > 1:
        yield Clash(("services",), f"{len(services)} services on hosts", "one service, or compute: {kind: fargate}")


def _plain_hosts(services: "Mapping[str, Service]", cloud: Cloud) -> Iterator[Clash]:
    """Hosts that stay have a controller each, which has its own balancer, and nobody makes more of them."""
    compute = cloud.compute
    if compute.kind != "hosts":
        for key in ("address", "keys", "user"):
            if key in compute.model_fields_set:
                allowed = "compute: {kind: hosts}, or without it"
                yield Clash(("cloud", "compute", key), f"{key} with kind {compute.kind}", allowed)
        return
    if not compute.keys:
        yield Clash(("cloud", "compute", "keys"), "hosts that let nobody in", "the public key that deploys have")
    if compute.proxy is not None:
        yield Clash(("cloud", "compute", "proxy"), "nginx on hosts that have a balancer", "`balancer`, or without it")
    for name, service in services.items():
        if service.scale is not None:
            yield Clash(
                ("services", name, "scale"), "scale with hosts that stay", "replicas, or compute: {kind: autoscaling}"
            )


def _exported(service: "Service") -> Iterator[Clash]:
    """A host of an Auto Scaling group hands variables to its container by a shell, which has to know their names."""
    for name in service.env:
        if "." in name or "-" in name:
            yield Clash(("env", name), f"{name}, which no shell of a host hands on", VARIABLE.allowed)


def _containers(service: "Service") -> Iterator[Clash]:
    for key in written_for_containers(service):
        yield Clash((key,), f"{key} on AWS", "platform local for it, or what the image says")
    if service.volumes:
        yield Clash(("volumes",), "volumes on AWS", "a bucket or a database, which every instance reaches")


def _users(known: list[str], cloud: Cloud) -> Iterator[Clash]:
    """Services that the cloud part names must be among those of the file."""
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("cloud", "usage", "instances", name), name) for name in cloud.usage.instances
    ]
    named += [(("cloud", "compute", "checks", name), name) for name in cloud.compute.checks]
    for bucket, settings in cloud.buckets.items():
        users = enumerate(settings.services or ())
        named += [(("cloud", "buckets", bucket, "services", index), name) for index, name in users]
    for key, name in named:
        if name not in known:
            yield Clash(key, f'"{name}", which is not a service', f"one of {', '.join(known)}", nearest(name, known))


def _buckets(cloud: Cloud) -> Iterator[Clash]:
    """A bucket that the usage names is one of the file's, or one that crossfade makes for itself."""
    known = [*cloud.buckets, *OWN_BUCKETS]
    for name in cloud.usage.buckets:
        if name not in known:
            key = ("cloud", "usage", "buckets", name)
            yield Clash(key, f'"{name}", which is not a bucket', f"one of {', '.join(known)}", nearest(name, known))


def _dumps(services: "Mapping[str, Service]", cloud: Cloud) -> Iterator[Clash]:
    """They have a bucket of the file's, and come before whatever migrates."""
    wanted = cloud.database.dumps if cloud.database else None
    if wanted is None:
        return
    if wanted not in cloud.buckets:
        known = list(cloud.buckets)
        allowed = f"one of {', '.join(known)}" if known else f"cloud: {{buckets: {{{wanted}: {{}}}}}}"
        yield Clash(
            ("cloud", "database", "dumps"), f'"{wanted}", which is not a bucket', allowed, nearest(wanted, known)
        )
    for name, service in services.items():
        if service.hooks.migrate is not None and cloud.compute.kind == "hosts":
            found = "a migration that a host runs by itself, before which nobody writes the database down"
            yield Clash(("services", name, "hooks", "migrate"), found, "a migration in the pipeline, or autoscaling")


def _under(name: str, clash: Clash) -> Clash:
    return Clash(("services", name, *clash.key), clash.found, clash.allowed, clash.meant)


def _secrets(service: "Service", known: list[str]) -> Iterator[Clash]:
    for index, name in enumerate(service.secrets):
        if name not in known:
            allowed = f"one of {', '.join(known)}" if known else f"cloud: {{secrets: {{{name}: {{}}}}}}"
            yield Clash(("secrets", index), f"{name}, which is not in cloud.secrets", allowed, nearest(name, known))


def _credentials(service: "Service", known: list[str]) -> Iterator[Clash]:
    name = service.image.credentials if service.image else None
    if name is not None and name not in known:
        allowed = f"one of {', '.join(known)}" if known else f"cloud: {{secrets: {{{name}: {{}}}}}}"
        yield Clash(("image", "credentials"), f"{name}, which is not in cloud.secrets", allowed, nearest(name, known))


def _fargate(service: "Service") -> Iterator[Clash]:
    cpu, memory = service.resources.cpu, service.resources.memory
    if cpu is None or memory is None:
        lacking = "cpu" if cpu is None else "memory"
        allowed = "both, such as resources: {cpu: 0.5, memory: 1G}"
        yield Clash(("resources", lacking), f"no {lacking}, which Fargate has to know", allowed)
        return
    units = round(cpu * 1024)
    if units not in FARGATE:
        yield Clash(("resources", "cpu"), f"{cpu:g} cores", f"one of {', '.join(f'{c:g}' for c in SIZES)} on Fargate")
    elif memory % MIB or memory // MIB not in FARGATE[units]:
        sizes = [_size(mib) for mib in FARGATE[units]]
        listed = ", ".join(sizes) if len(sizes) < 4 else f"{sizes[0]}, {sizes[1]} ... {sizes[-1]}"  # noqa: PLR2004
        yield Clash(("resources", "memory"), f"{_size(memory / MIB)} with {cpu:g} cores", f"{listed} on Fargate")


def _size(mib: float) -> str:
    return f"{mib / 1024:g}G" if mib * MIB >= GIB else f"{mib:g}M"


def _hosts(service: "Service") -> Iterator[Clash]:
    if service.image is not None and service.image.build is not None:
        yield Clash(("image", "build"), "an image that is built here, for hosts", "a name that they can pull it by")
    if service.scale is not None and service.scale.schedule:
        yield Clash(("scale", "schedule"), "a schedule for hosts", "compute: {kind: fargate}")
    if service.scale is not None and service.scale.memory is not None:
        yield Clash(("scale", "memory"), "memory of hosts, which EC2 does not measure", "cpu, requests, or Fargate")


def _scale(service: "Service") -> Iterator[Clash]:
    scale = service.scale
    if scale is None:
        return
    if not scale.min <= service.replicas <= scale.max:
        found = f"{service.replicas} with scale from {scale.min} to {scale.max}"
        yield Clash(("replicas",), found, f"{scale.min} to {scale.max}")
    if scale.requests is not None and service.kind == "worker":
        yield Clash(("scale", "requests"), "requests for a worker, which gets none", "cpu or memory")


def _health(service: "Service") -> Iterator[Clash]:
    """The balancer's own limits: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html."""
    health = service.health
    bounds = {"interval": (FASTEST, 300), "timeout": (2, 120), "healthy": (2, 10), "unhealthy": (2, 10)}
    for key, (least, most) in bounds.items():
        value: float = getattr(health, key)
        if not least <= value <= most or value != int(value):
            unit = "s" if key in {"interval", "timeout"} else ""
            yield Clash(("health", key), f"{value:g}{unit}", f"{least}{unit} to {most}{unit} on AWS")
    if health.timeout == health.interval >= FASTEST:
        yield Clash(("health", "timeout"), f"{health.timeout:g}s, which is the interval", "a shorter time on AWS")
    if not all(TELLS[0] <= code <= TELLS[1] for span in code_ranges(health.codes) for code in span):
        yield Clash(("health", "codes"), health.codes, f"codes from {TELLS[0]} to {TELLS[1]} on AWS")
    for key in ("host", "headers", "body", "port", *(["command"] if service.kind == "web" else [])):
        if getattr(health, key):
            yield Clash(
                ("health", key), f"{key} of a health check", "none on AWS, whose balancer asks for a path alone"
            )
