"""Engines of a plan that AWS supports no longer, or only for a charge."""

from collections.abc import Iterator
from datetime import date

from crossfade.aws.audit.finding import Mark
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.support import support, versioned

_ENGINES = (
    *("aws_db_instance", "aws_rds_cluster", "aws_elasticache_replication_group", "aws_elasticache_cluster"),
    *("aws_docdb_cluster", "aws_neptune_cluster", "aws_opensearch_domain", "aws_elasticsearch_domain"),
    *("aws_mq_broker", "aws_msk_cluster", "aws_eks_cluster", "aws_lambda_function"),
)


def past_support(inventory: Inventory, day: date) -> Iterator[Mark]:
    """On `day`. A replica has its primary's version, and a node its group's."""
    for resource in inventory.of(*_ENGINES):
        engine, version = versioned(resource)
        found = support(engine, version) if version else None
        if found is not None and found.ended(day):
            yield Mark(resource.address, f"{engine} {found.version} is past its standard support since {found.since}")


BY_DAY = {"CF-DAT-017": past_support}
