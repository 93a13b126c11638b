"""What teams expect to pay when they have saved, from their own tables and assumptions; and where their money goes."""

import json
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.aws.cost.test_codemate import made as codemate

from crossfade.aws.cost.check.bill import table_bill
from crossfade.aws.cost.check.money import Dollars
from crossfade.aws.cost.savings.assumed import proposed, read_assumptions
from crossfade.aws.cost.savings.savings import together
from crossfade.cli.main import crossfade

EXAMPLES = Path(__file__).parents[4] / "examples"


def said(system: str, *words: str) -> str:
    folder = EXAMPLES / system
    how = ["cost", "--table", str(folder / "bill.yaml"), "--save", "--assume", str(folder / "savings.yaml"), *words]
    return CliRunner().invoke(crossfade, how, standalone_mode=False, catch_exceptions=False).output


def test_two_reserved_hosts_leave_81_to_93_of_bluegreens_table() -> None:
    """42.49 instead of 60.70, and what is left lies within what the team says."""
    assert "60.70 ->     42.49" in said("bluegreen")
    assert "The team says 81.00-93.00, and it is so." in said("bluegreen")
    (data,) = json.loads(said("bluegreen", "--json"))["savings"]
    assert (data["says"], data["says_at_most"], data["as_said"]) == (81.0, 93.0, True)


def test_teammoas_hosts_come_to_10_95_reserved_and_all_of_it_to_22_in_the_free_year() -> None:
    """Of 15.18; and 22.27 is their 22."""
    assert "15.18 ->     10.95" in said("teammoa", "-e", "prod")
    assert "The team says 22.00, which is this, rounded." in said("teammoa", "-e", "free-year")


def test_feedbacks_five_days_are_about_12_dollars() -> None:
    """Hosts, database and load balancer by the hour; the public addresses are in no line of it."""
    table = EXAMPLES / "feedback" / "bill.yaml"
    assert table_bill(table).total.expected == Decimal("12.06")
    checked = CliRunner().invoke(crossfade, ["cost", "check", str(table)], standalone_mode=False)
    assert checked.return_value == 3
    assert "public IPv4 addresses: 5 not in the table" in checked.output
    assert "3 lines add up to 12.06, as the table says" in checked.output


# The parts of their bills, as their document groups them; the last one is whatever is left.
SHARES = {
    "dev": {
        "38.0": ("Fargate *",),
        "32.0": ("Load balancer*", "NAT gateway"),
        "14.7": ("Database *", "Cache *"),
        "10.1": ("LLM API",),
        "1.8": ("Logs, *", "Images in ECR"),
    },
    "prod": {
        "26.7": ("LLM API", "Unnamed in their bill"),
        "29.8": ("Fargate *",),
        "20.4": ("Load balancer*", "NAT gateway*", "Sent to the internet"),
        "17.5": ("Database *", "Cache *"),
    },
}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_codemates_shares_are_those_of_its_document(environment: str) -> None:
    """Each within a tenth of a percent."""
    bill = codemate(environment)
    for share, names in SHARES[environment].items():
        part = sum(
            (
                line.monthly.expected
                for line in bill.lines
                if line.monthly and any(fnmatch(line.item, n) for n in names)
            ),
            Decimal(0),
        )
        assert abs(100 * part / bill.total.expected - Decimal(share)) <= Decimal("0.1"), (share, part)


@pytest.mark.parametrize(
    ("written", "amount", "off"),
    [
        ("81-93", "80.50", "0"),
        ("81-93", "80.49", "-0.51"),
        ("81-93", "85", "0"),
        ("81-93", "94", "1"),
        ("138.55", "138.56", "0.01"),
        ("138.55", "138.555", "0"),
        ("22", "22.27", "0"),
    ],
)
def test_an_amount_is_right_within_what_was_written(written: str, amount: str, off: str) -> None:
    """A range from end to end, and each figure to half of its last digit."""
    assert Dollars().read(written).off(Decimal(amount)) == Decimal(off)


def test_what_is_assumed_is_about_lines_that_are_there() -> None:
    """Every assumption of an example fits its table."""
    for system in ("bluegreen", "teammoa"):
        bill = table_bill(EXAMPLES / system / "bill.yaml")
        for stage in read_assumptions(EXAMPLES / system / "savings.yaml").environments.values():
            assert together(bill, proposed(stage, bill, "savings.yaml")).then < bill.total.expected
