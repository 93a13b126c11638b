"""Hosts of EC2: alone, in Auto Scaling groups and as nodes of EKS; with their disks and what is watched of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from math import ceil
from typing import Any

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once, unpriced
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.computing.disks import of_host, of_template
from crossfade.aws.cost.bill.charges.computing.fleet import hosts, nodes, on_average, weight
from crossfade.aws.cost.bill.charges.sizes import label
from crossfade.aws.cost.money import exact
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_DETAILS = 7  # metrics of a host that is watched every minute: https://aws.amazon.com/cloudwatch/pricing/
_NODE = "t3.medium"  # what EKS takes when nobody names a class, and the size of the disk
_NODE_DISK, _WINDOWS_DISK = 20, 50
# Old classes for which a fast way to their disks costs extra: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html
_SLOW_DISKS = frozenset({"c1", "c3", "g2", "i2", "m1", "m2", "m3", "r3"})
_FREE_SYSTEMS = ("amazon-linux", "al2023", "ubuntu", "debian", "canonical", "/ecs/", "/eks/", "bottlerocket", "windows")
_HOSTS = frozenset({"host_id", "host_resource_group_arn"})
_PERHAPS = "perhaps"  # where an expression names a dedicated host, and may choose none
_TENANCIES = {"dedicated": ["dedicated"], "host": ["on a dedicated host"], _PERHAPS: ["perhaps on a dedicated host"]}
_BURST = frozenset({"t2", "t3", "t3a", "t4g"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    """How hosts are started: what decides their price."""

    kind: str | None
    spot: bool = False
    tenancy: str = "default"
    watched: bool = False
    fast_disks: bool = False
    bursts: Any = None  # what is said of credits: standard, unlimited, or nothing
    windows: bool = False
    image: str = ""  # one of which the plan does not say what runs in it

    @property
    def rate(self) -> str:
        if self.kind is None or self.tenancy == _PERHAPS:
            return UNPRICED
        if self.tenancy == "host":
            return "ec2.on-dedicated-host"
        if self.spot:
            return f"ec2.spot-hour.{self.kind}"
        shared = self.tenancy == "default"
        if self.windows:
            return f"ec2.windows-hour.{self.kind}" if shared else UNPRICED
        return f"ec2.hour.{self.kind}" if shared else f"ec2.{self.tenancy}-hour.{self.kind}"

    @property
    def unlimited(self) -> bool:
        """Whether bursts are billed: those of t2 when somebody asks for it, of its successors unless told not to."""
        usual = "standard" if self.family == "t2" else "unlimited"
        return self.family in _BURST and (self.bursts or usual) == "unlimited"

    @property
    def family(self) -> str:
        return (self.kind or "").partition(".")[0]

    @property
    def said(self) -> str:
        parts = [self.kind or "of an unknown class"]
        parts += ["spare capacity"] if self.spot else []
        parts += ["Windows"] if self.windows else []
        parts += _TENANCIES.get(self.tenancy, [])
        return ", ".join(parts)

    @property
    def note(self) -> str:
        if self.kind is None:
            return "its launch template is not in the plan, or names no class"
        if self.spot:
            return "spare capacity has a price that changes from hour to hour"
        if self.tenancy == "dedicated":
            return "dedicated hosts have prices of their own, and each region a fee of 2 dollars an hour"
        if self.tenancy == _PERHAPS:
            return "only the apply will tell whether it is on the dedicated host, which is billed instead"
        return f"as Linux: the plan does not say what {self.image} is" if self.image and not self.windows else ""


def group(inventory: Inventory, found: Resource, usage: Month) -> Iterator[Charge]:
    """An Auto Scaling group: each class of its policy, and the template's where there is none."""
    template, count = _template(inventory, found), hosts(found, usage)
    if not count.most and "max_size" in found.later:
        yield _as_many_as_told(found)
        return
    if not count.most:
        return  # the colour that waits: what is said of the line is said of the other
    host = _of_template(template)
    kept, spare, kinds, note = count, Amount.of(0), [host.kind], ""
    for policy in blocks(found.values, "mixed_instances_policy"):
        kept, spare = _split(policy, count, weight(found))
        overrides = [each for block in blocks(policy, "launch_template") for each in blocks(block, "override")]
        if any(each.get("instance_requirements") for each in overrides):
            kinds, note = [None], "classes are chosen by what they have"
        elif named := [each["instance_type"] for each in overrides if each.get("instance_type")]:
            kinds, note = named, "" if len(named) == 1 else f"the first of {len(named)} classes that it may take"
    addresses = (found.address, *((template.address,) if template else ()))
    for part, spot in ((kept, host.spot), (spare, True)):
        if part.most:
            each = replace(host, kind=kinds[0], spot=spot)
            yield from _running(each, f"Hosts {label(found)}", part, addresses, usage, note, "instances")
    if template:
        yield from of_host(*of_template(template.values), count, (template.address,), usage)


