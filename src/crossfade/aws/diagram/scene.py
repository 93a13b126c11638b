"""The scene of a picture: boxes in frames, and arrows between them. No sizes, no places."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["edge", "compute", "data", "network", "storage", "watch", "group", "open"]
# What an arrow tells, which is also how it is drawn: `enter` on the way in, `serve` from the load balancer to a
# service, `ask` from a service to what keeps data, `out` to the world, `copy` to a standby, `side` to what belongs to
# the region.
Way = Literal["enter", "serve", "ask", "out", "copy", "side"]

NAMES = "dns"  # the box that tells visitors where to go


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box. `idle` ones are there for later: a zone in which no instance runs now."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    kind: Kind = "compute"
    idle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A subnet: one zone's part of a tier."""

    id: str
    title: str
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Subnets of one kind, one a zone. The load balancer spans those of the first."""

    id: str
    title: str
    cells: tuple[Cell, ...]
    across: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From one box, cell or tier to another, by their ids."""

    source: str
    target: str
    label: str = ""
    way: Way = "enter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One environment. `entrance` leads down to the load balancer; `site` hangs beside it; `groups` are the chain of
    security groups, in columns from the outside in.
    """

    title: str
    summary: str
    visitors: Node
    entrance: tuple[Node, ...]
    site: Node | None
    region: str
    vpc: str
    tiers: tuple[Tier, ...]
    aside: tuple[Node, ...]
    groups: tuple[tuple[Node, ...], ...]
    arrows: tuple[Arrow, ...]

    def nodes(self) -> Iterator[Node]:
        """Every box once."""
        yield self.visitors
        yield from self.entrance
        if self.site is not None:
            yield self.site
        for tier in self.tiers:
            yield from tier.across
            for cell in tier.cells:
                yield from cell.nodes
        yield from self.aside
        for column in self.groups:
            yield from column
