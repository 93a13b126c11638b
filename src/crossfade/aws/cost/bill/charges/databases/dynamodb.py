"""Tables of DynamoDB: capacity that is provisioned is a fixed charge, and everything else is paid by use."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_UNITS = (("read", "rcu"), ("write", "wcu"))


def dynamodb(inventory: Inventory, table: Resource, usage: Month) -> Iterator[Charge]:
    rare = "-ia" if table.values.get("table_class") == "STANDARD_INFREQUENT_ACCESS" else ""
    mine = (table.address,)
    if table.values.get("billing_mode", "PROVISIONED") == "PROVISIONED":
        for what, unit in _UNITS:
            yield Charge(
                area="Data",
                item=f"DynamoDB, {what} capacity",
                quantity=_capacity(inventory, table, what).times(usage.hours),
                unit="unit-hours",
                rate=once(f"dynamodb.{unit}-hour{rare}"),
                addresses=mine,
            )
    else:
        for what, unit in _UNITS:
            key = f"dynamodb.{unit.replace('cu', 'ru')}-1m{rare}"
            yield used("Data", f"DynamoDB, {what}s on demand", key, "1,000,000 units", mine, usage)
    yield used(
        "Data", f"DynamoDB, storage{rare and ', rarely used'}", f"dynamodb.gb-month{rare}", "GB-months", mine, usage
    )
    if first(table.values, "point_in_time_recovery", "enabled"):
        yield used("Data", "DynamoDB, recovery to a point in time", "dynamodb.pitr-gb-month", "GB-months", mine, usage)


def _capacity(inventory: Inventory, table: Resource, what: str) -> Amount:
    """Of the table and its indexes, between the bounds of their scaling."""
    total, key = Amount.of(0), f"{what}_capacity"
    name, scaled = str(table.values.get("name", "")), f"{what.capitalize()}CapacityUnits"
    bounds = {
        str(each.values.get("resource_id", "")): each.values
        for each in inventory.of("aws_appautoscaling_target")
        if str(each.values.get("scalable_dimension", "")).endswith(scaled)
    }
    for holder, place in (
        (table.values, f"table/{name}"),
        *((each, f"table/{name}/index/{each.get('name')}") for each in blocks(table.values, "global_secondary_index")),
    ):
        wanted, scaling = holder.get(key) or 0, bounds.get(place)
        least, most = (scaling.get("min_capacity"), scaling.get("max_capacity")) if scaling else (wanted, wanted)
        total += Amount.between(least or 0, wanted, most or wanted)
    return total
