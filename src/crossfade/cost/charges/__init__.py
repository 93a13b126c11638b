"""What is charged for, area by area: each looks at the resources and at how they are used."""

from collections.abc import Iterator

from crossfade.cloud.inventory import Inventory
from crossfade.cost.charge import Charge
from crossfade.cost.charges.compute import compute
from crossfade.cost.charges.data import data
from crossfade.cost.charges.delivery import delivery
from crossfade.cost.charges.network import network
from crossfade.cost.charges.other import other
from crossfade.cost.charges.releases import releases
from crossfade.cost.charges.security import security
from crossfade.cost.charges.unpriced import unpriced
from crossfade.cost.charges.watching import watching
from crossfade.spec.cloud.usage import Usage

AREAS = (compute, data, network, delivery, watching, security, releases, other, unpriced)


def charges(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    """Every charge, in the order in which a bill lists them."""
    for area in AREAS:
        yield from area(inventory, usage)
