"""A question to AWS's price list: what to ask for one of our prices."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from crossfade.aws.tables import table

_PART = re.compile(r"\\{(\w+)\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuestion:
    """A product by its attributes, and how its usage type ends. `times` of AWS's units are one of ours."""

    key: str
    service: str
    where: Mapping[str, str]
    usage: str
    times: Decimal

    @property
    def filters(self) -> list[dict[str, str]]:
        """As GetProducts takes them."""
        return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in self.where.items()]


def question(key: str, region: str) -> PriceQuestion | None:
    """None for a price that nobody here knows how to ask for."""
    for pattern, row in _rows():
        match = pattern.fullmatch(key)
        words = row.get("words", {})
        # A word that the table does not have would ask for something else.
        if match is None or (words and not all(_known(part, words) for part in match.groups())):
            continue
        parts = {name: words.get(text, text) for name, text in match.groupdict().items()}
        where = {field: text.format_map(parts) for field, text in row["where"].items()}
        if not row.get("everywhere"):
            where["regionCode"] = region
        usage = row.get("usage", "").format_map(parts)
        return PriceQuestion(
            key=key, service=row["service"], where=where, usage=usage, times=Decimal(row.get("times", 1))
        )
    return None


def rows() -> Sequence[Mapping[str, Any]]:
    """The table."""
    found: Sequence[Mapping[str, Any]] = table(__package__, "questions.yaml")
    return found


def _known(part: str, words: Mapping[str, str]) -> bool:
    return part in words or "." in part


@cache
def _rows() -> Sequence[tuple[re.Pattern[str], Mapping[str, Any]]]:
    return [(re.compile(_PART.sub(r"(?P<\1>.+?)", re.escape(row["key"]))), row) for row in rows()]
