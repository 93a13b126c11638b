"""The way in and out: load balancer, NAT, endpoints, public addresses, what is sent."""

from collections.abc import Iterator
from decimal import Decimal

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.fleet import hosts, tasks
from crossfade.aws.cost.bill.charges.sizes import gigabytes
from crossfade.aws.cost.money import exact, plain
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

_ZONES = 2  # what a load balancer stands in at least


def network(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    yield from _balancers(inventory, usage)
    yield from _nat(inventory, usage)
    yield from _endpoints(inventory, usage)
    yield from _addresses(inventory, usage)
    yield from _traffic(inventory, usage)


def _balancers(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for balancer in inventory.of("aws_lb", "aws_alb"):
        if balancer.values.get("load_balancer_type", "application") != "application":
            continue
        yield Charge(
            area="Network",
            item="Load balancer",
            quantity=Amount.of(usage.hours),
            unit="hours",
            rate=once("alb.hour"),
            addresses=(balancer.address,),
        )
        yield Charge(
            area="Network",
            item="Load balancer, capacity",
            quantity=Amount.of(usage.lcu).times(usage.hours),
            unit="LCU-hours",
            rate=once("alb.lcu-hour"),
            addresses=(balancer.address,),
            assumes=f"{plain(exact(usage.lcu))} LCU on average",
            usage="lcu",
        )


def _nat(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for gateway in inventory.of("aws_nat_gateway"):
        yield Charge(
            area="Network",
            item="NAT gateway",
            quantity=Amount.of(usage.hours),
            unit="hours",
            rate=once("nat.hour"),
            addresses=(gateway.address,),
        )
        yield Charge(
            area="Network",
            item="NAT gateway, data",
            quantity=Amount.of(gigabytes(usage.nat)),
            unit="GB",
            rate=once("nat.gb"),
            addresses=(gateway.address,),
            assumes=f"{plain(gigabytes(usage.nat))} GB through each",
            usage="nat",
        )


def _endpoints(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for endpoint in inventory.of("aws_vpc_endpoint"):
        if endpoint.values.get("vpc_endpoint_type", "Gateway") != "Interface":
            continue
        zones = len(inventory.referred(endpoint, "subnet_ids", "aws_subnet")) or _given(endpoint, "subnet_ids") or 1
        yield Charge(
            area="Network",
            item="Endpoints",
            quantity=Amount.of(zones).times(usage.hours),
            unit="hours",
            rate=once("endpoint.hour"),
            addresses=(endpoint.address,),
        )


def _addresses(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    """Every public IPv4 address is billed, whatever holds it: https://aws.amazon.com/blogs/aws/new-aws-public-ipv4-address-charge-public-ip-insights/."""
    for count, holder in _holders(inventory, usage):
        if count.most:
            yield Charge(
                area="Network",
                item="Public IPv4 addresses",
                quantity=count.times(usage.hours),
                unit="hours",
                rate=once("public-ipv4.hour"),
                addresses=(holder.address,),
            )


def _holders(inventory: Inventory, usage: Usage) -> Iterator[tuple[Amount, Resource]]:
    for address in inventory.of("aws_eip"):
        yield Amount.of(1), address
    for balancer in inventory.of("aws_lb", "aws_alb"):
        if not balancer.values.get("internal"):
            subnets = inventory.referred(balancer, "subnets", "aws_subnet")
            yield Amount.of(len(subnets) or _given(balancer, "subnets") or _ZONES), balancer
    for instance in inventory.of("aws_instance"):
        if instance.values.get("associate_public_ip_address") or (
            instance.values.get("associate_public_ip_address") is None
            and _opens(inventory.referred(instance, "subnet_id", "aws_subnet"))
        ):
            yield Amount.of(1), instance
    for group in inventory.of("aws_autoscaling_group"):
        yield _of_hosts(inventory, group, usage), group
    for service in inventory.of("aws_ecs_service"):
        if first(service.values, "network_configuration", "assign_public_ip"):
            yield tasks(inventory, service, usage), service


def _of_hosts(inventory: Inventory, group: Resource, usage: Usage) -> Amount:
    """What its launch template says about addresses, else its subnets."""
    for template in inventory.referred(group, "launch_template.id", "aws_launch_template"):
        for interface in blocks(template.values, "network_interfaces"):
            if (public := interface.get("associate_public_ip_address")) is not None:
                return hosts(group, usage) if str(public).lower() == "true" else Amount.of(0)
    public = _opens(inventory.referred(group, "vpc_zone_identifier", "aws_subnet"))
    return hosts(group, usage) if public else Amount.of(0)


def _opens(subnets: tuple[Resource, ...]) -> bool:
    """Whether what starts there gets a public address without asking."""
    return any(subnet.values.get("map_public_ip_on_launch") for subnet in subnets)


def _given(resource: Resource, key: str) -> int:
    value = resource.values.get(key)
    return len(value) if isinstance(value, list | tuple) else 0


def _traffic(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    doors = [each for each in inventory.of("aws_lb", "aws_alb") if not each.values.get("internal")]
    doors += inventory.of("aws_instance") if not doors else ()
    if not doors:
        return
    addresses = tuple(door.address for door in doors)
    yield Charge(
        area="Network",
        item="Sent to the internet",
        quantity=Amount.of(gigabytes(usage.egress)),
        unit="GB",
        rate=once("egress.gb"),
        addresses=addresses,
        assumes=f"{plain(gigabytes(usage.egress))} GB",
        usage="egress",
    )
    yield Charge(
        area="Network",
        item="Between zones",
        quantity=Amount.of(gigabytes(usage.between_zones)),
        unit="GB",
        rate=((Decimal(2), "between-zones.gb"),),
        addresses=addresses,
        assumes=f"{plain(gigabytes(usage.between_zones))} GB, billed at both ends",
        usage="between_zones",
    )
