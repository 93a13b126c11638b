"""What of a plan the world can reach, and what stops when one zone does."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.groups import datagrams_in, ways_in
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.audit.ports import ADMIN, DATA, DATAGRAMS, INNER, METRICS, WEB
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.subnets import SUBNETS, in_default_subnet, opens

# Where a template says whether its hosts get a public address; it may have the key and say nothing.
_ADDRESS = (("associate_public_ip_address",), ("network_interfaces", "associate_public_ip_address"))


def _open(inventory: Inventory, ports: frozenset[int]) -> Iterator[Mark]:
    for way in ways_in(inventory):
        if way.world and (reached := way.reaches(ports)):
            service = f" ({INNER[reached[0]]})" if reached[0] in INNER else ""
            which = f", among them {reached[0]}{service}" if len(way.ports) > 1 else service
            yield Mark(way.address, f"{way.named}{which} open to {way.world}")


def administration(inventory: Inventory) -> Iterator[Mark]:
    yield from _open(inventory, ADMIN)


def metrics(inventory: Inventory) -> Iterator[Mark]:
    yield from _open(inventory, METRICS)


def data_ports(inventory: Inventory) -> Iterator[Mark]:
    yield from _open(inventory, DATA)
    for way in datagrams_in(inventory):
        if way.world and (reached := way.reaches(DATAGRAMS)):
            yield Mark(way.address, f"UDP {way.named}, {INNER[reached[0]]}, open to {way.world}")


def past_the_balancer(inventory: Inventory) -> Iterator[Mark]:
    """Groups of balancers are there to be open, those of their applications have a rule of their own."""
    apps = behind_balancers(inventory)
    for way in ways_in(inventory):
        known = way.reaches(ADMIN | METRICS | DATA) or len(way.reaches(WEB)) == len(way.ports)
        if way.world and not known and not _of_balancer(inventory, way.group) and not _among(way.group, apps):
            yield Mark(way.address, f"{way.named} open to {way.world}")


def not_chained(inventory: Inventory) -> Iterator[Mark]:
    apps = behind_balancers(inventory)
    for way in ways_in(inventory):
        if _among(way.group, apps) and not way.reaches(ADMIN | METRICS | DATA):
            yield Mark(way.address, f"{way.named} takes traffic from {', '.join(way.networks)}, not from the balancer")


def behind_balancers(inventory: Inventory) -> frozenset[str]:
    """Groups of tasks and hosts that are targets of a load balancer."""
    found: set[str] = set()
    for service in inventory.of("aws_ecs_service"):
        if blocks(service.values, "load_balancer"):
            found.update(service.refers.get("network_configuration.security_groups", ()))
    for fleet in inventory.of("aws_autoscaling_group"):
        if is_target(inventory, fleet):
            for key in fleet.refers:
                for template in inventory.referred(fleet, key, "aws_launch_template", "aws_launch_configuration"):
                    found.update(_groups_of(template))
    for attachment in inventory.of("aws_lb_target_group_attachment", "aws_alb_target_group_attachment"):
        for host in inventory.referred(attachment, "target_id", "aws_instance"):
            found.update(_groups_of(host))
    return frozenset(found)


def _groups_of(host: Resource) -> Iterator[str]:
    for key in ("vpc_security_group_ids", "network_interfaces.security_groups", "security_groups"):
        yield from host.refers.get(key, ())


def is_target(inventory: Inventory, fleet: Resource) -> bool:
    """True for a group of hosts that a load balancer sends requests to."""
    own = fleet.values.get("target_group_arns") or fleet.refers.get("target_group_arns")
    return bool(own) or bool(inventory.referring(fleet, "aws_autoscaling_attachment"))


def _among(group: Resource | None, addresses: frozenset[str]) -> bool:
    return group is not None and group.address in addresses


def _of_balancer(inventory: Inventory, group: Resource | None) -> bool:
    return group is not None and bool(inventory.referring(group, "aws_lb", "aws_alb", "aws_elb"))


def one_way_out(inventory: Inventory) -> Iterator[Mark]:
    zones = {
        subnet.values.get("availability_zone") or subnet.values.get("availability_zone_id")
        for subnet in inventory.of("aws_subnet")
        if not is_on(subnet.values.get("map_public_ip_on_launch"))
    } - {None}
    ways = [*inventory.of("aws_nat_gateway"), *_nat_instances(inventory)]
    if len(ways) == 1 and len(zones) > 1:
        yield Mark(ways[0].address, f"the only NAT of {len(zones)} zones")


def _nat_instances(inventory: Inventory) -> Iterator[Resource]:
    for host in inventory.of("aws_instance"):
        if host.values.get("source_dest_check") is False:
            yield host


def public_hosts(inventory: Inventory) -> Iterator[Mark]:
    ways_out = {host.address for host in _nat_instances(inventory)}
    for host in inventory.of("aws_instance"):
        if is_on(host.values.get("associate_public_ip_address")) and host.address not in ways_out:
            yield Mark(host.address, "the host has a public address")
        elif "associate_public_ip_address" in host.values:
            continue
        elif opens(inventory.referred(host, "subnet_id", *SUBNETS)):
            yield Mark(host.address, "the host is in a subnet that gives public addresses")
        elif in_default_subnet(host):
            yield Mark(host.address, "the host is in a default subnet, which gives public addresses")
    for template in inventory.of("aws_launch_template", "aws_launch_configuration"):
        if any(is_on(first(template.values, *path)) for path in _ADDRESS):
            yield Mark(template.address, "its hosts have public addresses")
    yield from _public_fleets(inventory)
    yield from _public_others(inventory)


def _public_others(inventory: Inventory) -> Iterator[Mark]:
    for service in inventory.of("aws_ecs_service"):
        if is_on(first(service.values, "network_configuration", "assign_public_ip")):
            yield Mark(service.address, "its tasks have public addresses")
    for desk in inventory.of("aws_sagemaker_notebook_instance"):
        if desk.values.get("direct_internet_access", "Enabled") == "Enabled":
            yield Mark(desk.address, "direct_internet_access is Enabled: a way around the network of your own")


def _public_fleets(inventory: Inventory) -> Iterator[Mark]:
    """Groups of hosts of which a template says nothing, and their subnets do."""
    for fleet in inventory.of("aws_autoscaling_group", "aws_eks_node_group"):
        templates = [
            each
            for key in fleet.refers
            for each in inventory.referred(fleet, key, "aws_launch_template", "aws_launch_configuration")
        ]
        said = any(first(each.values, *path) is not None for each in templates for path in _ADDRESS)
        key = "subnet_ids" if fleet.type == "aws_eks_node_group" else "vpc_zone_identifier"
        if not said and opens(inventory.referred(fleet, key, *SUBNETS)):
            yield Mark(fleet.address, "its hosts are in a subnet that gives public addresses")


def no_flow_logs(inventory: Inventory) -> Iterator[Mark]:
    for vpc in inventory.of("aws_vpc"):
        if not settings(inventory, vpc, "aws_flow_log", "vpc_id"):
            yield Mark(vpc.address, "nothing records who talked to whom")
    for wall in inventory.of("aws_networkfirewall_firewall"):
        if not settings(inventory, wall, "aws_networkfirewall_logging_configuration", "firewall_arn"):
            yield Mark(wall.address, "no aws_networkfirewall_logging_configuration: nothing records what it stopped")


def nothing_is_looked_at(inventory: Inventory) -> Iterator[Mark]:
    """Firewalls whose first answer is yes: what passes there meets none of the rules that know connections."""
    for policy in inventory.of("aws_networkfirewall_firewall_policy"):
        for key in ("stateless_default_actions", "stateless_fragment_default_actions"):
            if "aws:pass" in (first(policy.values, "firewall_policy", key) or ()):
                yield Mark(policy.address, f"firewall_policy.{key} is aws:pass")


CHECKS = {
    "CF-NET-011": nothing_is_looked_at,
    "CF-NET-001": administration,
    "CF-NET-002": metrics,
    "CF-NET-003": data_ports,
    "CF-NET-004": past_the_balancer,
    "CF-NET-005": not_chained,
    "CF-NET-006": one_way_out,
    "CF-NET-007": public_hosts,
    "CF-NET-008": no_flow_logs,
}
