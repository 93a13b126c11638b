"""Bursts of databases: what burstable classes cost beyond the processor time that they earn.

They run in unlimited mode and, other than hosts, cannot leave it: https://aws.amazon.com/rds/pricing/.
"""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Charge
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_BURST = ("t3", "t4g")
# Type -> where its class stands, and whose credits it uses up.
_STORES = {
    "aws_db_instance": ("instance_class", "rds"),
    "aws_rds_cluster_instance": ("instance_class", "aurora"),
    "aws_docdb_cluster_instance": ("instance_class", "docdb"),
    "aws_neptune_cluster_instance": ("instance_class", "neptune"),
    "aws_dms_replication_instance": ("replication_instance_class", "dms"),
}


def bursts(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for store in inventory.of(*_STORES):
        key, service = _STORES[store.type]
        if any(f".{family}." in str(store.values.get(key, "")) for family in _BURST):
            price = f"{service}.cpu-credit-hour"
            if service == "rds":
                price = _of_engine(inventory, store)
            yield used("Data", "CPU beyond what databases earn", price, "vCPU-hours", (store.address,), usage)


def _of_engine(inventory: Inventory, database: Resource) -> str:
    """A replica has the engine of what it copies."""
    primary = next(iter(inventory.referred(database, "replicate_source_db", "aws_db_instance")), database)
    engine = str(database.values.get("engine") or primary.values.get("engine") or "unknown")
    return "aurora.cpu-credit-hour" if engine.startswith("aurora") else f"rds.cpu-credit-hour.{engine}"
