"""Security groups as a plan has them: three ways to write a rule, read as one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.aws.audit.ports import is_everybody
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource

GROUPS = ("aws_security_group", "aws_default_security_group")
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
    for group in inventory.of(*GROUPS):
        for inline in blocks(group.values, "ingress"):
            yield from _way(group.address, group, inline, over)
    for rule in inventory.of("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"):
        if rule.values.get("type", "ingress") == "ingress":
            yield from _way(rule.address, _group_of(inventory, rule), rule.values, over)


def _way(address: str, group: Resource | None, rule: Mapping[str, Any], over: frozenset[str]) -> Iterator[OpenWay]:
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
    if networks:
        yield OpenWay(address, group, ports, tuple(map(str, networks)))


def _group_of(inventory: Inventory, rule: Resource) -> Resource | None:
    return next(iter(inventory.referred(rule, "security_group_id", *GROUPS)), None)