def _as_many_as_told(found: Resource) -> Charge:
    item = f"Hosts {label(found)}, nobody knows how many"
    return unpriced("Compute", item, (found.address,), "only the apply will tell max_size", unit="groups")


def node_group(inventory: Inventory, found: Resource, usage: Month) -> Iterator[Charge]:
    """Nodes that EKS starts."""
    template, count = _template(inventory, found), nodes(found, usage)
    kinds = found.values.get("instance_types") or ()
    host = _of_template(template) if template else _Host(kind=None)
    named = kinds[0] if kinds else host.kind or (None if blocks(found.values, "launch_template") else _NODE)
    spot = found.values.get("capacity_type") == "SPOT" or host.spot
    note = f"the first of {len(kinds)} classes that it may take" if len(kinds) > 1 else ""
    addresses = (found.address, *((template.address,) if template else ()))
    windows = str(found.values.get("ami_type", "")).startswith("WINDOWS") or host.windows
    each = replace(host, kind=named, spot=spot, windows=windows)
    yield from _running(each, f"Nodes {label(found)}", count, addresses, usage, note, "instances")
    if template is None and blocks(found.values, "launch_template"):
        item, note = f"Disks of nodes {label(found)}", _Host(kind=None).note
        yield unpriced("Compute", item, addresses, note, quantity=count, unit="disks")
        return
    root, further = of_template(template.values) if template else ([], [])
    size = found.values.get("disk_size") or (_WINDOWS_DISK if windows else _NODE_DISK)
    yield from of_host(root or [{"volume_size": size}], further, count, addresses, usage)


def instance(inventory: Inventory, found: Resource, usage: Month) -> Iterator[Charge]:
    """A host alone, or one that is asked for of spare capacity; what it does not say, its template does."""
    template = _template(inventory, found)
    base, values = _of_template(template) if template else _Host(kind=None), found.values
    market = first(values, "instance_market_options", "market_type")
    kind = values.get("instance_type") or base.kind
    host = _Host(
        kind=kind,
        spot=market == "spot" or base.spot or found.type == "aws_spot_instance_request",
        tenancy=_tenancy(found, values, "tenancy") or base.tenancy,
        watched=bool(values.get("monitoring")) or base.watched,
        fast_disks=bool(values.get("ebs_optimized")) or base.fast_disks,
        bursts=first(values, "credit_specification", "cpu_credits"),
        windows=_is_windows(values) or base.windows,
        image=_image(values) or base.image,
    )
    once_only = Amount.of(1)
    yield from _running(host, f"Host {label(found)}", once_only, (found.address,), usage, "", "")
    root, further = of_template(template.values) if template else ([], [])
    own = [*blocks(values, "root_block_device")]
    more = [*blocks(values, "ebs_block_device")]
    named = {each.get("device_name") for each in more}
    # What a template says of a disk counts unless the instance says it again.
    kept = [each for each in further if each.get("device_name") not in named or not each.get("device_name")]
    whose = template if template and root and not own else found
    told = "root_block_device.volume_size" not in found.later
    yield from of_host(own or root, [*more, *kept], once_only, (whose.address,), usage, told=told)


