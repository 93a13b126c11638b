"""What is charged for, area by area: each looks at the resources and at how they are used."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Charge
from crossfade.aws.cost.bill.charges.compute import compute
from crossfade.aws.cost.bill.charges.data import data
from crossfade.aws.cost.bill.charges.delivery import delivery
from crossfade.aws.cost.bill.charges.network import network
from crossfade.aws.cost.bill.charges.other import other
from crossfade.aws.cost.bill.charges.releases import releases
from crossfade.aws.cost.bill.charges.security import security
from crossfade.aws.cost.bill.charges.unpriced import unpriced
from crossfade.aws.cost.bill.charges.watching import watching
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.usage import Usage

AREAS = (compute, data, network, delivery, watching, security, releases, other, unpriced)


def charges(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    """Every charge, in the order in which a bill lists them."""
    for area in AREAS:
        yield from area(inventory, usage)
