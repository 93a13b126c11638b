"""Services and hosts of a plan: how many, of which size, and how they are replaced."""

import math
from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.attributes import is_given
from crossfade.aws.audit.on_plan.network import is_target
from crossfade.aws.audit.on_plan.switch import is_on, number
from crossfade.aws.audit.on_plan.texts import containers
from crossfade.aws.resources.fleet import coloured, suspended, waits
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.fargate import FARGATE

_TWO = 2  # one that fails, and one that answers
_TWO_OF_ONE = 200  # percent
_STREAMS = ("aws_kinesis_stream", "aws_dynamodb_table", "aws_kinesis_stream_consumer")
_FEW = 4  # sizes that are listed one by one


def alone(inventory: Inventory) -> Iterator[Mark]:
    for service in inventory.of("aws_ecs_service"):
        if number(service.values.get("desired_count")) == 1:
            yield Mark(service.address, "desired_count is 1")
    for target in inventory.of("aws_appautoscaling_target"):
        least = number(target.values.get("min_capacity"))
        if suspended(target):
            continue  # it stays at what a deploy says: the colour that rests
        if least is not None and least < _TWO and target.values.get("service_namespace") == "ecs":
            yield Mark(target.address, f"min_capacity is {least}")
    for fleet in inventory.of("aws_autoscaling_group"):
        least = number(fleet.values.get("min_size"))
        if waits(fleet):
            continue
        if least is not None and least < _TWO and is_target(inventory, fleet):
            yield Mark(fleet.address, f"min_size is {least}")


def cannot_hold(inventory: Inventory) -> Iterator[Mark]:
    """AWS rounds the healthy up and the surge down: of one instance, 150 % is one instance."""
    for service in inventory.of("aws_ecs_service"):
        count = number(service.values.get("desired_count")) or 0
        least = number(service.values.get("deployment_minimum_healthy_percent", 100)) or 0
        most = number(service.values.get("deployment_maximum_percent", 200)) or 0
        needed, room = math.ceil(count * least / 100), count * most // 100
        if count and _rolls(service) and room <= needed:
            what = f"of {count}, {least} % healthy is {needed} and {most} % at most is {room}"
            yield Mark(service.address, f"{what}: nothing may stop and nothing may start")
    for fleet in inventory.of("aws_autoscaling_group"):
        hosts = number(fleet.values.get("desired_capacity", fleet.values.get("min_size")))
        if hosts == 1 and blocks(fleet.values, "instance_refresh"):
            most = number(first(fleet.values, "instance_refresh", "preferences", "max_healthy_percentage")) or 100
            if most < _TWO_OF_ONE:
                yield Mark(fleet.address, f"{most} % of one host is one: the only host stops before another one starts")


def _rolls(service: Resource) -> bool:
    by_ecs = (first(service.values, "deployment_controller", "type") or "ECS") == "ECS"
    return by_ecs and service.values.get("scheduling_strategy", "REPLICA") == "REPLICA"


def no_such_size(inventory: Inventory) -> Iterator[Mark]:
    for task in inventory.of("aws_ecs_task_definition"):
        if "FARGATE" not in (task.values.get("requires_compatibilities") or ()):
            continue
        cpu, memory = number(task.values.get("cpu")), number(task.values.get("memory"))
        if cpu is not None and memory is not None and memory not in FARGATE.get(cpu, ()):
            yield Mark(task.address, f"cpu {cpu} with memory {memory}{_instead(cpu)}")


def _instead(cpu: int) -> str:
    sizes = [str(size) for size in FARGATE.get(cpu, ())]
    if not sizes:
        return f"; cpu is one of {', '.join(map(str, FARGATE))}"
    return (
        f"; it takes {', '.join(sizes)}" if len(sizes) <= _FEW else f"; it takes {sizes[0]}, {sizes[1]} ... {sizes[-1]}"
    )


def hanging_hosts_stay(inventory: Inventory) -> Iterator[Mark]:
    for fleet in inventory.of("aws_autoscaling_group"):
        if is_target(inventory, fleet) and fleet.values.get("health_check_type", "EC2") == "EC2":
            yield Mark(fleet.address, "health_check_type is EC2, behind a load balancer")


def no_way_back(inventory: Inventory) -> Iterator[Mark]:
    for service in inventory.of("aws_ecs_service"):
        breaker = is_on(first(service.values, "deployment_circuit_breaker", "rollback"))
        if coloured(service):
            continue  # a deploy goes back to the other colour, with the release's own number
        if _rolls(service) and not breaker and not is_on(first(service.values, "alarms", "rollback")):
            yield Mark(service.address, "no deployment_circuit_breaker that rolls back")


def moving_tags(inventory: Inventory) -> Iterator[Mark]:
    for task in inventory.of("aws_ecs_task_definition"):
        for container in containers(task):
            image = str(container.get("image", ""))
            tag = image.rpartition("/")[2].partition(":")[2]
            if image and "@" not in image and tag in {"", "latest"}:
                yield Mark(task.address, f"runs {image}")


def come_again_and_again(inventory: Inventory) -> Iterator[Mark]:
    """What a function cannot handle: from a queue it returns for days, and in a stream all wait for it."""
    for mapping in inventory.of("aws_lambda_event_source_mapping"):
        for queue in inventory.referred(mapping, "event_source_arn", "aws_sqs_queue"):
            apart = is_given(queue, "redrive_policy") or inventory.referring(queue, "aws_sqs_queue_redrive_policy")
            if not apart:
                yield Mark(queue.address, "redrive_policy is not set: what fails comes again until it is too old")
        if any(inventory.referred(mapping, "event_source_arn", *_STREAMS)):
            tries = number(mapping.values.get("maximum_retry_attempts", -1))
            age = number(mapping.values.get("maximum_record_age_in_seconds", -1))
            if tries in {None, -1} and age in {None, -1}:
                yield Mark(mapping.address, "maximum_retry_attempts is not set: a record that fails holds up its shard")


CHECKS = {
    "CF-AVL-011": come_again_and_again,
    "CF-AVL-001": alone,
    "CF-AVL-002": cannot_hold,
    "CF-AVL-007": no_such_size,
    "CF-AVL-009": hanging_hosts_stay,
    "CF-AVL-010": no_way_back,
    "CF-IMG-004": moving_tags,
}
