"""The way in and out: load balancer, NAT, endpoints, public addresses, what is sent."""

from collections.abc import Iterator
from decimal import Decimal

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.computing.fleet import hosts, nodes, tasks
from crossfade.aws.cost.bill.charges.sizes import gigabytes
from crossfade.aws.cost.money import exact, plain
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.subnets import SUBNETS, in_default_subnet, opens
from crossfade.file.cloud.month import Month

_ZONES = 2  # what a load balancer stands in at least
# A load balancer's kind: what a bill calls it, how its prices begin, and what its capacity is counted in.
_KINDS = {
    "application": ("Load balancer", "alb", "LCU"),
    "network": ("Network load balancer", "nlb", "NLCU"),
    "gateway": ("Gateway load balancer", "gwlb", "GLCU"),
}
# What sends to the internet without a balancer or a host that is alone: billed by the GB like those.
# https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer, https://aws.amazon.com/api-gateway/pricing/, https://aws.amazon.com/s3/pricing/
_SENDERS = (
    *("aws_nat_gateway", "aws_vpn_connection", "aws_ec2_client_vpn_endpoint", "aws_globalaccelerator_accelerator"),
    *("aws_api_gateway_rest_api", "aws_apigatewayv2_api", "aws_lambda_function_url", "aws_appsync_graphql_api"),
    *("aws_s3_bucket_website_configuration", "aws_transfer_server"),
)
_RUNNERS = frozenset({"aws_autoscaling_group", "aws_eks_node_group", "aws_ecs_service"})  # with public addresses
_HOSTS = ("aws_instance", "aws_spot_instance_request")
_HOURLY = ("Interface", "GatewayLoadBalancer")


