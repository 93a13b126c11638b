"""Settings that are resources of their own: versioning of a bucket, rotation of a secret."""

from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource


def settings(inventory: Inventory, of: Resource, kind: str, by: str, name: str = "") -> tuple[Resource, ...]:
    """Those of a kind that refer to `of`, or else name it under `by`, or do not say yet whose they are.

    A plan has no locals: what takes its bucket from one belongs to nobody that could be told.
    """
    return inventory.referring(of, kind) or tuple(
        one
        for one in inventory.of(kind)
        if (name and one.values.get(by) == name) or (by in one.unknown and by not in one.refers)
    )
