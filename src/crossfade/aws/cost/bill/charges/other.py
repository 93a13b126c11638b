"""Charges of no other area: scaling that no line tells, and bills from elsewhere, which the file names itself."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import OWN, Amount, Charge, once
from crossfade.aws.cost.bill.charges.growth import growth
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.month import Month


def other(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    yield from growth(inventory, usage)
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
