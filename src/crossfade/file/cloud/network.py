"""The network of an environment, what is open in it, and how its machines reach the world."""

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.cloud.words import Cidr, InstanceClass
from crossfade.file.part import Clash, Part
from crossfade.file.units import Whole

Nat = Literal["one", "per-zone", "instance", "none"]
Endpoint = Literal["s3", "dynamodb", "ecr", "logs", "secretsmanager", "ssm", "sts"]
GATEWAYS = frozenset({"s3", "dynamodb"})  # endpoints in the route table, free; the others are interfaces, billed hourly

# Derived subnets: the first is .1, .11 and .21, so that a person sees from an address where it belongs.
_FIRST = {"public": 1, "private": 11, "database": 21}
_SMALLEST = 28  # AWS takes no smaller subnet


class OpenPort(Part):
    """A port of the application's hosts that somebody reaches directly, past the load balancer."""

    port: Annotated[int, Whole(1, 65535)] = Field(description="The port.", examples=[22])
    to: tuple[Annotated[str, Cidr()], ...] = Field(description="Networks that reach it.", examples=[["203.0.113.0/24"]])


class Network(Part):
    """The VPC of an environment. Subnets that are not given are cut from `cidr`: .1, .11 and .21 upwards."""

    cidr: Annotated[str, Cidr(16, 23)] = Field(
        default="10.0.0.0/16", description="The network, from /16 to /23.", examples=["10.0.0.0/16"]
    )
    public: tuple[Annotated[str, Cidr(16, _SMALLEST)], ...] = Field(
        default=(),
        description="Subnets of the load balancer, one a zone. Default: cut from `cidr`.",
        examples=[["10.0.1.0/24", "10.0.2.0/24"]],
    )
    private: tuple[Annotated[str, Cidr(16, _SMALLEST)], ...] = Field(
        default=(),
        description="Subnets of the application, one a zone. Default: cut from `cidr`.",
        examples=[["10.0.11.0/24", "10.0.12.0/24"]],
    )
    database: tuple[Annotated[str, Cidr(16, _SMALLEST)], ...] = Field(
        default=(),
        description="Subnets without a way out, for data, one a zone. Default: cut from `cidr`.",
        examples=[["10.0.21.0/24", "10.0.22.0/24"]],
    )
    nat: Nat = Field(
        default="one",
        description=(
            "How private subnets reach the world: `one` NAT gateway, one `per-zone`, a small `instance` that does "
            "the same for a tenth of the price, or `none` (hosts then stand in public subnets)."
        ),
        examples=["per-zone"],
    )
    nat_instance: Annotated[str, InstanceClass()] = Field(
        default="t4g.nano", description="Class of the NAT instance.", examples=["t4g.nano"]
    )
    endpoints: tuple[Endpoint, ...] = Field(
        default=("s3",),
        description="AWS services reached without NAT. `s3` and `dynamodb` are free, the others cost in each zone.",
        examples=[["s3", "ecr", "logs"]],
    )
    open_ports: tuple[OpenPort, ...] = Field(
        default=(),
        description="Ports of the hosts that are open past the load balancer. Default: none.",
        examples=[[{"port": 22, "to": ["203.0.113.0/24"]}]],
    )
    flow_logs: bool = Field(
        default=False, strict=True, description="Records who talked to whom, in a log group.", examples=[True]
    )

    def subnets(self, kind: Literal["public", "private", "database"], zones: int) -> tuple[str, ...]:
        """One network a zone: those of the file, or cut from `cidr`."""
        given: tuple[str, ...] = getattr(self, kind)
        if given:
            return given
        network = ipaddress.IPv4Network(self.cidr)
        # /16 is cut into /24, of which .1, .11 and .21 are the first; /23 into 32 of /28, the smallest that AWS takes.
        cut = list(network.subnets(new_prefix=min(network.prefixlen + 8, _SMALLEST)))
        return tuple(str(subnet) for subnet in cut[_FIRST[kind] : _FIRST[kind] + zones])

    def impossible(self) -> Iterator[Clash]:
        network = ipaddress.IPv4Network(self.cidr)
        taken: list[tuple[tuple[str, int], ipaddress.IPv4Network]] = []
        for kind in _FIRST:
            for index, text in enumerate(getattr(self, kind)):
                subnet = ipaddress.IPv4Network(text)
                if not subnet.subnet_of(network):
                    yield Clash((kind, index), f"{text}, which is outside of {self.cidr}", f"a part of {self.cidr}")
                taken.append(((kind, index), subnet))
        for (first, one), (second, other) in combinations(taken, 2):
            if one.overlaps(other):
                yield Clash(
                    second, f"{other}, which overlaps {'.'.join(map(str, first))} ({one})", "a network of its own"
                )
