"""The compute: what runs the services, and where their images are kept."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import whole
from crossfade.aws.places import BLUE, COLOURS, GREEN, GROUP, LEAST
from crossfade.aws.resources.hosts import (
    by_colour,
    by_revision,
    exposed,
    fixed,
    in_containers,
    listens_on,
    on_hosts,
    process_ports,
    proxied,
    stay,
)
from crossfade.aws.resources.names import identifier, places
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, REGION, from_module
from crossfade.aws.terraform.parts import told
from crossfade.file.cloud.compute import Proxy
from crossfade.file.command import CommandLine
from crossfade.file.model import App, Deploy, Service
from crossfade.file.units import GIB

_MIB = 1 << 20
_UNITS = 1024  # CPU units of a core
_STOP = 120  # seconds that Fargate waits at most between SIGTERM and SIGKILL
_GRACE = 60.0


def compute(app: App) -> Iterator[Block]:
    for name, service in app.services.items():
        if in_containers(app, service):
            yield _repository(app, name)
    if on_hosts(app):
        for name, service in app.services.items():  # one, which the file's own check holds
            yield _servers(app, service) if stay(app) else _hosts(app, name, service)
        return
    yield _cluster(app)
    for name, service in app.services.items():
        yield _service(app, name, service)
    if app.jobs:
        yield _jobs(app)


def _repository(app: App, name: str) -> Block:
    wanted = app.cloud.registry
    return block(
        "module",
        f"ecr_{identifier(name)}",
        source=f"{MODULES}/compute/ecr",
        name=places(app).repository(name),
        keep=wanted.keep,
        expire_days=wanted.expire,
        immutable=wanted.immutable,
        scan_on_push=wanted.scan,
    )


def _cluster(app: App) -> Block:
    return block(
        "module",
        "cluster",
        source=f"{MODULES}/compute/ecs-cluster",
        name=NAME,
        container_insights=app.cloud.compute.insights,
    )


def _service(app: App, name: str, service: Service) -> Block:
    cloud, called, web = app.cloud, places(app), service.kind == "web"
    port = {"PORT": str(service.port)} if web else {}
    return block(
        "module",
        f"service_{identifier(name)}",
        source=f"{MODULES}/compute/ecs-service",
        name=called.family(name),
        container_name=name,
        region=REGION,
        cluster_arn=from_module("cluster", "arn"),
        cluster_name=from_module("cluster", "name"),
        image=_image(name, tagged=True),
        command=_arguments(service.command),
        port=service.port if web else None,
        cpu=round((service.resources.cpu or 0) * _UNITS),
        memory=(service.resources.memory or 0) // _MIB,
        architecture="ARM64" if cloud.compute.architecture == "arm" else "X86_64",
        environment={**told.environment(app, service), **port, "CROSSFADE_RELEASE": _tag(name)},
        secrets={**_secrets(service), **told.secrets(app, service)} or None,
        execution_role_arn=Expression(f'module.iam.execution_role_arn["{name}"]'),
        task_role_arn=Expression(f'module.iam.task_role_arn["{name}"]'),
        subnet_ids=from_module("vpc", "private_subnet_ids"),
        security_group_id=from_module("security_groups", "app_id"),
        target_groups=Expression(f'module.alb.target_groups["{name}"]') if web else None,
        load_balancer_suffix=from_module("alb", "arn_suffix") if _counts_requests(service) else None,
        desired=service.replicas,
        scaling=_scaling(service),
        spot_percent=round(cloud.compute.spot) or None,
        health_grace=whole(service.deploy.warmup or _GRACE) if web else None,
        stop_timeout=max(1, min(whole(service.grace), _STOP)),
        log_retention_days=cloud.logs.keep,
        tracing=cloud.tracing or None,
        check=cloud.compute.checks.get(name),
        read_only=cloud.compute.read_only or None,
    )


def _jobs(app: App) -> Block:
    """What jobs by the clock need beside the services that they run in."""
    names = sorted({app.service_of(job) for job in app.jobs.values()})
    roles = [Expression(f'module.iam.{kind}_role_arn["{name}"]') for name in names for kind in ("execution", "task")]
    return block(
        "module",
        "jobs",
        source=f"{MODULES}/compute/jobs",
        name=NAME,
        cluster_arn=from_module("cluster", "arn"),
        families=[from_module(f"service_{identifier(name)}", "task_family") for name in names],
        containers=names,
        role_arns=roles,
        log_retention_days=app.cloud.logs.keep,
        warning_topic_arn=from_module("monitoring", "warning_topic_arn"),
    )


def _arguments(command: CommandLine | None) -> list[str] | None:
    """What the image's ENTRYPOINT is given: a text by way of a shell, a list as it is; None for the image's own."""
    return None if command is None else list(command.words) or ["/bin/sh", "-c", str(command)]


def _hosts(app: App, name: str, service: Service) -> Block:
    wanted, scale = app.cloud.compute, service.scale
    subnets = "public_subnet_ids" if exposed(app) else "private_subnet_ids"
    container = in_containers(app, service)
    return block(
        "module",
        "asg",
        source=f"{MODULES}/compute/asg",
        name=NAME,
        region=REGION,
        folder=f"/opt/{app.name}",
        image=_image(name, tagged=False) if container else None,
        image_tag=_tag(name) if container else None,
        command=service.command,
        container_port=service.port if container else None,
        ports=process_ports(app, service),
        proxy=_proxy(app, service) if proxied(app) else None,
        environment=told.environment(app, service) or None,
        secrets={**_secrets(service), **told.secrets(app, service)} or None,
        agent_parameter=from_module("monitoring", "agent_parameter") if wanted.metrics else None,
        agent_reads=wanted.metrics.folders or None if wanted.metrics else None,
        instance_type=wanted.instance,
        disk_gib=-(-wanted.disk // GIB),
        subnet_ids=from_module("vpc", subnets),
        public_address=exposed(app),
        security_group_id=from_module("security_groups", "app_id"),
        instance_profile_name=from_module("iam", "instance_profile_name"),
        target_group_arn=_target_group(name, "blue", "arn"),
        **(_two_groups(app, name, service) if by_colour(app) else {}),
        **_request_metrics(service, name),
        desired=service.replicas,
        min=scale.min if scale else service.replicas,
        max=scale.max if scale else max(service.replicas, 1),
        cpu=_number(scale.cpu) if scale else None,
        requests=scale.requests if scale else None,
        in_after=whole(scale.in_after) if scale and scale.cpu else None,
        warmup=whole(wanted.warmup),
        refresh=_refresh(service.deploy, wanted.warmup),
        log_retention_days=app.cloud.logs.keep,
    )


def _servers(app: App, service: Service) -> Block:
    """Hosts that stay. Nothing of a release is in them: their controllers get it over SSH."""
    wanted = app.cloud.compute
    subnets = "public_subnet_ids" if exposed(app) else "private_subnet_ids"
    return block(
        "module",
        "hosts",
        source=f"{MODULES}/compute/hosts",
        name=NAME,
        region=REGION,
        instances=service.replicas,
        instance_type=wanted.instance,
        disk_gib=-(-wanted.disk // GIB),
        user=wanted.user,
        keys=list(wanted.keys),
        containers=in_containers(app, service),
        agent_parameter=from_module("monitoring", "agent_parameter") if wanted.metrics else None,
        agent_reads=wanted.metrics.folders or None if wanted.metrics else None,
        subnet_ids=from_module("vpc", subnets),
        public_address=exposed(app) and not fixed(app),
        fixed_address=fixed(app),
        security_group_id=from_module("security_groups", "app_id"),
        instance_profile_name=from_module("iam", "instance_profile_name"),
        log_retention_days=app.cloud.logs.keep,
    )


def _two_groups(app: App, name: str, service: Service) -> dict[str, Any]:
    """Releases go out by colour: one group serves, the other one is empty and waits for the next."""
    called, least = places(app), service.scale.min if service.scale else service.replicas

    def tags(colour: str) -> dict[str, str]:
        return {**called.tags(name, colour), LEAST: str(least)}

    return {
        "group_name": called.coloured(name, BLUE),
        "tags": tags(BLUE),
        "green": {
            "name": called.coloured(name, GREEN),
            "target_group_arn": _target_group(name, GREEN, "arn"),
            "tags": tags(GREEN),
        },
        **(_revisions(app, name) if by_revision(app) else {}),
    }


def _revisions(app: App, name: str) -> dict[str, Any]:
    """What hosts boot without, and are known by to CodeDeploy."""
    called = places(app)
    return {
        "revisions": from_module("deploys", "bucket"),
        "host_tags": {colour: {GROUP: called.coloured(name, colour)} for colour in COLOURS},
    }


def bounds(deploy: Deploy) -> tuple[int, int]:
    """Share of the instances that stays healthy during a deploy, and the most that run, in percent."""
    if deploy.strategy == "rolling":
        return deploy.min_healthy, 100 + deploy.max_surge
    if deploy.strategy == "recreate":
        return 0, 100
    return 100, 200  # the whole new fleet beside the old one


def _refresh(deploy: Deploy, warmup: float) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html"""
    least, most = bounds(deploy)
    preferences: dict[str, Any] = {
        "min_healthy": least,
        "max_healthy": min(most, least + 100),
        "warmup": whole(deploy.warmup or warmup),
    }
    if deploy.strategy == "rolling" and deploy.checkpoints:
        preferences |= {"checkpoints": list(deploy.capacity_steps), "checkpoint_delay": whole(deploy.bake)}
    return preferences


