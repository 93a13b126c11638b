"""Charges by use, of which nobody but `cloud.usage.units` can say how much there will be."""

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.catalog.catalog import Area
from crossfade.aws.cost.money import exact, plain
from crossfade.file.cloud.month import Month


def used(  # noqa: PLR0917  in the order of a bill's columns
    area: Area, item: str, key: str, unit: str, addresses: tuple[str, ...], usage: Month
) -> Charge:
    """A line with its price. Unless somebody has said how much, it is no part of the total, and counted as such."""
    units = usage.units.get(key)
    return Charge(
        area=area,
        item=item,
        quantity=Amount.of(units or 0),
        unit=unit,
        rate=once(key),
        addresses=addresses,
        assumes="nothing" if units is None else f"{plain(exact(units))} {unit}",
        usage=f"units.{key}",
        unsaid=units is None,
    )
