"""Growth: what Application Auto Scaling may add to the bill, where no other line says between which bounds."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, unpriced
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

# Those whose lines are between the bounds themselves: tasks, units of capacity, nodes of caches.
_TOLD = frozenset({"ecs", "dynamodb", "elasticache"})
_BOUNDS = ("scalable_dimension", "min_capacity", "max_capacity")
_DATA = frozenset({"rds", "neptune", "cassandra"})


def growth(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    del usage
    for target in inventory.of("aws_appautoscaling_target"):
        dimension, least, most = (target.values.get(key) for key in _BOUNDS)
        kind = str(dimension or "").partition(":")[0]
        if not kind or kind in _TOLD or least == most:
            continue
        scaled = inventory.referred(target, "resource_id")
        yield unpriced(
            "Data" if kind in _DATA else "Compute",
            f"Growth of {dimension}",
            (target.address, *(each.address for each in scaled)),
            f"scales from {least} to {most}; what that adds is not in the total",
        )


def bounded(inventory: Inventory, resource: Resource, name: object, dimension: str, wanted: float) -> Amount:
    """How many there are of something that scales: as many as wanted, within the bounds of its scaling."""
    for target in inventory.of("aws_appautoscaling_target"):
        named = str(target.values.get("resource_id", "")).rpartition("/")[2] == name
        if target.values.get("scalable_dimension") == dimension and (
            named or resource in inventory.referred(target, "resource_id")
        ):
            said = (target.values.get(f"{end}_capacity") for end in ("min", "max"))
            least, most = (wanted if one is None else one for one in said)  # none at all is a bound as well
            return Amount.between(least, min(max(wanted, least), most), most)
    return Amount.of(wanted)