def _scaling(service: Service) -> dict[str, Any] | None:
    scale = service.scale
    if scale is None:
        return None
    targets = {"cpu": _number(scale.cpu), "memory": _number(scale.memory), "requests": scale.requests}
    return (
        {"min": scale.min, "max": scale.max}
        | {name: target for name, target in targets.items() if target is not None}
        | {"out_after": whole(scale.out_after), "in_after": whole(scale.in_after)}
    )


def _request_metrics(service: Service, name: str) -> dict[str, Any]:
    """What scaling of hosts on requests has to know, in both colours: a deploy moves them from one to the other."""
    if not _counts_requests(service):
        return {}
    return {
        "load_balancer_suffix": from_module("alb", "arn_suffix"),
        "target_group_suffixes": [_target_group(name, colour, "suffix") for colour in COLOURS],
    }


def _counts_requests(service: Service) -> bool:
    return service.scale is not None and service.scale.requests is not None


def _proxy(app: App, service: Service) -> dict[str, Any]:
    wanted = app.cloud.compute.proxy or Proxy()
    given: dict[str, Any] = {
        "listen": listens_on(app, service),
        "balance": wanted.balance,
        "max_fails": wanted.max_fails,
        "fail_timeout": whole(wanted.fail_timeout),
        "keepalive": wanted.keepalive,
        "idle_timeout": whole(service.idle_timeout),
        "app_health": service.health.path,
    }
    if wanted.health:
        given["health"] = wanted.health
    if wanted.health_timeout:
        given["health_timeout"] = whole(wanted.health_timeout)
    if wanted.websockets:
        given |= {"websockets": wanted.websockets, "websocket_timeout": whole(wanted.websocket_timeout)}
    if wanted.fresh:
        given["fresh"] = {path: whole(seconds) for path, seconds in wanted.fresh.items()}
    return given


def _secrets(service: Service) -> dict[str, Expression]:
    return {name: Expression(f'module.secrets.arns["{name}"]') for name in service.secrets}


def _target_group(name: str, colour: str, value: str) -> Expression:
    return Expression(f'module.alb.target_groups["{name}"].{colour}.{value}')


def _tag(name: str) -> Expression:
    return Expression(f'var.image_tags["{name}"]')


def _image(name: str, *, tagged: bool) -> Expression:
    url = f"module.ecr_{identifier(name)}.repository_url"
    return Expression(f'"${{{url}}}:${{var.image_tags["{name}"]}}"' if tagged else url)


def _number(percent: float | None) -> float | int | None:
    """70 and not 70.0, which is what a person would write."""
    return int(percent) if percent is not None and percent == int(percent) else percent
