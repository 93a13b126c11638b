"""Charges of the catalogue's tables: types without code, attributes on top, and what nobody can price."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once, unpriced
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.catalog.attribute import comes_later, filled, is_off, number, said, values
from crossfade.aws.cost.catalog.catalog import AREAS, PREFIX, Area, Rated, TypeVerdict, verdict
from crossfade.aws.cost.money import exact
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.providers import AWS, CLOUD_CONTROL, NOWHERE, provider
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_ANOTHER = "another provider's, whose prices nobody here knows"
_OTHERS = {CLOUD_CONTROL: "of AWS's second provider, whose types are not read here"}


def cataloged(inventory: Inventory, usage: Month) -> dict[Area, list[Charge]]:
    """By area, in the order in which resources come."""
    found: dict[Area, list[Charge]] = defaultdict(list)
    by_use: dict[tuple[Rated, str, str | None], list[Resource]] = defaultdict(list)
    areas: dict[Rated, Area] = {}
    for resource in inventory.all:
        if (whose := provider(resource)) != AWS:
            if whose not in NOWHERE:
                found["Other"].append(_unknown(resource, _OTHERS.get(whose, _ANOTHER)))
            continue
        judged = verdict(resource.type)
        if judged is None:
            found["Other"].append(_unknown(resource, "nobody has judged yet whether AWS bills this type"))
            continue
        if judged.unknown and not _is(inventory, resource, judged.off):
            found[judged.area].append(_unknown(resource, judged.unknown, judged))
        for line in judged.lines:
            if not _has(inventory, resource, line):
                continue
            if line.use:
                by_use[line, filled(line.price, resource) or UNPRICED, resource.region].append(resource)
                areas[line] = judged.area
            else:
                made = _line(resource, line, judged, usage)
                found[made.area].append(made)
        found[judged.area].extend(_extras(inventory, resource, judged))
    for (line, key, _), resources in by_use.items():
        item, addresses = filled(line.item, resources[0]) or line.item, tuple(each.address for each in resources)
        found[areas[line]].append(used(areas[line], item, key, line.unit, addresses, usage))
    return found


def _has(inventory: Inventory, resource: Resource, line: Rated) -> bool:
    """Whether a resource has what a line waits for, and not what stands against it."""
    asked = partial(_is, inventory, resource)
    return not asked(line.exceptions) and (not line.when or asked(line.conditions))


def _is(inventory: Inventory, resource: Resource, conditions: Iterable[tuple[str, str]]) -> bool:
    """Whether one of the attributes is set, or is set to the value that stands with it."""
    return any(
        any(_meets(said(each), value) for each in _there(inventory, resource, path))
        or (not value and comes_later(resource, path))
        or (value == "false" and is_off(resource, path))
        for path, value in conditions
    )


def _meets(text: str, value: str) -> bool:
    """Any will do where none is named, and of `^or` whatever begins so."""
    return text.startswith(value[1:]) if value.startswith("^") else value in {"", text}


def _there(inventory: Inventory, resource: Resource, path: str) -> tuple[Any, ...]:
    """What stands at a path, or in `a>b` at b of what a comes from; in `a>aws_b` the b's that it comes from."""
    key, elsewhere, further = path.partition(">")
    if further.startswith(PREFIX):
        return tuple(each.address for each in inventory.referred(resource, key, further))
    whose = inventory.referred(resource, key) if elsewhere else (resource,)
    return tuple(value for each in whose for value in values(each, further or path))


def _line(resource: Resource, line: Rated, judged: TypeVerdict, usage: Month) -> Charge:
    key, quantity, note = filled(line.price, resource), exact(1), ""
    for path in line.times:
        factor = number(resource, path)
        if factor is None:
            key, note = None, f"{path.partition('|')[0].removeprefix('#')} is known only after the apply"
        else:
            quantity *= factor
    if key is None and not note:
        note = f"what its price depends on is known only after the apply; {judged.page}"
    return Charge(
        area=AREAS[line.area] if line.area else judged.area,
        item=filled(line.item, resource) or f"{resource.type}, of an unknown kind",
        quantity=Amount.of(quantity).times(usage.hours if line.unit.endswith("hours") else 1),
        unit=line.unit,
        rate=once(key or UNPRICED),
        addresses=(resource.address,),
        note=note,
    )


def _extras(inventory: Inventory, resource: Resource, judged: TypeVerdict) -> Iterator[Charge]:
    for extra in judged.extras:
        if _is(inventory, resource, extra.exceptions):
            continue
        billed = any(said(each) not in extra.free for each in values(resource, extra.path))
        later = comes_later(resource, extra.path) and not (extra.switch and is_off(resource, extra.switch))
        if billed or later:
            may = "" if billed or not extra.free else "only the apply will tell whether this is so: "
            yield unpriced(judged.area, f"{resource.type}, {extra.path}", (resource.address,), may + extra.why)


def _unknown(resource: Resource, why: str, judged: TypeVerdict | None = None) -> Charge:
    area, note = (judged.area, f"{why}; {judged.page}") if judged else ("Other", why)
    return unpriced(area, resource.type, (resource.address,), note)
