"""Tasks on Fargate that a rule or a schedule begins: paid by the second, and no plan knows for how many."""

from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.cost.bill.charge import Charge
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.computing.tasks import kind_of, on_fargate_alone
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month


def begun(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    found: dict[str, list[str]] = {}
    for holder, key, begins in _targets(inventory):
        task = next(iter(inventory.referred(holder, f"{key}.task_definition_arn", "aws_ecs_task_definition")), None)
        if _on_fargate(begins, task):
            kind = kind_of(task) if task else "x86"
            found.setdefault(kind, []).append(holder.address)
    for kind, addresses in found.items():
        for what, price, unit in (("cores", "vcpu-hour", "vCPU-hours"), ("memory", "gb-hour", "GB-hours")):
            item, whose = f"Fargate tasks that rules begin, {what}", tuple(addresses)
            yield used("Compute", item, f"fargate.{price}.{kind}", unit, whose, usage)


def _targets(inventory: Inventory) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for target in inventory.of("aws_cloudwatch_event_target"):
        for begins in blocks(target.values, "ecs_target"):
            yield target, "ecs_target", begins
    for schedule in inventory.of("aws_scheduler_schedule"):
        for target_block in blocks(schedule.values, "target"):
            for begins in blocks(target_block, "ecs_parameters"):
                yield schedule, "target.ecs_parameters", begins


def _on_fargate(begins: Mapping[str, Any], task: Resource | None) -> bool:
    providers = {str(each.get("capacity_provider")) for each in blocks(begins, "capacity_provider_strategy")}
    if begins.get("launch_type") or providers:
        return begins.get("launch_type") == "FARGATE" or any(each.startswith("FARGATE") for each in providers)
    return on_fargate_alone(task)
