"""Bills from elsewhere, which the file names itself."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import OWN, Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.usage import Usage


def other(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    del inventory
    for each in usage.other:
        yield Charge(
            area="Other",
            item=each.name,
            quantity=Amount.of(1),
            unit="months",
            rate=once(OWN, each.monthly),
            assumes="as the file says",
            usage="other",
        )
