"""What runs the services: Fargate tasks, hosts, their disks, and where images are kept."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.cost.bill.charges.fleet import hosts, tasks
from crossfade.aws.cost.bill.charges.sizes import gigabytes, label
from crossfade.aws.cost.money import exact, plain
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

_ROOT_DISK = 8  # GB, what Amazon Linux's image asks for when nobody says otherwise
_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})


def compute(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for service in inventory.of("aws_ecs_service"):
        yield from _fargate(inventory, service, usage)
    for group in inventory.of("aws_autoscaling_group"):
        yield from _group(inventory, group, usage)
    for instance in inventory.of("aws_instance"):
        yield from _instance(inventory, instance, usage)
    for volume in inventory.of("aws_ebs_volume"):
        size = Amount.of(volume.values.get("size", _ROOT_DISK))
        yield _disk(size, volume.values.get("type") or "gp2", (volume.address,))
    repositories = tuple(repository.address for repository in inventory.of("aws_ecr_repository"))
    if repositories:
        yield Charge(
            area="Compute",
            item="Images in ECR",
            quantity=Amount.of(gigabytes(usage.images) * len(repositories)),
            unit="GB-months",
            rate=once("ecr.gb-month"),
            addresses=repositories,
            assumes=f"{plain(gigabytes(usage.images))} GB for each of {len(repositories)}"
            if len(repositories) > 1
            else f"{plain(gigabytes(usage.images))} GB",
            usage="images",
        )


def _fargate(inventory: Inventory, service: Resource, usage: Usage) -> Iterator[Charge]:
    task = next(iter(inventory.referred(service, "task_definition", "aws_ecs_task_definition")), None)
    if not _on_fargate(service, task):
        return
    count, name = tasks(inventory, service, usage), label(service)
    if task is None or not task.values.get("cpu"):
        yield _of_unknown_size(service, name, count.times(usage.hours))
        return
    cpu, memory = exact(task.values["cpu"]) / 1024, exact(task.values["memory"]) / 1024
    arm = first(task.values, "runtime_platform", "cpu_architecture") == "ARM64"
    kept, spare = _split(service, count)
    for kind, part in (("arm" if arm else "x86", kept), ("spot", spare)):
        yield Charge(
            area="Compute",
            item=f"Fargate {name}{', spare capacity' if kind == 'spot' else ''}, {plain(cpu)} vCPU {plain(memory)} GB",
            quantity=part.times(usage.hours),
            unit="task-hours",
            rate=((cpu, f"fargate.vcpu-hour.{kind}"), (memory, f"fargate.gb-hour.{kind}")),
            addresses=(service.address, task.address),
            assumes=_on_average(part, "task"),
            usage=f"instances.{name}" if part.varies else "",
        )


def _on_fargate(service: Resource, task: Resource | None) -> bool:
    """False for tasks on hosts of the cluster's own, which are billed as hosts."""
    providers = {each.get("capacity_provider") for each in blocks(service.values, "capacity_provider_strategy")}
    if providers:
        return not providers.isdisjoint(_FARGATE)
    runs_on = task.values.get("requires_compatibilities") if task else None
    return service.values.get("launch_type", "FARGATE") == "FARGATE" and (not runs_on or "FARGATE" in runs_on)


def _of_unknown_size(service: Resource, name: str, quantity: Amount) -> Charge:
    return Charge(
        area="Compute",
        item=f"Fargate {name}, of an unknown size",
        quantity=quantity,
        unit="task-hours",
        rate=once(UNPRICED),
        addresses=(service.address,),
    )


def _split(service: Resource, count: Amount) -> tuple[Amount, Amount]:
    """Tasks on Fargate, and those on spare capacity: above the base they are spread by weight."""
    strategies = {each.get("capacity_provider"): each for each in blocks(service.values, "capacity_provider_strategy")}
    weights = {name: exact(each.get("weight") or 0) for name, each in strategies.items()}
    total = sum(weights.values())
    if "FARGATE_SPOT" not in strategies or not total:
        return count, Amount.of(0)
    base = exact(strategies.get("FARGATE", {}).get("base") or 0)
    share = weights["FARGATE_SPOT"] / total
    spare = Amount(*(max(each - base, Decimal(0)) * share for each in (count.least, count.expected, count.most)))
    return Amount(*(getattr(count, end) - getattr(spare, end) for end in ("least", "expected", "most"))), spare


def _group(inventory: Inventory, group: Resource, usage: Usage) -> Iterator[Charge]:
    template, count = _template(inventory, group), hosts(group, usage)
    kind = template.values.get("instance_type") if template else None
    yield Charge(
        area="Compute",
        item=f"Hosts {label(group)}, {kind or 'of an unknown class'}",
        quantity=count.times(usage.hours),
        unit="hours",
        rate=once(f"ec2.hour.{kind}" if kind else UNPRICED),
        addresses=(group.address, *((template.address,) if template else ())),
        assumes=_on_average(count, "host"),
        usage="instances" if count.varies else "",
    )
    if template:
        yield from _disks(template, count)


def _disks(template: Resource, count: Amount) -> Iterator[Charge]:
    """Those that each host of a template gets."""
    for device in blocks(template.values, "block_device_mappings"):
        size = first(device, "ebs", "volume_size")
        if size:
            kind = first(device, "ebs", "volume_type") or "gp2"
            yield _disk(count.times(size), kind, (template.address,))


def _template(inventory: Inventory, hosts_or_host: Resource) -> Resource | None:
    """What its hosts are made from, wherever it is named: in a block, or deep in a policy of mixed classes."""
    for key in hosts_or_host.refers:
        for found in inventory.referred(hosts_or_host, key, "aws_launch_template", "aws_launch_configuration"):
            return found
    return None


def _instance(inventory: Inventory, instance: Resource, usage: Usage) -> Iterator[Charge]:
    template = _template(inventory, instance)
    kind = instance.values.get("instance_type") or (template and template.values.get("instance_type"))
    yield Charge(
        area="Compute",
        item=f"Host {label(instance)}, {kind or 'of an unknown class'}",
        quantity=Amount.of(usage.hours),
        unit="hours",
        rate=once(f"ec2.hour.{kind}" if kind else UNPRICED),
        addresses=(instance.address,),
    )
    own = blocks(instance.values, "root_block_device")
    for device in (*own, *blocks(instance.values, "ebs_block_device")):
        size = Amount.of(device.get("volume_size") or _ROOT_DISK)
        yield _disk(size, device.get("volume_type") or "gp2", (instance.address,))
    if template and blocks(template.values, "block_device_mappings") and not own:
        yield from _disks(template, Amount.of(1))
    elif not own:
        yield _disk(Amount.of(_ROOT_DISK), "gp2", (instance.address,))


def _disk(size: Amount, kind: Any, addresses: tuple[str, ...]) -> Charge:
    return Charge(
        area="Compute",
        item=f"Disks, {kind}",
        quantity=size,
        unit="GB-months",
        rate=once(f"ebs.gb-month.{kind}"),
        addresses=addresses,
    )


def _on_average(count: Amount, noun: str) -> str:
    if not count.varies:
        return ""
    many = "" if count.expected == 1 else "s"
    return f"{plain(count.expected)} {noun}{many} on average of {plain(count.least)} to {plain(count.most)}"
