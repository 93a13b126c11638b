"""Versions of engines that AWS still runs, past the end of standard support, and charges extra for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AURORA_MYSQL = {
    "2": "5.7",
    "3": "8.0",
}  # in 5.7.mysql_aurora.2.11 and 8.0.mysql_aurora.3.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The first day on which a version costs extra, and the first on which that is doubled."""

    engine: str
    version: str
    since: date
    doubled: date | None = None

    def ended(self, day: date) -> bool:
        return day >= self.since

    def is_doubled(self, day: date) -> bool:
        return self.doubled is not None and day >= self.doubled


def support(engine: str, version: object) -> Support | None:
    """What is known of a version such as 13.4 or 8.0.39; None when the table does not have it."""
    known = _table().get(engine, {})
    text = str(version)
    if engine == "aurora-mysql" and (own := re.search(r"mysql_aurora\.(\d+)", text)):
        text = _AURORA_MYSQL.get(own[1], text)
    for major, days in known.items():
        if text == major or text.startswith(f"{major}."):
            return Support(engine=engine, version=major, since=days["from"], doubled=days.get("more"))
    return None


@cache
def _table() -> Mapping[str, Mapping[str, Mapping[str, date]]]:
    raw = files(__package__).joinpath("support.yaml").read_bytes()
    loaded: Mapping[str, Mapping[str, Mapping[str, date]]] = yaml.load(raw, _LOADER)  # noqa: S506  a safe loader
    return loaded
