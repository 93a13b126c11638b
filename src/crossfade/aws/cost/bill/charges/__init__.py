"""What is charged for, area by area: each looks at the resources and at how they are used."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from crossfade.aws.cost.bill.charge import Charge
from crossfade.aws.cost.bill.charges.cataloged import cataloged
from crossfade.aws.cost.bill.charges.computing.compute import compute
from crossfade.aws.cost.bill.charges.data import data
from crossfade.aws.cost.bill.charges.delivery import delivery
from crossfade.aws.cost.bill.charges.network import network
from crossfade.aws.cost.bill.charges.other import other
from crossfade.aws.cost.bill.charges.releases import releases
from crossfade.aws.cost.bill.charges.security import security
from crossfade.aws.cost.bill.charges.support import clusters, databases
from crossfade.aws.cost.bill.charges.watching import watching
from crossfade.aws.cost.catalog.catalog import Area
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.month import Month

# In the order of a bill.
AREAS: Mapping[Area, Callable[[Inventory, Month], Iterator[Charge]]] = {
    "Compute": compute,
    "Data": data,
    "Network": network,
    "Delivery": delivery,
    "Watching": watching,
    "Security": security,
    "Releases": releases,
    "Other": other,
}


# Versions past their standard support, which depend on the day.
AGED: Mapping[Area, Callable[[Inventory, Month, date], Iterator[Charge]]] = {"Compute": clusters, "Data": databases}


def charges(inventory: Inventory, usage: Month, day: date) -> Iterator[Charge]:
    """Every charge of a month that begins on a day: of each area what code reckons, and then what tables say."""
    tables = cataloged(inventory, usage)
    for area, reckoned in AREAS.items():
        yield from reckoned(inventory, usage)
        if area in AGED:
            yield from AGED[area](inventory, usage, day)
        yield from tables.get(area, ())