def network(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    yield from _balancers(inventory, usage)
    yield from _nat(inventory, usage)
    yield from _endpoints(inventory, usage)
    yield from _addresses(inventory, usage)
    yield from _traffic(inventory, usage)


def _balancers(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for balancer in inventory.of("aws_lb", "aws_alb"):
        kind = balancer.values.get("load_balancer_type", "application")
        name, short, unit = _KINDS.get(kind, (f"Load balancer, {kind}", UNPRICED, "LCU"))
        yield Charge(
            area="Network",
            item=name,
            quantity=Amount.of(usage.hours),
            unit="hours",
            rate=once(f"{short}.hour" if short != UNPRICED else short),
            addresses=(balancer.address,),
        )
        yield Charge(
            area="Network",
            item=f"{name}, capacity",
            quantity=Amount.of(usage.lcu).times(usage.hours),
            unit=f"{unit}-hours",
            rate=once(f"{short}.lcu-hour" if short != UNPRICED else short),
            addresses=(balancer.address,),
            assumes=f"{plain(exact(usage.lcu))} {unit} on average",
            usage="lcu",
        )
    for balancer in inventory.of("aws_elb"):
        yield Charge(
            area="Network",
            item="Classic load balancer",
            quantity=Amount.of(usage.hours),
            unit="hours",
            rate=once("clb.hour"),
            addresses=(balancer.address,),
        )
        yield used("Network", "Classic load balancer, data", "clb.gb", "GB", (balancer.address,), usage)


def _nat(inventory: Inventory, usage: Month) -> Iterator[Charge]:
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


def _endpoints(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    """Gateways to S3 and DynamoDB are free: https://aws.amazon.com/privatelink/pricing/."""
    found = [each for each in inventory.of("aws_vpc_endpoint") if _kind(each) != "Gateway"]
    for endpoint in found:
        # What is configured of a subnet is of one that stands in the list as well, or of one that stands only there.
        named = len(inventory.referred(endpoint, "subnet_ids", *SUBNETS)) or _given(endpoint, "subnet_ids")
        zones = max(named, len(blocks(endpoint.values, "subnet_configuration")), 1)
        yield Charge(
            area="Network",
            item="Endpoints" if _kind(endpoint) == "Interface" else f"Endpoints, {_kind(endpoint)}",
            quantity=Amount.of(zones).times(usage.hours),
            unit="hours",
            rate=once("endpoint.hour" if _kind(endpoint) in _HOURLY else UNPRICED),
            addresses=(endpoint.address,),
        )
    for own, item, key in (
        (False, "Endpoints, data", "endpoint.gb"),
        (True, "Endpoints, GatewayLoadBalancer, data", "endpoint.gwlb-gb"),
    ):
        if addresses := tuple(each.address for each in found if (_kind(each) == "GatewayLoadBalancer") is own):
            yield used("Network", item, key, "GB", addresses, usage)


def _kind(endpoint: Resource) -> str:
    return str(endpoint.values.get("vpc_endpoint_type", "Gateway"))


def _addresses(inventory: Inventory, usage: Month) -> Iterator[Charge]:
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


def _holders(inventory: Inventory, usage: Month) -> Iterator[tuple[Amount, Resource]]:
    """Each address once: an elastic address that is given to a host takes the place of the host's own."""
    yield from _held_by_doors(inventory)
    taken = _with_elastic(inventory)
    for instance in inventory.of(*_HOSTS):
        if instance.address not in taken and _opened(inventory, instance):
            yield Amount.of(1), instance
    for group in inventory.of("aws_autoscaling_group"):
        yield _of_hosts(inventory, group, usage), group
    for group in inventory.of("aws_eks_node_group"):
        if opens(inventory.referred(group, "subnet_ids", *SUBNETS)):
            yield nodes(group, usage), group
    for service in inventory.of("aws_ecs_service"):
        if first(service.values, "network_configuration", "assign_public_ip"):
            yield tasks(inventory, service, usage), service
    for database in inventory.of("aws_db_instance"):
        if database.values.get("publicly_accessible"):
            yield Amount.of(1), database


def _held_by_doors(inventory: Inventory) -> Iterator[tuple[Amount, Resource]]:
    for address in inventory.of("aws_eip"):
        brought = address.values.get("public_ipv4_pool", "amazon") != "amazon"
        if not brought and not address.values.get("customer_owned_ipv4_pool"):
            yield Amount.of(1), address
    for balancer in inventory.of("aws_lb", "aws_alb", "aws_elb"):
        if _is_outside(balancer):
            yield Amount.of(_of_balancer(inventory, balancer)), balancer
    for gateway in inventory.of("aws_nat_gateway"):
        given = bool(gateway.values.get("allocation_id")) + _given(gateway, "secondary_allocation_ids")
        made = sum(
            len(inventory.referred(gateway, key, "aws_eip")) for key in ("allocation_id", "secondary_allocation_ids")
        )
        if given > made:
            yield Amount.of(given - made), gateway


def _opened(inventory: Inventory, instance: Resource) -> bool:
    """Whether a host gets a public address: it says so, or else its subnet does."""
    asked = instance.values.get("associate_public_ip_address")
    if asked is None:
        return in_default_subnet(instance) or opens(inventory.referred(instance, "subnet_id", *SUBNETS))
    return bool(asked)


def _is_outside(balancer: Resource) -> bool:
    kind = balancer.values.get("load_balancer_type")
    private = balancer.values.get("ip_address_type") == "dualstack-without-public-ipv4"
    return not balancer.values.get("internal") and not private and kind != "gateway"


def _of_balancer(inventory: Inventory, balancer: Resource) -> int:
    """One in each zone. A network load balancer may be given elastic ones, which are counted where they are made."""
    mappings = blocks(balancer.values, "subnet_mapping")
    if mappings:
        made = inventory.referred(balancer, "subnet_mapping.allocation_id", "aws_eip")
        return max(0, len(mappings) - len(made))
    subnets = inventory.referred(balancer, "subnets", *SUBNETS)
    return len(subnets) or _given(balancer, "subnets") or _given(balancer, "availability_zones") or _ZONES


def _with_elastic(inventory: Inventory) -> frozenset[str]:
    """Instances that an elastic address is given to."""
    given = (
        each.address
        for holder in inventory.of("aws_eip", "aws_eip_association")
        for key in ("instance", "instance_id", "network_interface", "network_interface_id")
        for each in inventory.referred(holder, key, *_HOSTS)
    )
    return frozenset(given)


def _of_hosts(inventory: Inventory, group: Resource, usage: Month) -> Amount:
    """What its launch template says about addresses, else its subnets."""
    for template in _templates(inventory, group):
        if template.type == "aws_launch_configuration":
            if (public := template.values.get("associate_public_ip_address")) is not None:
                return hosts(group, usage) if public else Amount.of(0)
            continue
        for interface in blocks(template.values, "network_interfaces"):
            if (public := interface.get("associate_public_ip_address")) is not None:
                return hosts(group, usage) if str(public).lower() == "true" else Amount.of(0)
    public = opens(inventory.referred(group, "vpc_zone_identifier", *SUBNETS))
    return hosts(group, usage) if public else Amount.of(0)


def _templates(inventory: Inventory, group: Resource) -> Iterator[Resource]:
    for key in group.refers:
        yield from inventory.referred(group, key, "aws_launch_template", "aws_launch_configuration")


def _given(resource: Resource, key: str) -> int:
    value = resource.values.get(key)
    return len(value) if isinstance(value, list | tuple) else 0


def _ways_out(inventory: Inventory, usage: Month) -> Iterator[Resource]:
    """What answers visitors; where nothing does, hosts, and else whatever else sends to the internet."""
    balancers = [each for each in inventory.of("aws_lb", "aws_alb", "aws_elb") if _is_outside(each)]
    if found := balancers or list(inventory.of(*_HOSTS)):
        yield from found
        return
    yield from inventory.of(*_SENDERS)
    yield from (holder for count, holder in _holders(inventory, usage) if count.most and holder.type in _RUNNERS)


def _traffic(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    doors = list(_ways_out(inventory, usage))
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
