"""Prices by class, one table a service: rows are classes, columns are regions.

A table begins with the source of all that is in it: `# source: ...`. A cell without a number is unknown.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files

from crossfade.aws.cost.prices.price import Price

_SOURCE = "# source:"
_KEY = "key"


def classes(region: str) -> dict[str, Price]:
    """What every table says of a region, by key."""
    return {
        row[_KEY]: Price(usd=Decimal(row[region]), source=source)
        for source, rows in _tables()
        for row in rows
        if row.get(region)
    }


@cache
def _tables() -> tuple[tuple[str, list[dict[str, str]]], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".csv"):
            lines = entry.read_text("utf-8").splitlines()
            source = next(line for line in lines if line.startswith(_SOURCE)).removeprefix(_SOURCE).strip()
            yield source, list(csv.DictReader(line for line in lines if not line.startswith("#")))
