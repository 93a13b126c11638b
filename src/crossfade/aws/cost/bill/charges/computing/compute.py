"""Charges of compute: Fargate tasks, hosts, their disks, and where images are kept."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.computing.begun import begun
from crossfade.aws.cost.bill.charges.computing.disks import disks
from crossfade.aws.cost.bill.charges.computing.instances import group, instance, node_group
from crossfade.aws.cost.bill.charges.computing.tasks import fargate
from crossfade.aws.cost.bill.charges.sizes import gigabytes
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.month import Month


def compute(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for kind, reckoned in (
        ("aws_ecs_service", fargate),
        ("aws_autoscaling_group", group),
        ("aws_instance", instance),
        ("aws_spot_instance_request", instance),
        ("aws_eks_node_group", node_group),
    ):
        for found in inventory.of(kind):
            yield from reckoned(inventory, found, usage)
    yield from begun(inventory, usage)
    for volume in inventory.of("aws_ebs_volume"):
        values = volume.values
        disk = {"volume_size": values.get("size"), "volume_type": values.get("type"), **values}
        yield from disks(disk, Amount.of(1), (volume.address,), usage)
    for repositories in inventory.apart("aws_ecr_repository"):
        size, many = plain(gigabytes(usage.images)), len(repositories)
        yield Charge(
            area="Compute",
            item="Images in ECR",
            quantity=Amount.of(gigabytes(usage.images) * many),
            unit="GB-months",
            rate=once("ecr.gb-month"),
            addresses=tuple(each.address for each in repositories),
            assumes=f"{size} GB for each of {many}" if many > 1 else f"{size} GB",
            usage="images",
        )
