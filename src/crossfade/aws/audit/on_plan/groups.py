"""Who is let in as a plan has it: security groups, whose rules are written in three ways, and doors without a group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crossfade.aws.audit.ports import ADMIN, DATA, METRICS, is_everybody
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource

GROUPS = ("aws_security_group", "aws_default_security_group")
_WORLD = "0.0.0.0/0"
_SSH, _NFS, _RDP = 22, 2049, 3389
_ALL_PORTS = range(65536)
_ALL_PROTOCOLS = frozenset({"-1", "all"})
_TCP = frozenset({"tcp", "6"})
_UDP = frozenset({"udp", "17"})


@dataclass(frozen=True, slots=True)
class OpenWay:
    """Ports of a group that some networks reach. `address` is the rule's own, or the group's."""

    address: str
    group: Resource | None
    ports: range
    networks: tuple[str, ...]

    @property
    def world(self) -> str:
        """The network that is everybody, if one is."""
        return next((network for network in self.networks if is_everybody(network)), "")

    def reaches(self, ports: frozenset[int]) -> list[int]:
        return sorted(port for port in ports if port in self.ports)

    @property
    def named(self) -> str:
        if self.ports == _ALL_PORTS:
            return "all ports"
        first, last = self.ports.start, self.ports.stop - 1
        return f"port {first}" if first == last else f"ports {first}-{last}"


def ways_in(inventory: Inventory) -> Iterator[OpenWay]:
    """Every rule that lets networks in over TCP."""
    return _ways(inventory, _TCP)


def datagrams_in(inventory: Inventory) -> Iterator[OpenWay]:
    """Every rule that lets them in over UDP; one that lets all protocols in is among the others."""
    return _ways(inventory, _UDP)


def _ways(inventory: Inventory, over: frozenset[str]) -> Iterator[OpenWay]:
    closed = _closed(inventory)
    for holder, group, rule in _rules(inventory):
        for way in _way(holder.address, group, rule, over, _by_list(inventory, holder)):
            kept = tuple(each for each in way.networks if holder.region not in closed or not is_everybody(each))
            if kept:
                yield replace(way, networks=kept)


def _rules(inventory: Inventory) -> Iterator[tuple[Resource, Resource | None, Mapping[str, Any]]]:
    for group in inventory.of(*GROUPS):
        for inline in blocks(group.values, "ingress"):
            yield group, group, inline
    for rule in inventory.of("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"):
        if rule.values.get("type", "ingress") == "ingress":
            yield rule, _group_of(inventory, rule), rule.values
    yield from _without_group(inventory)


def _without_group(inventory: Inventory) -> Iterator[tuple[Resource, Resource | None, Mapping[str, Any]]]:
    """Doors that say by themselves who is let in."""
    for ports in inventory.of("aws_lightsail_instance_public_ports"):
        for opened in blocks(ports.values, "port_info"):
            networks = opened.get("cidrs") or (() if opened.get("ipv6_cidrs") else [_WORLD])
            yield ports, None, {**opened, "cidr_blocks": networks, "ipv6_cidr_blocks": opened.get("ipv6_cidrs")}
    for nodes in inventory.of("aws_eks_node_group"):
        named = "remote_access.source_security_group_ids" in nodes.refers
        for access in blocks(nodes.values, "remote_access"):
            if access.get("ec2_ssh_key") and not access.get("source_security_group_ids") and not named:
                yield nodes, None, {"from_port": _SSH, "to_port": _SSH, "cidr_blocks": [_WORLD]}
    for share in inventory.of("aws_storagegateway_nfs_file_share"):
        yield share, None, {"from_port": _NFS, "to_port": _NFS, "cidr_blocks": share.values.get("client_list")}
    for desks in inventory.of("aws_workspaces_ip_group"):
        sources = [rule.get("source") for rule in blocks(desks.values, "rules")]
        yield desks, None, {"from_port": _RDP, "to_port": _RDP, "cidr_blocks": sources}
    yield from _of_balancers(inventory)


def _of_balancers(inventory: Inventory) -> Iterator[tuple[Resource, Resource | None, Mapping[str, Any]]]:
    """Network load balancers without a group let everybody to what stands behind them: what nobody should reach."""
    for listener in inventory.of("aws_lb_listener", "aws_alb_listener"):
        port = listener.values.get("port")
        for balancer in inventory.referred(listener, "load_balancer_arn", "aws_lb", "aws_alb"):
            grouped = balancer.values.get("security_groups") or "security_groups" in balancer.refers
            outside = balancer.values.get("load_balancer_type") == "network" and not balancer.values.get("internal")
            if outside and not grouped and port in ADMIN | METRICS | DATA:
                protocol = "udp" if listener.values.get("protocol") == "UDP" else "tcp"
                ports = {"from_port": port, "to_port": port, "cidr_blocks": [_WORLD]}
                yield listener, None, {**ports, "protocol": protocol}


def _by_list(inventory: Inventory, rule: Resource) -> tuple[str, ...]:
    """Networks of prefix lists that a rule, or one of a group's, names."""
    found: list[str] = []
    for key in ("prefix_list_id", "prefix_list_ids", "ingress"):
        for listed in inventory.referred(rule, key, "aws_ec2_managed_prefix_list"):
            found += [str(entry.get("cidr")) for entry in blocks(listed.values, "entry")]
            entries = inventory.referring(listed, "aws_ec2_managed_prefix_list_entry")
            found += [str(entry.values.get("cidr")) for entry in entries]
    return tuple(found)


def _closed(inventory: Inventory) -> frozenset[str | None]:
    """Regions whose networks no internet gateway leads into, whatever their groups say."""
    if any(inventory.of("aws_vpc_block_public_access_exclusion")):
        return frozenset()
    modes = {"block-bidirectional", "block-ingress"}
    switches = inventory.of("aws_vpc_block_public_access_options")
    return frozenset(one.region for one in switches if one.values.get("internet_gateway_block_mode") in modes)


def _way(
    address: str, group: Resource | None, rule: Mapping[str, Any], over: frozenset[str], listed: tuple[str, ...]
) -> Iterator[OpenWay]:
    networks = (
        *(rule.get("cidr_blocks") or ()),
        *(rule.get("ipv6_cidr_blocks") or ()),
        *(cidr for key in ("cidr_ipv4", "cidr_ipv6") if (cidr := rule.get(key))),
    )
    protocol = str(rule.get("protocol", rule.get("ip_protocol", "tcp")))
    first, last = rule.get("from_port"), rule.get("to_port")
    if protocol in _ALL_PROTOCOLS and over is _TCP:
        ports = _ALL_PORTS
    elif protocol not in over or not isinstance(first, int) or not isinstance(last, int):
        return
    else:
        ports = range(first, last + 1)
    if not networks and rule.get("prefix_list_ids") is None:  # known only later: a plan leaves it out
        networks = listed
    if networks:
        yield OpenWay(address, group, ports, tuple(map(str, networks)))


def _group_of(inventory: Inventory, rule: Resource) -> Resource | None:
    return next(iter(inventory.referred(rule, "security_group_id", *GROUPS)), None)
