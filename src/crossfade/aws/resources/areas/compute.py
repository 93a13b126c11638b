"""The compute: tasks on Fargate or hosts of an Auto Scaling group, and where images are kept."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.places import BLUE, COLOUR, COLOURS, GREEN, SERVICE
from crossfade.aws.resources.areas.doors import group
from crossfade.aws.resources.areas.planned import counted, gib, planned, root_disk, subnets
from crossfade.aws.resources.hosts import by_colour, exposed, fixed, host_names, in_containers, on_hosts, stay
from crossfade.aws.resources.names import identifier, places, prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.compute import Scale
from crossfade.file.model import App, Service

CLUSTER = "module.cluster.aws_ecs_cluster.this"
MIB = 1 << 20
_HOST_PERIOD = 300  # seconds between EC2's own figures


def compute(app: App) -> Iterator[Resource]:
    if stay(app):
        yield from _servers(app)
    elif on_hosts(app):
        yield from _hosts(app)
    else:
        insights = {"name": "containerInsights", "value": "enabled" if app.cloud.compute.insights else "disabled"}
        yield planned(CLUSTER, "cloud.compute", name=prefix(app), setting=[insights])
        for name, service in app.services.items():
            yield from _service(app, name, service)
        if app.jobs:
            log = "module.jobs.aws_cloudwatch_log_group.this"
            yield planned(log, "jobs", name=places(app).jobs_log_group, retention_in_days=app.cloud.logs.keep)
    for name, service in app.services.items():
        if in_containers(app, service):
            address = f"module.ecr_{identifier(name)}.aws_ecr_repository.this"
            yield planned(address, "cloud.registry", name=places(app).repository(name))


def _service(app: App, name: str, service: Service) -> Iterator[Resource]:
    module, where, called = f"module.service_{identifier(name)}", f"services.{name}", places(app)
    task = f"{module}.aws_ecs_task_definition.this"
    log = f"{module}.aws_cloudwatch_log_group.this"
    yield planned(log, "cloud.logs.keep", name=called.log_group(name), retention_in_days=app.cloud.logs.keep)
    size, cpu = service.resources.memory or 0, service.resources.cpu or 0
    yield planned(
        task,
        f"{where}.resources",
        family=called.family(name),
        cpu=str(round(cpu * 1024)),
        memory=str(size // MIB),
        runtime_platform=[{"cpu_architecture": "ARM64" if app.cloud.compute.architecture == "arm" else "X86_64"}],
    )
    for colour in COLOURS:
        runs = f'{module}.aws_ecs_service.this["{colour}"]'
        refers = {
            "cluster": (CLUSTER,),
            "task_definition": (task,),
            "network_configuration.subnets": subnets(app, "private"),
            "network_configuration.security_groups": (group("app"),),
        }
        if service.kind == "web":
            refers["load_balancer.target_group_arn"] = (f'module.alb.aws_lb_target_group.this["{name}-{colour}"]',)
        yield planned(
            runs,
            where,
            refers,
            name=called.coloured(name, colour),
            desired_count=service.replicas if colour == BLUE and service.kind == "web" else 0,
            capacity_provider_strategy=_strategies(app, service),
            network_configuration=[{"assign_public_ip": False}],
            deployment_circuit_breaker=[{"enable": True, "rollback": False}],
            tags={"Name": called.coloured(name, colour), SERVICE: name, COLOUR: colour},
        )
        if service.scale is not None:
            yield _scaling(app, service.scale, name, colour, runs)


def _strategies(app: App, service: Service) -> list[dict[str, Any]]:
    least, spare = service.scale.min if service.scale else service.replicas, round(app.cloud.compute.spot)
    kept: dict[str, Any] = {"capacity_provider": "FARGATE", "base": least, "weight": 100 - spare}
    return [kept, {"capacity_provider": "FARGATE_SPOT", "base": 0, "weight": spare}] if spare else [kept]


def _scaling(app: App, scale: Scale, name: str, colour: str, runs: str) -> Resource:
    rests = colour != BLUE
    suspended = ("dynamic_scaling_in_suspended", "dynamic_scaling_out_suspended", "scheduled_scaling_suspended")
    called = places(app)
    return planned(
        f'module.service_{identifier(name)}.aws_appautoscaling_target.this["{colour}"]',
        f"services.{name}.scale",
        {"resource_id": (CLUSTER, runs)},
        resource_id=f"service/{called.prefix}/{called.coloured(name, colour)}",
        min_capacity=scale.min,
        max_capacity=scale.max,
        suspended_state=[dict.fromkeys(suspended, rests)],
    )


def _servers(app: App) -> Iterator[Resource]:
    """Hosts that stay, and their addresses."""
    compute, where = app.cloud.compute, "cloud.compute"
    template, log = "module.hosts.aws_launch_template.this", "module.hosts.aws_cloudwatch_log_group.this"
    yield planned(log, "cloud.logs.keep", name=places(app).hosts_log_group, retention_in_days=app.cloud.logs.keep)
    yield planned(
        template,
        where,
        name=prefix(app),
        block_device_mappings=[root_disk(gib(compute.disk))],
        metadata_options=[{"http_tokens": "required"}],
    )
    where_they_are = subnets(app, "public" if exposed(app) else "private")
    for host in counted("module.hosts.aws_instance.this", len(host_names(app))):
        refers = {
            "subnet_id": where_they_are,
            "vpc_security_group_ids": (group("app"),),
            "launch_template.id": (template,),
        }
        yield planned(host, where, refers, instance_type=compute.instance, associate_public_ip_address=exposed(app))
        if fixed(app):
            address = host.replace("aws_instance", "aws_eip")
            yield planned(address, f"{where}.address", {"instance": (host,)}, domain="vpc")


def _hosts(app: App) -> Iterator[Resource]:
    compute = app.cloud.compute
    template, where = "module.asg.aws_launch_template.this", "cloud.compute"
    card = {"associate_public_ip_address": str(exposed(app)).lower()}
    log = "module.asg.aws_cloudwatch_log_group.this"
    yield planned(log, "cloud.logs.keep", name=places(app).hosts_log_group, retention_in_days=app.cloud.logs.keep)
    yield planned(
        template,
        where,
        name=prefix(app),
        instance_type=compute.instance,
        network_interfaces=[card],
        block_device_mappings=[root_disk(gib(compute.disk))],
        metadata_options=[{"http_tokens": "required"}],
    )
    for name, service in app.services.items():  # one: `check` refuses more
        scale, two = service.scale, by_colour(app)
        stand = {
            "launch_template.id": (template,),
            "vpc_zone_identifier": subnets(app, "public" if exposed(app) else "private"),
        }
        yield planned(
            "module.asg.aws_autoscaling_group.this",
            where,
            stand,
            name=places(app).coloured(name, BLUE) if two else prefix(app),
            min_size=scale.min if scale else service.replicas,
            max_size=scale.max if scale else max(service.replicas, 1),
            desired_capacity=service.replicas,
        )
        if two:
            yield _green(app, name, service, stand)
            yield planned(
                "module.asg.aws_launch_template.releases[0]",
                where,
                name=f"{prefix(app)}-releases",
                instance_type=compute.instance,
                block_device_mappings=[{"device_name": "/dev/xvda", "ebs": [{"encrypted": "true"}]}],
                metadata_options=[{"http_tokens": "required"}],
            )
        if scale is not None and scale.cpu is not None:  # the alarm that takes hosts away
            for colour in COLOURS if two else (BLUE,):
                address = f'module.asg.aws_cloudwatch_metric_alarm.quiet["{colour}"]'
                yield planned(address, "services.scale", period=_HOST_PERIOD)


def _green(app: App, name: str, service: Service, stand: dict[str, tuple[str, ...]]) -> Resource:
    """The group that waits for a release."""
    return planned(
        "module.asg.aws_autoscaling_group.green[0]",
        "cloud.compute",
        stand,
        name=places(app).coloured(name, GREEN),
        min_size=0,
        max_size=service.scale.max if service.scale else max(service.replicas, 1),
        desired_capacity=0,
    )