def _running(  # noqa: PLR0917  private, and all of a kind
    host: _Host, name: str, count: Amount, addresses: tuple[str, ...], usage: Month, note: str, key: str
) -> Iterator[Charge]:
    yield Charge(
        area="Compute",
        item=f"{name}, {host.said}",
        quantity=count.times(usage.hours),
        unit="hours",
        rate=once(host.rate),
        addresses=addresses,
        assumes=on_average(count, "host"),
        usage=key if count.varies else "",
        note=note if note and host.kind is None else "; ".join(filter(None, (host.note, note))),
    )
    if host.watched:
        yield Charge(
            area="Watching",
            item="Detailed metrics of hosts",
            quantity=count.times(_DETAILS),
            unit="metrics",
            rate=once("cloudwatch.metric-month"),
            addresses=addresses,
        )
    if host.fast_disks and host.family in _SLOW_DISKS:
        yield Charge(
            area="Compute",
            item=f"A fast way to disks, {host.kind}",
            quantity=count.times(usage.hours),
            unit="hours",
            rate=once(f"ec2.ebs-optimized-hour.{host.kind}"),
            addresses=addresses,
        )
    if host.unlimited:
        credit = f"ec2.cpu-credit-hour.{host.family}"
        yield used("Compute", "CPU beyond what hosts earn", credit, "vCPU-hours", addresses, usage)


def _of_template(template: Resource | None) -> _Host:
    """What a launch template or a launch configuration says."""
    if template is None:
        return _Host(kind=None)
    values, kind = template.values, template.values.get("instance_type")
    old = template.type == "aws_launch_configuration"
    market = first(values, "instance_market_options", "market_type")
    placement = values if old else next(iter(blocks(values, "placement")), {})
    watched = values.get("enable_monitoring", True) if old else first(values, "monitoring", "enabled")
    return _Host(
        kind=kind,
        spot=bool(values.get("spot_price")) if old else market == "spot",
        tenancy=_tenancy(template, placement, "placement_tenancy" if old else "tenancy") or "default",
        watched=bool(watched),
        fast_disks=str(values.get("ebs_optimized", "")).lower() == "true",
        bursts=first(values, "credit_specification", "cpu_credits"),
        windows=_is_windows(values),
        image=_image(values),
    )


def _is_windows(values: Mapping[str, Any]) -> bool:
    """By its image's name; only Windows has a password to be fetched."""
    return bool(values.get("get_password_data")) or "windows" in _named_image(values)


def _image(values: Mapping[str, Any]) -> str:
    """An image that may be of any system, and cost more: the number of one, or the name of a parameter of one's own."""
    name = _named_image(values)
    return "" if not name or any(word in name for word in _FREE_SYSTEMS) else name


def _named_image(values: Mapping[str, Any]) -> str:
    return str(values.get("ami") or values.get("image_id") or "").lower()


def _tenancy(resource: Resource, said: Mapping[str, Any], key: str) -> str:
    """On whose hardware; who names a dedicated host, be it one of the same plan, has its tenancy without saying so."""
    if any(said.get(each) for each in _HOSTS):
        return "host"
    paths = {path for path in (*resource.later, *resource.refers) if path.removeprefix("placement.") in _HOSTS}
    chosen = paths & resource.mixed  # `var.dedicated ? aws_ec2_host.a.id : null`
    if paths - chosen or any(each.endswith("]") for path in chosen for each in resource.refers.get(path, ())):
        return "host"  # one of several, or one that is made for the same reason as it is chosen
    return _PERHAPS if any(path in resource.refers for path in chosen) else str(said.get(key) or "")


def _split(policy: Any, count: Amount, each: float) -> tuple[Amount, Amount]:
    """Hosts on demand and on spare capacity; beyond the base a share of them, rounded up, is on demand."""
    base = exact(ceil((first(policy, "instances_distribution", "on_demand_base_capacity") or 0) / each))
    percent = first(policy, "instances_distribution", "on_demand_percentage_above_base_capacity")
    share = exact(100 if percent is None else percent) / 100

    def on_demand(number: Decimal) -> Decimal:
        beyond = max(number - base, Decimal(0)) * share
        return min(number, base) + (beyond.to_integral_value(ROUND_CEILING) if number == int(number) else beyond)

    kept = Amount(*(on_demand(each) for each in (count.least, count.expected, count.most)))
    ends = ("least", "expected", "most")
    return kept, Amount(*(getattr(count, end) - getattr(kept, end) for end in ends))


def _template(inventory: Inventory, found: Resource) -> Resource | None:
    """What its hosts are made from, wherever it is named: in a block, or deep in a policy of mixed classes."""
    for key in found.refers:
        for each in inventory.referred(found, key, "aws_launch_template", "aws_launch_configuration"):
            return each
    return None
