"""Disks of EBS: their size, and what is provisioned beyond what a kind of disk has by itself.

https://aws.amazon.com/ebs/pricing/: gp3 has 3,000 IOPS and 125 MB/s by itself; of io1 and io2 each IOPS is billed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.money import exact
from crossfade.aws.resources.inventory import blocks
from crossfade.file.cloud.month import Month

ROOT = 8  # GB, what Amazon Linux's image asks for when nobody says otherwise
_DEFAULT = "gp2"
_IOPS = {"gp3": 3000, "io1": 0, "io2": 0}
_THROUGHPUT = 125  # MB/s of a gp3 disk
_IO2 = (32_000, 64_000)  # IOPS at io2's full price, and at the next one: the more there are the less each costs
_ROOT_NAMES = frozenset({"/dev/xvda", "/dev/sda1", None, ""})

Disk = Mapping[str, Any]


def of_template(template: Mapping[str, Any]) -> tuple[list[Disk], list[Disk]]:
    """What a launch template or configuration says of the root disk and of others; what is left out is the image's."""
    mapped = [
        (each.get("device_name"), next(iter(blocks(each, "ebs")), {}))
        for each in blocks(template, "block_device_mappings")
        if not each.get("no_device") and not each.get("virtual_name")
    ]
    root = [*blocks(template, "root_block_device"), *(disk for name, disk in mapped if name in _ROOT_NAMES)]
    further = [*blocks(template, "ebs_block_device"), *(disk for name, disk in mapped if name not in _ROOT_NAMES)]
    return root, [each for each in further if not each.get("no_device")]


def of_host(
    root: Sequence[Disk],
    further: Sequence[Disk],
    hosts: Amount,
    addresses: tuple[str, ...],
    usage: Month,
    *,
    told: bool = True,
) -> Iterator[Charge]:
    """The disks of so many hosts. A root disk without a size has the image's, unless only the apply tells it."""
    for disk in root or ({},):
        if not told:
            yield from disks(disk, hosts, addresses, usage)
            continue
        noted = "" if disk.get("volume_size") else f"the image's own size, assumed to be {ROOT} GB"
        yield from disks({"volume_size": ROOT, **_known(disk)}, hosts, addresses, usage, noted)
    for disk in further:
        yield from disks(disk, hosts, addresses, usage)


def disks(disk: Disk, count: Amount, addresses: tuple[str, ...], usage: Month, note: str = "") -> Iterator[Charge]:
    """So many disks of a kind: `volume_size`, `volume_type`, `iops`, `throughput`."""
    size, kind = disk.get("volume_size"), disk.get("volume_type") or (_DEFAULT if not disk.get("iops") else "io1")
    yield Charge(
        area="Compute",
        item=f"Disks, {kind}" if size else f"Disks, {kind}, of an unknown size",
        quantity=count.times(size or 1),
        unit="GB-months",
        rate=once(f"ebs.gb-month.{kind}" if size else UNPRICED),
        addresses=addresses,
        note=note if size else "the plan does not say its size; what is made from a snapshot is as large as that",
    )
    iops = max(0, int(disk.get("iops") or 0) - _IOPS.get(kind, 0)) if kind in _IOPS else 0
    first, second, third = _tiers(iops) if kind == "io2" else (iops, 0, 0)
    through = max(0, int(disk.get("throughput") or 0) - _THROUGHPUT) if kind == "gp3" else 0
    for item, each, unit, key in (
        (f"Disks, {kind}, IOPS", first, "IOPS-months", f"ebs.iops-month.{kind}"),
        (f"Disks, {kind}, IOPS beyond 32,000", second, "IOPS-months", f"ebs.iops-month.{kind}-beyond"),
        (f"Disks, {kind}, IOPS beyond 64,000", third, "IOPS-months", f"ebs.iops-month.{kind}-beyond-64000"),
        (f"Disks, {kind}, throughput", through, "MB/s-months", f"ebs.mbps-month.{kind}"),
    ):
        if each:
            yield Charge(
                area="Compute",
                item=item,
                quantity=count.times(exact(each)),
                unit=unit,
                rate=once(key),
                addresses=addresses,
            )

    if kind == "standard":
        yield used("Compute", "Disks, standard, requests", "ebs.io-1m.standard", "1,000,000 requests", addresses, usage)


def _tiers(iops: int) -> tuple[int, int, int]:
    first, second = (min(iops, end) for end in _IO2)
    return first, second - first, iops - second


def _known(disk: Disk) -> dict[str, Any]:
    return {key: value for key, value in disk.items() if value not in (None, 0, "")}
