"""Instances of Aurora and Neptune without a class: billed by capacity units, between the bounds of their cluster.

Each instance scales by itself, and never below the least:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.aws.cost.bill.charge import Amount, Charge, once, unpriced
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.money import exact, plain
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_CLASS = "db.serverless"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a service calls its instances, bounds and units."""

    instances: str
    bounds: str
    name: str
    key: str
    unit: str


_KINDS = (
    _Kind("aws_rds_cluster_instance", "serverlessv2_scaling_configuration", "Aurora", "aurora", "ACU"),
    _Kind("aws_neptune_cluster_instance", "serverless_v2_scaling_configuration", "Neptune", "neptune", "NCU"),
)


def serverless(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for kind in _KINDS:
        found: dict[str, list[str]] = {}
        for instance in inventory.of(kind.instances):
            if instance.values.get("instance_class") == _CLASS:
                cluster = next(iter(inventory.referred(instance, "cluster_identifier")), None)
                key = _price(kind, cluster)
                if key in usage.units:
                    found.setdefault(key, []).append(instance.address)
                else:
                    yield _between(kind, instance, cluster, key, usage)
        for key, addresses in found.items():
            yield used("Data", _item(kind, key), key, f"{kind.unit}-hours", tuple(addresses), usage)


def _item(kind: _Kind, key: str) -> str:
    return f"{kind.name} Serverless, capacity{', I/O included' if '.io-' in key else ''}"


def _price(kind: _Kind, cluster: Resource | None) -> str:
    included = cluster is not None and "iopt1" in str(cluster.values.get("storage_type", ""))
    return f"{kind.key}.{'io-' if included else ''}{kind.unit.lower()}-hour"


def _between(kind: _Kind, instance: Resource, cluster: Resource | None, key: str, usage: Month) -> Charge:
    item = _item(kind, key)
    least, most = (first(cluster.values, kind.bounds, f"{end}_capacity") if cluster else None for end in ("min", "max"))
    if least is None or most is None:
        note = "between which bounds it scales is not in the plan"
        return unpriced("Data", item, (instance.address,), note, unit="instances")
    return Charge(
        area="Data",
        item=item,
        quantity=Amount.between(least, least, most).times(usage.hours),
        unit=f"{kind.unit}-hours",
        rate=once(key),
        addresses=(instance.address,),
        assumes=f"the least of {plain(exact(least))} to {plain(exact(most))} {kind.unit} of each",
        usage=f"units.{key}",
        keep=True,
    )
