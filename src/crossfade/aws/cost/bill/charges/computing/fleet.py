"""The number of what grows and shrinks: tasks of ECS services, hosts of Auto Scaling groups."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.fleet import rests, waits
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_SIZES = ("min", "desired", "max")


def tasks(inventory: Inventory, service: Resource, usage: Month) -> Amount:
    """Tasks of an ECS service: between the bounds of its scaling, as many as are wanted or used on average."""
    if rests(service):
        return Amount.of(0)
    wanted = _number(service.values.get("desired_count"), 1)
    average = said(service, usage.instances)
    bounds = next(iter(inventory.referring(service, "aws_appautoscaling_target")), None) or _by_name(inventory, service)
    if bounds is None:
        return Amount.of(wanted if average is None else average)
    least, most = (_number(bounds.values.get(f"{end}_capacity"), wanted) for end in ("min", "max"))
    return Amount.between(least, wanted if average is None else average, most)


def hosts(group: Resource, usage: Month) -> Amount:
    """Hosts of an Auto Scaling group."""
    if waits(group):
        return Amount.of(0)
    least, most = _number(group.values.get("min_size"), 0), _number(group.values.get("max_size"), 0)
    wanted = _number(group.values.get("desired_capacity"), least)
    average, each = said(group, usage.instances), weight(group)
    if each != 1:
        least, wanted, most = (ceil(units / each) for units in (least, wanted, most))
    return Amount.between(least, wanted if average is None else average, most)


def weight(group: Resource) -> float:
    """How many units of the group's size a host counts as: what the first class of its policy says.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups-instance-weighting.html
    """
    said = first(group.values, "mixed_instances_policy", "launch_template", "override", "weighted_capacity")
    return max(_number(said, 1), 1)


def nodes(group: Resource, usage: Month) -> Amount:
    """Nodes of a group of EKS."""
    least, wanted, most = (_number(first(group.values, "scaling_config", f"{each}_size"), 1) for each in _SIZES)
    average = said(group, usage.instances)
    return Amount.between(least, wanted if average is None else average, most)


def on_average(count: Amount, noun: str) -> str:
    """What the quantity of something that scales rests on."""
    if not count.varies:
        return ""
    many = "" if count.expected == 1 else "s"
    return f"{plain(count.expected)} {noun}{many} on average of {plain(count.least)} to {plain(count.most)}"


def said(resource: Resource, by_name: Mapping[str, Any]) -> Any:
    """What `cloud.usage` says about a resource: its entry is a name of the file, of which AWS's name is made."""
    names = [str(resource.values.get(key, "")) for key in ("name", "name_prefix", "bucket", "bucket_prefix")]
    words = " ".join([resource.address, *names]).replace("_", "-")
    found = [name for name in by_name if re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", words)]
    if found:
        return by_name[max(found, key=len)]
    # One service on hosts: its group is named after the app.
    alone = resource.type == "aws_autoscaling_group" and len(by_name) == 1
    return next(iter(by_name.values())) if alone else None


def _by_name(inventory: Inventory, service: Resource) -> Resource | None:
    """The scaling that names the service in its id: service/CLUSTER/NAME."""
    name = service.values.get("name")
    for target in inventory.of("aws_appautoscaling_target"):
        if name and str(target.values.get("resource_id", "")).endswith(f"/{name}"):
            return target
    return None


def _number(value: Any, default: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return default
