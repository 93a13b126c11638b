"""codemate's two bills, to the cent, from its file and its own price book."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from crossfade.aws.cost.bill.bill import Bill
from crossfade.aws.cost.file import of_file

EXAMPLE = Path(__file__).parents[4] / "examples" / "codemate"

# Every amount of their document, which adds up to their totals.
DEV = "25.11 50.22 14.60 2.76 11.68 0.25 0.05 0.50 18.40 1.84 43.07 0.59 3.03 0.50 2.00 20.00 1.00 2.50"
PROD = (
    "50.22 150.67 58.40 6.90 3.50 49.64 1.15 0.50 1.00 18.40 17.52 86.14 2.95 12.60 0.75 12.12 7.50 3.00 1.00 0.60 "
    "4.00 150.00 30.00 1.00 5.00"
)


def made(environment: str) -> Bill:
    (bill,) = of_file(EXAMPLE / "crossfade.yaml", environment, EXAMPLE / "prices.yaml")
    return bill


def amounts(bill: Bill) -> Counter[str]:
    """What is not 0."""
    return Counter(str(line.monthly.expected) for line in bill.lines if line.monthly and line.monthly.expected)


@pytest.mark.parametrize(("environment", "total"), [("dev", "198.10"), ("prod", "674.56")])
def test_the_total_is_theirs(environment: str, total: str) -> None:
    """The bill's total is the one in their document, to the cent."""
    assert made(environment).total.expected == Decimal(total)


@pytest.mark.parametrize(("environment", "theirs"), [("dev", DEV), ("prod", PROD)])
def test_each_amount_is_theirs(environment: str, theirs: str) -> None:
    """Each line costs one of their amounts, and each of their amounts is a line."""
    assert amounts(made(environment)) == Counter(theirs.split())


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nothing_is_unknown(environment: str) -> None:
    """What their bill leaves out has a price of 0 with a note, so no line is without a price."""
    bill = made(environment)
    left_out = [line for line in bill.lines if line.price == 0]
    assert (bill.unknown, all(line.note for line in left_out), bool(left_out)) == ((), True, True)


def test_the_list_prices_are_others() -> None:
    """Without their book the same file makes AWS's own bill, with its unknown lines counted."""
    (bill,) = of_file(EXAMPLE / "crossfade.yaml", "prod")
    assert bill.total.expected != Decimal("674.56")
    assert [line.item for line in bill.unknown] == [line.item for line in bill.lines if line.monthly is None] != []
