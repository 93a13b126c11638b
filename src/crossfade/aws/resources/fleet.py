"""Words for a fleet that grows and shrinks, or that is one of two."""

from crossfade.aws.places import COLOUR
from crossfade.aws.resources.inventory import first
from crossfade.aws.resources.resource import Resource


def suspended(target: Resource) -> bool:
    """True of a scaling target that neither grows nor shrinks: its service keeps the count that it has."""
    ways = ("dynamic_scaling_in_suspended", "dynamic_scaling_out_suspended")
    return all(first(target.values, "suspended_state", way) is True for way in ways)


def coloured(service: Resource) -> bool:
    """True of a service of ECS that is one of two, of which a release fills the one that rests."""
    return COLOUR in (service.values.get("tags") or {})


def waits(group: Resource) -> bool:
    """True of an Auto Scaling group without hosts, and without a least number of them: a release is to fill it."""
    return group.values.get("desired_capacity") == 0 and not group.values.get("min_size")


def rests(service: Resource) -> bool:
    """True of the colour without tasks. Its scaling is suspended, and what is said of the app is said of the other."""
    return coloured(service) and not service.values.get("desired_count")
