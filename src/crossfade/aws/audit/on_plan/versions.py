"""Engines of a plan that AWS supports no longer, or only for a charge."""

from collections.abc import Iterator
from datetime import date

from crossfade.aws.audit.finding import Mark
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.support import support

_ENGINES = ("aws_db_instance", "aws_rds_cluster", "aws_elasticache_replication_group", "aws_elasticache_cluster")


def past_support(inventory: Inventory, day: date) -> Iterator[Mark]:
    """On `day`. A replica has its primary's version, and a node its group's."""
    named = [
        (one, str(one.values.get("engine", "redis")), one.values.get("engine_version"))
        for one in inventory.of(*_ENGINES)
    ]
    named += [(one, "kubernetes", one.values.get("version")) for one in inventory.of("aws_eks_cluster")]
    for resource, engine, version in named:
        found = support(engine, version) if version else None
        if found is not None and found.ended(day):
            yield Mark(resource.address, f"{engine} {found.version} is past its standard support since {found.since}")


BY_DAY = {"CF-DAT-017": past_support}
