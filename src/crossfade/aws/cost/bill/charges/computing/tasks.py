"""Tasks of ECS on Fargate. Those on hosts of the cluster's own cost nothing beside the hosts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from crossfade.aws.cost.bill.charge import Amount, Charge, once, unpriced
from crossfade.aws.cost.bill.charges.computing.fleet import on_average, tasks
from crossfade.aws.cost.bill.charges.sizes import label
from crossfade.aws.cost.money import exact, plain
from crossfade.aws.resources.fleet import coloured
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})
_FREE_DISK = 20  # GB of each task: https://aws.amazon.com/fargate/pricing/
_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(vcpu|gb)?\s*", re.IGNORECASE)


def fargate(inventory: Inventory, service: Resource, usage: Month) -> Iterator[Charge]:
    task = next(iter(inventory.referred(service, "task_definition", "aws_ecs_task_definition")), None)
    if not _on_fargate(inventory, service, task):
        return
    count, name = tasks(inventory, service, usage), label(service)
    if not count.most:
        return  # the colour that rests: what is said of the line is said of the other
    cpu, memory = (_units(task.values.get(key)) if task else None for key in ("cpu", "memory"))
    if task is None or cpu is None or memory is None:
        yield _of_unknown_size(service, name, count.times(usage.hours))
        return
    size = f"{plain(cpu)} vCPU {plain(memory)} GB"
    kept, spare = _split(_strategy(inventory, service), count)
    count = kept + spare  # those on hosts of the cluster's own are in neither
    spot = "spot-arm" if kind_of(task) == "arm" else "spot"
    for kind, part in ((kind_of(task), kept), (spot, spare)):
        yield Charge(
            area="Compute",
            item=f"Fargate {name}{_SAID.get(kind, '')}, {size}",
            quantity=part.times(usage.hours),
            unit="task-hours",
            rate=((cpu, f"fargate.vcpu-hour.{kind}"), (memory, f"fargate.gb-hour.{kind}")),
            addresses=(service.address, task.address),
            assumes=on_average(part, "task"),
            usage=f"instances.{name}" if part.varies else "",
            beside=part if coloured(service) else None,
        )
    if hours := usage.jobs.get(name):
        kind = kind_of(task)
        yield Charge(
            area="Compute",
            item=f"Fargate {name}, jobs, {size}",
            quantity=Amount.of(hours),
            unit="task-hours",
            rate=((cpu, f"fargate.vcpu-hour.{kind}"), (memory, f"fargate.gb-hour.{kind}")),
            addresses=(task.address,),
            assumes="as often as they come, a minute each unless the usage says more",
            usage="jobs",
        )
    disk = exact(first(task.values, "ephemeral_storage", "size_in_gib") or 0) - _FREE_DISK
    if disk > 0:
        yield Charge(
            area="Compute",
            item="Fargate, temporary disks",
            quantity=count.times(disk).times(usage.hours),
            unit="GB-hours",
            rate=once("fargate.disk-gb-hour"),
            addresses=(service.address, task.address),
            note=f"the first {_FREE_DISK} GB of each task are free",
        )


_SAID = {"spot": ", spare capacity", "spot-arm": ", spare capacity", "windows": ", Windows"}


def kind_of(task: Resource) -> str:
    """How the prices of its cores and memory are called."""
    if str(first(task.values, "runtime_platform", "operating_system_family") or "").startswith("WINDOWS"):
        return "windows"
    return "arm" if first(task.values, "runtime_platform", "cpu_architecture") == "ARM64" else "x86"


def _on_fargate(inventory: Inventory, service: Resource, task: Resource | None) -> bool:
    """ECS takes EC2 for a service of which nobody says more, unless its task can run on Fargate only."""
    if service.values.get("scheduling_strategy") == "DAEMON":
        return False
    if strategy := _strategy(inventory, service):
        return not _FARGATE.isdisjoint(each.get("capacity_provider") for each in strategy)
    return bool(service.values.get("launch_type", "FARGATE" if on_fargate_alone(task) else "EC2") == "FARGATE")


def on_fargate_alone(task: Resource | None) -> bool:
    """Whether a task can run nowhere else."""
    return task is not None and set(task.values.get("requires_compatibilities") or ()) == {"FARGATE"}


def _strategy(inventory: Inventory, service: Resource) -> tuple[Mapping[str, Any], ...]:
    """What its tasks are spread over: its own, or the cluster's where it says neither that nor a launch type."""
    own = blocks(service.values, "capacity_provider_strategy")
    if own or service.values.get("launch_type"):
        return own
    return tuple(
        each
        for cluster in inventory.referred(service, "cluster", "aws_ecs_cluster")
        for providers in inventory.referring(cluster, "aws_ecs_cluster_capacity_providers")
        for each in blocks(providers.values, "default_capacity_provider_strategy")
    )


def _units(value: Any) -> Decimal | None:
    """VCPU or GB: 1024 is 1, and so are "1 vCPU" and "1 GB", which ECS takes as well."""
    found = _AMOUNT.fullmatch(str(value or ""))
    if found is None:
        return None
    number = exact(found[1])
    return number if found[2] else number / 1024


def _of_unknown_size(service: Resource, name: str, quantity: Amount) -> Charge:
    item, note = f"Fargate {name}, of an unknown size", "its task definition is not in the plan, or says no size"
    return unpriced("Compute", item, (service.address,), note, quantity=quantity, unit="task-hours")


def _split(strategy: Sequence[Mapping[str, Any]], count: Amount) -> tuple[Amount, Amount]:
    """Tasks on Fargate, and those on its spare capacity: what one provider's base leaves is spread by weight.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """
    if not strategy:
        return count, Amount.of(0)
    total = sum(exact(each.get("weight") or 0) for each in strategy)
    bases = sum(exact(each.get("base") or 0) for each in strategy)

    def part(name: str) -> Amount:
        weight, base = (
            sum((exact(each.get(key) or 0) for each in strategy if each.get("capacity_provider") == name), Decimal(0))
            for key in ("weight", "base")
        )
        share = weight / total if total else Decimal(len(strategy) == 1)
        return Amount(*(min(base, each) + max(each - bases, Decimal(0)) * share for each in ends))

    ends = (count.least, count.expected, count.most)
    return part("FARGATE"), part("FARGATE_SPOT")
