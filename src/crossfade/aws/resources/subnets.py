"""Subnets of what a plan starts, and whether what is put there gets a public address without asking."""

from collections.abc import Iterable

from crossfade.aws.resources.resource import Resource

SUBNETS = ("aws_subnet", "aws_default_subnet")
_PLACED = frozenset(
    {"subnet_id", "vpc_zone_identifier", "network_interface", "primary_network_interface", "launch_template"}
)


def opens(subnets: Iterable[Resource]) -> bool:
    """Whether what starts there gets a public address without asking. A default subnet gives one unless told not to."""
    return any(each.values.get("map_public_ip_on_launch", each.type == "aws_default_subnet") for each in subnets)


def in_default_subnet(host: Resource) -> bool:
    """Whether nothing says in which network a host is: it is in a default subnet then, or cannot be started.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-subnet.html
    """
    said = (*host.refers, *host.later, *(key for key, value in host.values.items() if value))
    return _PLACED.isdisjoint(path.partition(".")[0] for path in said)
