"""Resources and their bills, for the tests of both."""

from collections.abc import Callable
from datetime import date
from typing import Any

from crossfade.aws.cost.bill.bill import Bill, Line, bill
from crossfade.aws.cost.prices.book import PriceBook, list_prices
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

SEOUL = list_prices("ap-northeast-2")
VIRGINIA = list_prices("us-east-1")
DAY = date(2026, 11, 28)


def made(address: str, refers: dict[str, tuple[str, ...]] | None = None, **values: Any) -> Resource:
    """A resource; its type is in its address."""
    kind = next(part for part in address.split(".") if part.startswith("aws_")).split("[")[0]
    return Resource(address=address, type=kind, values=values, refers=refers or {})


def of(
    *resources: Resource,
    book: PriceBook = SEOUL,
    usage: Usage | None = None,
    day: date = DAY,
    books: Callable[[str | None], PriceBook] | None = None,
) -> Bill:
    return bill(resources, (usage or Usage()).month, book, title="test", day=day, books=books)


def items(found: Bill) -> list[str]:
    return [each.item for each in found.lines]


def line(found: Bill, item: str) -> Line:
    """The one line of this name."""
    (one,) = (each for each in found.lines if each.item == item)
    return one


def months(found: Bill, item: str) -> tuple[str, ...]:
    """What it costs at least, as expected and at most."""
    monthly = line(found, item).monthly
    assert monthly is not None
    return tuple(f"{each:.2f}" for each in (monthly.least, monthly.expected, monthly.most))
