"""moto's DynamoDB, as quick with a long table as with a short one: a journal grows.

moto copies a table for each transaction, and sorts it several times for each query.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

Found = tuple[list[Item], int, dict[str, Any] | None]
_INDEX = 4  # where a query's index stands after its range


@cache
def quicken() -> None:
    """Once for the process, in which one thread at a time asks moto."""
    DynamoDBBackend.transact_write_items = _sharing(  # type: ignore[method-assign]
        DynamoDBBackend.transact_write_items
    )
    Table.query = _narrowed(Table.query)  # type: ignore[method-assign]


def _sharing(write: Callable[..., None]) -> Callable[..., None]:
    """What a refused transaction puts back has the same items: who puts or deletes one leaves the one before it."""

    def share(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        if any("Update" in one for one in transact_items):  # changes an item where it is
            write(self, transact_items)
            return
        Table.__deepcopy__ = _copied  # type: ignore[attr-defined]
        try:
            write(self, transact_items)
        finally:
            del Table.__deepcopy__  # type: ignore[attr-defined]

    return share


def _copied(table: Table, _: dict[int, Any]) -> Table:
    """With a list of its own of the same items."""
    made = Table.__new__(Table)
    made.__dict__ |= table.__dict__
    made.items = defaultdict(dict)
    made.items |= {key: dict(of) if table.has_range_key else of for key, of in table.items.items()}
    return made


def _narrowed(query: Callable[..., Found]) -> Callable[..., Found]:
    """Only what is in the range is looked at."""

    def narrow(
        self: Table, key: DynamoType, comparison: str | None, ends: list[DynamoType], *rest: Any, **more: Any
    ) -> Found:
        if comparison is None or rest[_INDEX]:
            return query(self, key, comparison, ends, *rest, **more)
        there = [item for line, item in self.items.get(key, {}).items() if line.compare(comparison, ends)]
        self.all_items = lambda: there  # type: ignore[method-assign]
        try:
            return query(self, key, comparison, ends, *rest, **more)
        finally:
            del self.all_items

    return narrow
