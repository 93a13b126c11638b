"""Versions of engines that AWS still runs, past the end of standard support; for most it charges extra then."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from crossfade.aws.resources.resource import Resource
from crossfade.aws.tables import table

_AURORA_MYSQL = {"2": "5.7", "3": "8.0"}  # in 5.7.mysql_aurora.2.11 and 8.0.mysql_aurora.3.08
_FORMER = {"aurora": "aurora-mysql"}  # its name when Aurora had only one engine
# Where a type says its version, and its engine where that is not said beside it.
_VERSIONS = {
    "aws_docdb_cluster": ("engine_version", "docdb"),
    "aws_eks_cluster": ("version", "kubernetes"),
    "aws_lambda_function": ("runtime", "lambda"),
    "aws_msk_cluster": ("kafka_version", "kafka"),
    "aws_neptune_cluster": ("engine_version", "neptune"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The first day after standard support. It costs extra then unless it is `free`, and later twice as much."""

    engine: str
    version: str
    since: date
    doubled: date | None = None
    free: bool = False

    def ended(self, day: date) -> bool:
        return day >= self.since

    def is_doubled(self, day: date) -> bool:
        return self.doubled is not None and day >= self.doubled


def support(engine: str, version: object) -> Support | None:
    """What is known of a version such as 13.4 or 8.0.39; None when the table does not have it."""
    engine = _FORMER.get(engine, engine)
    known, text = _table().get(engine, {}), str(version)
    if engine == "aurora-mysql" and (own := re.search(r"mysql_aurora\.(\d+)", text)):
        text = _AURORA_MYSQL.get(own[1], text)
    for major, days in known.items():
        if text == major or text.startswith(f"{major}."):
            doubled, free = days.get("more"), "free" in days
            return Support(engine=engine, version=major, since=days["from"], doubled=doubled, free=free)
    return None


def versioned(resource: Resource) -> tuple[str, Any]:
    """The engine of a resource and its version, as the table calls them; a version that nobody names is None."""
    values = resource.values
    if resource.type == "aws_opensearch_domain":
        engine, _, version = str(values.get("engine_version") or "").rpartition("_")
        return engine.lower(), version or None
    if resource.type == "aws_elasticsearch_domain":
        return "elasticsearch", values.get("elasticsearch_version", "1.5")
    key, engine = _VERSIONS.get(resource.type, ("engine_version", "redis"))
    return str(values.get("engine") or values.get("engine_type") or engine).lower(), values.get(key)


@cache
def _table() -> Mapping[str, Mapping[str, Mapping[str, date]]]:
    loaded: Mapping[str, Mapping[str, Mapping[str, date]]] = table(__package__, "support.yaml")
    return loaded
