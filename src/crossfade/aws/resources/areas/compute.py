"""What runs the services: tasks on Fargate or hosts of an Auto Scaling group, and where images are kept."""

from collections.abc import Iterator

from crossfade.aws.resources.areas.doors import group
from crossfade.aws.resources.areas.made import gib, made, root_disk, subnets
from crossfade.aws.resources.hosts import exposed, in_containers, on_hosts
from crossfade.aws.resources.names import identifier, prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App, Service

CLUSTER = "module.cluster.aws_ecs_cluster.this"
MIB = 1 << 20
_HOST_PERIOD = 300  # seconds between EC2's own figures


def compute(app: App) -> Iterator[Resource]:
    if on_hosts(app):
        yield from _hosts(app)
    else:
        insights = {"name": "containerInsights", "value": "enabled" if app.cloud.compute.insights else "disabled"}
        yield made(CLUSTER, "cloud.compute", name=prefix(app), setting=[insights])
        for name, service in app.services.items():
            yield from _service(app, name, service)
    for name, service in app.services.items():
        if in_containers(app, service):
            address = f"module.ecr_{identifier(name)}.aws_ecr_repository.this"
            yield made(address, "cloud.registry", name=f"{prefix(app)}/{name}")


def _service(app: App, name: str, service: Service) -> Iterator[Resource]:
    module, where, called = f"module.service_{identifier(name)}", f"services.{name}", f"{prefix(app)}-{name}"
    task, runs = f"{module}.aws_ecs_task_definition.this", f"{module}.aws_ecs_service.this"
    group_name = f"/ecs/{called}"
    log = f"{module}.aws_cloudwatch_log_group.this"
    yield made(log, "cloud.logs.keep", name=group_name, retention_in_days=app.cloud.logs.keep)
    size, cpu = service.resources.memory or 0, service.resources.cpu or 0
    yield made(
        task,
        f"{where}.resources",
        family=called,
        cpu=str(round(cpu * 1024)),
        memory=str(size // MIB),
        runtime_platform=[{"cpu_architecture": "ARM64" if app.cloud.compute.architecture == "arm" else "X86_64"}],
    )
    least = service.scale.min if service.scale else service.replicas
    spare = round(app.cloud.compute.spot)
    strategies = [{"capacity_provider": "FARGATE", "base": least, "weight": 100 - spare}]
    strategies += [{"capacity_provider": "FARGATE_SPOT", "base": 0, "weight": spare}] if spare else []
    refers = {
        "cluster": (CLUSTER,),
        "task_definition": (task,),
        "network_configuration.subnets": subnets(app, "private"),
        "network_configuration.security_groups": (group("app"),),
        "load_balancer.target_group_arn": (f'module.alb.aws_lb_target_group.this["{name}-blue"]',),
    }
    yield made(
        runs,
        where,
        refers,
        name=called,
        desired_count=service.replicas,
        capacity_provider_strategy=strategies,
        network_configuration=[{"assign_public_ip": False}],
    )
    if service.scale is not None:
        yield made(
            f"{module}.aws_appautoscaling_target.this[0]",
            f"{where}.scale",
            {"resource_id": (CLUSTER, runs)},
            resource_id=f"service/{prefix(app)}/{called}",
            min_capacity=service.scale.min,
            max_capacity=service.scale.max,
        )


def _hosts(app: App) -> Iterator[Resource]:
    compute = app.cloud.compute
    template, where = "module.asg.aws_launch_template.this", "cloud.compute"
    card = {"associate_public_ip_address": str(exposed(app)).lower()}
    log = "module.asg.aws_cloudwatch_log_group.this"
    yield made(log, "cloud.logs.keep", name=f"/{prefix(app)}/hosts", retention_in_days=app.cloud.logs.keep)
    yield made(
        template,
        where,
        name=prefix(app),
        instance_type=compute.instance,
        network_interfaces=[card],
        block_device_mappings=[root_disk(gib(compute.disk))],
        metadata_options=[{"http_tokens": "required"}],
    )
    for service in app.services.values():  # one: `check` refuses more
        scale = service.scale
        yield made(
            "module.asg.aws_autoscaling_group.this",
            where,
            {
                "launch_template.id": (template,),
                "vpc_zone_identifier": subnets(app, "public" if exposed(app) else "private"),
            },
            name=prefix(app),
            min_size=scale.min if scale else service.replicas,
            max_size=scale.max if scale else max(service.replicas, 1),
            desired_capacity=service.replicas,
        )
        if scale is not None and scale.cpu is not None:  # the alarm that takes hosts away
            yield made("module.asg.aws_cloudwatch_metric_alarm.quiet[0]", "services.scale", period=_HOST_PERIOD)
