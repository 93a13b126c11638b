"""Amounts and names as a bill writes them."""

import re
from decimal import Decimal

from crossfade.aws.places import COLOURS
from crossfade.aws.resources.resource import Resource

GIB = 1 << 30
_COLOUR = re.compile(rf'\["({"|".join(COLOURS)})"\]')  # both colours are one thing
_OWN = frozenset({"this", "main", "default", "asg"})  # names of resources that say nothing


def gigabytes(size: int) -> Decimal:
    """Bytes in what AWS bills as GB: 1024 * 1024 * 1024."""
    return Decimal(size) / GIB


def label(resource: Resource) -> str:
    """What people call it: the last word of its address that says something. module.service_web.x.this is web."""
    address = _COLOUR.sub("", resource.address).replace("module.", " ")
    for word in reversed(re.findall(r'[\w-]+(?:\["(?:[^"\\]|\\.)+"\])?', address)):
        name = re.sub(r"^(service|bucket|ecr)_", "", word)
        if name not in _OWN and not name.startswith("aws_") and not name.isdigit():
            return name.replace("_", "-")
    return str(resource.values.get("name") or resource.address)
