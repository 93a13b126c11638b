"""One thing on AWS, as Terraform names it: what bills, findings and pictures are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`type` and `values` are those of the provider: aws_nat_gateway, {"connectivity_type": "public"}.

    `address` is Terraform's (`module.vpc.aws_nat_gateway.this[0]`), also when the resource was read from the file, so
    that both can be compared. `values` holds only what is known; an unknown value is missing. `refers` maps a key to
    the addresses its value comes from. `where` is what a person would change: a key of the file, or a plan's address.
    `region` is where it will be: "" is the environment's own, and None one that a plan does not tell.
    `unknown` are the dotted paths of values that a plan has and cannot tell before it is applied. `written` are values
    that stand in the configuration as they are, neither worked out nor referred to; a plan has only a hash of some.
    `later` are dotted paths of what the configuration gives and only the apply will tell; `mixed` those of what is made
    of something else as well as of resources, such as a choice.
    """

    address: str
    type: str
    values: Mapping[str, Any] = field(default_factory=dict)
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: str = ""
    region: str | None = field(default="", compare=False)
    unknown: frozenset[str] = field(default=frozenset(), compare=False)
    written: Mapping[str, Any] = field(default_factory=dict, compare=False)
    later: frozenset[str] = field(default=frozenset(), compare=False)
    mixed: frozenset[str] = field(default=frozenset(), compare=False)
