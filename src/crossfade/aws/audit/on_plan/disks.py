"""Disks of a plan's hosts, and whether who gets hold of one can read it."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

_COPIES = ("aws_ebs_volume", "aws_ebs_snapshot_copy", "aws_ami_copy")


def plain_disks(inventory: Inventory) -> Iterator[Mark]:
    """None where encryption by default covers all of a region."""
    switches = inventory.of("aws_ebs_encryption_by_default")
    covered = {one.region for one in switches if one.values.get("enabled", True) is not False}
    for volume in inventory.of(*_COPIES):
        if not is_on(volume.values.get("encrypted")) and volume.region not in covered:
            yield Mark(volume.address, "encrypted is not true")
    for host in inventory.of("aws_instance", "aws_launch_configuration", "aws_spot_instance_request"):
        if host.region not in covered:
            yield from _of_host(host)
    for template in inventory.of("aws_launch_template"):
        if template.region in covered:
            continue
        disks = blocks(template.values, "block_device_mappings")
        plain = not all(is_on(first(disk, "ebs", "encrypted")) for disk in disks)
        if plain or (not disks and not _own_disks(inventory, template)):
            yield Mark(template.address, "the disks of its hosts are not encrypted")


def _of_host(host: Resource) -> Iterator[Mark]:
    """A host takes its root from its template where it says nothing itself. Other disks are always its own."""
    root = blocks(host.values, "root_block_device")
    if not is_on(first(host.values, "root_block_device", "encrypted")) and (
        root or not blocks(host.values, "launch_template")
    ):
        yield Mark(host.address, "its root_block_device is not encrypted")
    for disk in blocks(host.values, "ebs_block_device"):
        if not is_on(disk.get("encrypted")) and not is_on(disk.get("no_device")):
            yield Mark(host.address, f"its disk {disk.get('device_name', '')} is not encrypted")


def _own_disks(inventory: Inventory, template: Resource) -> bool:
    """True when whoever uses a template says what its disks are."""
    users = inventory.referring(template, "aws_instance", "aws_autoscaling_group")
    return bool(users) and all(blocks(user.values, "root_block_device") for user in users)


CHECKS = {"CF-DAT-013": plain_disks}
