"""Prices by class, one table a service: rows are classes, columns are regions.

A table begins with the source of all that is in it: `# source: ...`. A cell without a number is unknown. A row of a
family of EC2 has the price of the size `large`; the other sizes cost in proportion.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files

from crossfade.aws.cost.prices.price import Price

_SOURCE = "# source:"
_KEY = "key"
_HOSTS = "ec2.hour."
_SEARCH = ".search"  # what Elasticsearch has at the same price
_SIZES = {
    "nano": "0.0625",
    "micro": "0.125",
    "small": "0.25",
    "medium": "0.5",
    "large": "1",
    "xlarge": "2",
    **{f"{many}xlarge": str(2 * many) for many in (2, 3, 4, 6, 8, 9, 10, 12, 16, 18, 24, 32, 48)},
}


def classes(region: str) -> dict[str, Price]:
    """What every table says of a region, by key."""
    return {
        key: Price(usd=usd, source=source)
        for source, rows in _tables()
        for row in rows
        if row.get(region)
        for key, usd in _sizes(row[_KEY], Decimal(row[region]))
    }


def _sizes(key: str, usd: Decimal) -> Iterator[tuple[str, Decimal]]:
    if key.endswith(_SEARCH):
        yield f"{key.removesuffix(_SEARCH)}.elasticsearch", usd
    if not key.startswith(_HOSTS):
        yield key, usd
        return
    for size, larges in _SIZES.items():
        yield f"{key}.{size}", (usd * Decimal(larges)).normalize()


@cache
def _tables() -> tuple[tuple[str, list[dict[str, str]]], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".csv"):
            lines = entry.read_text("utf-8").splitlines()
            source = next(line for line in lines if line.startswith(_SOURCE)).removeprefix(_SOURCE).strip()
            yield source, list(csv.DictReader(line for line in lines if not line.startswith("#")))
