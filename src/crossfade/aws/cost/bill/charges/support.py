"""Extended support: what versions cost beside everything else once their standard support has ended."""

import re
from collections.abc import Iterator
from datetime import date

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once, unpriced
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.support import Support, support, versioned
from crossfade.file.cloud.month import Month

_REFUSED = "open-source-rds-extended-support-disabled"
_SMALL = {"t1.micro": 1, "t2.micro": 1, "t2.small": 1}
_CORES = {"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4}
_PER_XLARGE = 4
_OF_CLUSTER = "db_cluster_instance_class"  # of a Multi-AZ cluster: a writer and two that can be read
_HOSTS_OF_CLUSTER = 3
# Those whose price for it nobody here knows: of caches a part of the node's own, of search by what a node is worth.
_UNKNOWN = (
    *("aws_elasticache_replication_group", "aws_elasticache_cluster"),
    *("aws_opensearch_domain", "aws_elasticsearch_domain"),
)


def databases(inventory: Inventory, usage: Month, day: date) -> Iterator[Charge]:
    """By the core and hour, the one that stands by in another zone too. A replica has its primary's version."""
    for database in inventory.of("aws_db_instance"):
        primary = next(iter(inventory.referred(database, "replicate_source_db", "aws_db_instance")), database)
        yield from _by_core(database, primary, 2 if database.values.get("multi_az") else 1, usage, day)
    for instance in inventory.of("aws_rds_cluster_instance"):
        cluster = next(iter(inventory.referred(instance, "cluster_identifier", "aws_rds_cluster")), instance)
        yield from _by_core(instance, cluster, 1, usage, day)
    for cluster in inventory.of("aws_rds_cluster"):
        if cluster.values.get(_OF_CLUSTER):
            yield from _by_core(cluster, cluster, _HOSTS_OF_CLUSTER, usage, day)
    for instance in inventory.of("aws_docdb_cluster_instance"):
        cluster = next(iter(inventory.referred(instance, "cluster_identifier", "aws_docdb_cluster")), instance)
        yield from _by_core(instance, cluster, 1, usage, day, "docdb")
    for store in inventory.of(*_UNKNOWN):
        ended = _ended(*versioned(store), day)
        if ended is not None:
            item = f"Extended support of {ended.engine} {ended.version}"
            yield unpriced("Data", item, (store.address,), _said(ended))


def clusters(inventory: Inventory, usage: Month, day: date) -> Iterator[Charge]:
    """Of EKS: the control plane costs more by the hour, unless AWS may upgrade it when its standard support ends."""
    for cluster in inventory.of("aws_eks_cluster"):
        ended = _ended(*versioned(cluster), day)
        if ended is not None and first(cluster.values, "upgrade_policy", "support_type") != "STANDARD":
            yield Charge(
                area="Compute",
                item=f"Extended support of Kubernetes {ended.version}",
                quantity=Amount.of(usage.hours),
                unit="hours",
                rate=once("eks.extended-hour"),
                addresses=(cluster.address,),
                note=_said(ended),
            )


def _by_core(  # noqa: PLR0917  private, and all of a kind
    found: Resource, whole: Resource, copies: int, usage: Month, day: date, service: str = "rds"
) -> Iterator[Charge]:
    engine = str(found.values.get("engine") or whole.values.get("engine") or "")
    engine = service if service != "rds" else engine
    ended = _ended(engine, found.values.get("engine_version") or whole.values.get("engine_version"), day)
    if ended is None or _REFUSED in (each.values.get("engine_lifecycle_support") for each in (found, whole)):
        return
    year = "year-3" if ended.is_doubled(day) else "year-1"
    count = cores(str(found.values.get("instance_class") or found.values.get(_OF_CLUSTER) or ""))
    yield Charge(
        area="Data",
        item=f"Extended support of {engine} {ended.version}",
        quantity=Amount.of((count or 1) * copies).times(usage.hours),
        unit="vCPU-hours",
        rate=once(f"{service}.extended-vcpu-hour.{year}" if count else UNPRICED),
        addresses=(found.address,),
        note=_said(ended),
    )


def cores(kind: str) -> int | None:
    """Of a class of RDS: db.t4g.micro has 2, db.r6g.2xlarge 8. None for one of another kind, such as serverless."""
    name = kind.removeprefix("db.")
    family, _, size = name.partition(".")
    if name in _SMALL:
        return _SMALL[name]
    if size == "medium" and not family.startswith("t"):
        return 1
    many = re.fullmatch(r"(\d+)xlarge", size)
    return int(many[1]) * _PER_XLARGE if many else _CORES.get(size)


def _ended(engine: str, version: object, day: date) -> Support | None:
    found = support(engine, version) if version else None
    return found if found is not None and found.ended(day) and not found.free else None


def _said(ended: Support) -> str:
    return f"standard support ended before {ended.since}; a newer version of {ended.engine} costs nothing extra"
