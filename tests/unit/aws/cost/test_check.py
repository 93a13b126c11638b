"""What is wrong with tables that teams write, and what is not."""

import json
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.aws.cost.check.check import TableVerdict, check
from crossfade.aws.cost.check.line import LineFinding
from crossfade.aws.cost.check.money import Dollars, Money
from crossfade.aws.cost.check.table import BillTable, TableLine, read_table
from crossfade.aws.cost.prices.book import list_prices, regions
from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError
from crossfade.file.reading.problem import WrongFileError

EXAMPLES = Path(__file__).parents[4] / "examples"


def verdict(path: Path) -> TableVerdict:
    table = read_table(path)
    elsewhere = {name: list_prices(name) for name in regions() if name != table.region}
    return check(table, list_prices(table.region), elsewhere)


def of(found: TableVerdict, name: str) -> LineFinding:
    (one,) = [finding for finding in found.findings if finding.id == name]
    return one


def money(low: str, high: str | None = None) -> Money:
    return Money(Decimal(low), Decimal(high or low))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "bill.yaml"


def test_bluegreens_total_is_not_the_sum_of_its_lines() -> None:
    """99-111 is 4.20 to 6.20 below what the lines add up to."""
    found = of(verdict(EXAMPLES / "bluegreen" / "bill.yaml"), "sum")
    assert (found.says, found.should) == (money("99", "111"), money("103.20", "117.20"))
    assert found.off == money("4.20", "6.20")
    assert "60.70 + 22.50 + 8.00 + 5.00 + 3.00 + 4.00 = 103.20" in found.arithmetic


def test_bluegreens_balancer_pays_its_capacity_twice() -> None:
    """22.50 is 16.43 fixed and 6.07 for capacity, which another line bills again."""
    found = of(verdict(EXAMPLES / "bluegreen" / "bill.yaml"), "twice")
    assert found.item == "ALB base"
    assert (found.says, found.should, found.off) == (money("22.50"), money("16.43"), money("-6.07"))
    assert "1.04 LCU" in found.found
    assert '"ALB LCU" bills again' in found.found
    assert "AWS price list" in found.source


def test_bluegreens_other_lines_are_right() -> None:
    """60.70 for 60.74 is rounding by hand, and nothing to find."""
    found = verdict(EXAMPLES / "bluegreen" / "bill.yaml")
    assert [finding.id for finding in found.findings] == ["sum", "twice"]
    assert any(line.startswith("EC2 2 x t3.medium: 2 x 730 h x 0.0416 = 60.74") for line in found.right)
    assert found.mended == money("97.13", "111.13")


def test_bluegreen_today_is_right() -> None:
    """8.50 and 0.80 make 9.30, at list prices."""
    found = verdict(EXAMPLES / "bluegreen" / "bill-today.yaml")
    assert not found.findings
    assert "2 lines add up to 9.30, as the table says" in found.right


def test_teammoas_price_is_that_of_another_region() -> None:
    """0.0104 for a t3.micro is named as us-east-1's price; Seoul's is 0.013, 3.80 more a month."""
    found = of(verdict(EXAMPLES / "teammoa" / "bill.yaml"), "region")
    assert "0.0104 is the price in us-east-1 and us-west-2; in ap-northeast-2 it is 0.013" in found.found
    assert (found.says, found.should, found.off) == (money("15.18"), money("18.98"), money("3.80"))


def test_teammoa_forgets_public_addresses() -> None:
    """Two hosts and a balancer in two zones have four, at 0.005 an hour each."""
    found = of(verdict(EXAMPLES / "teammoa" / "bill.yaml"), "missing")
    assert found.should == money("14.60")
    assert found.arithmetic == "4 x 730 h x 0.005 = 14.60"
    assert "2 hosts + 2 zones of the load balancer" in found.found


def test_teammoas_range_does_not_hold_the_sum() -> None:
    """The lines add up to 38.71, which is not within 40-50; put right they are 57.11, which is not either."""
    found = verdict(EXAMPLES / "teammoa" / "bill.yaml")
    assert of(found, "sum").should == money("38.71")
    assert found.mended == money("57.11")


def test_tiketis_fargate_is_too_cheap() -> None:
    """Two tasks of 2 vCPU and 4 GB cost 165.80 in Seoul at list price, and not 100."""
    findings = {finding.item: finding for finding in verdict(EXAMPLES / "tiketi" / "bill.yaml").findings}
    assert (findings["Fargate"].says, findings["Fargate"].should) == (money("100"), money("165.80"))
    assert findings["Fargate"].arithmetic == "4 x 730 h x 0.04656 + 8 x 730 h x 0.00511 = 165.80"


def test_tiketis_sum_is_right_and_said_so() -> None:
    """Wrong prices do not make a sum wrong."""
    found = verdict(EXAMPLES / "tiketi" / "bill.yaml")
    assert found.right[0] == "12 lines add up to 350.00, as the table says"
    assert not [finding for finding in found.findings if finding.id == "sum"]


def test_a_price_that_nobody_knows_is_said_and_counts_as_nothing_wrong() -> None:
    """A Multi-AZ db.t3.medium in Seoul is not in the price book."""
    assert verdict(EXAMPLES / "tiketi" / "bill.yaml").unpriced == ("RDS",)


def test_a_balancer_with_its_capacity_in_one_line_is_right() -> None:
    """23 is 16.43 and 1.13 LCU, when no other line bills capacity."""
    assert "ALB: 23.00 holds 16.43 fixed and 6.57 for 1.13 LCU" in verdict(EXAMPLES / "tiketi" / "bill.yaml").right


def test_quantity_times_price_has_to_be_the_amount(written: Path) -> None:
    """A slip in multiplying is found even where the price is right."""
    written.write_text(
        "region: us-east-1\n"
        "lines: [{item: hosts, kind: ec2.hour.t3.micro, quantity: 2, unit_price: 0.0104, monthly: 7.59}]\n"
    )
    found = of(verdict(written), "arithmetic")
    assert (found.says, found.should) == (money("7.59"), money("15.18"))


def test_what_exists_may_be_in_the_table(written: Path) -> None:
    """Only addresses that no line pays for are missing."""
    written.write_text(
        "region: us-east-1\n"
        "lines: [{item: addresses, kind: public-ipv4.hour, quantity: 2, monthly: 7.30}]\n"
        "exists: {public_hosts: 3}\n"
    )
    assert of(verdict(written), "missing").should == money("3.65")


def test_prices_of_an_unknown_region_are_unknown(written: Path) -> None:
    """Where no price is known nothing is called wrong; an address costs the same everywhere, and is found missing."""
    written.write_text(
        "region: eu-south-2\n"
        "lines: [{item: host, kind: ec2.hour.t3.micro, quantity: 1, monthly: 1}]\n"
        "exists: {public_hosts: 1}\n"
    )
    found = verdict(written)
    assert [each.id for each in found.findings] == ["missing"]
    assert found.unpriced == ("host",)


@settings(deadline=None)  # the first example reads the books of all regions
@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=8), st.integers(1, 10**6))
def test_a_sum_is_found_wrong_exactly_when_it_is(amounts: list[tuple[int, int]], off: int) -> None:
    """For any ranges in cents: their sum passes, and a total that is a cent or more off does not."""
    ends = [sorted(pair) for pair in amounts]
    lines = tuple(
        TableLine(item=f"line {index}", monthly=f"{low / 100:.2f}-{high / 100:.2f}")
        for index, (low, high) in enumerate(ends)
    )
    low, high = (sum(pair[end] for pair in ends) for end in (0, 1))
    book = list_prices("us-east-1")
    right = BillTable(region="us-east-1", lines=lines, total=f"{low / 100:.2f}-{high / 100:.2f}")
    wrong = BillTable(region="us-east-1", lines=lines, total=f"{low / 100:.2f}-{(high + off) / 100:.2f}")
    assert not check(right, book, {}).findings
    assert low == high or [finding.id for finding in check(wrong, book, {}).findings] == ["sum"]


@pytest.mark.parametrize(("text", "slack"), [("23", "0.5"), ("23.0", "0.05"), ("22.50", "0.005"), ("8-15.5", "0.5")])
def test_the_digits_written_say_how_exact_it_is(text: str, slack: str) -> None:
    """Half of the last digit; of a range the coarser end."""
    assert Dollars().read(text).rounding == Decimal(slack)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("lines: [{item: a, monthly: 1}]", "1:1", "no region"),
        ("region: us-east-1\nlines: []", "2:1", "found no lines"),
        ("region: us-east-1\nlines: [{item: a, monthly: a lot}]", "2:19", "dollars such as 22.50"),
        ("region: us-east-1\nlines: [{item: a, monthly: 15-8}]", "2:19", "the smaller first"),
        ("region: us-east1\nlines: [{item: a, monthly: 1}]", "1:1", "did you mean us-east-1"),
        ("region: us-east-1\nlines: [{item: a, monthly: 1, kind: alb.hours}]", "2:31", "did you mean alb.hour"),
        ("region: us-east-1\nlines: [{item: a, monthly: 1, quantity: 0}]", "2:31", "a number above 0"),
        ("region: us-east-1\nlines: [{item: a, monthly: 1, unit_price: 2}]", "2:31", "kind: ... and quantity"),
        ("region: us-east-1\nlines: [{item: a, monthly: 1, kinds: alb.hour}]", "2:31", "did you mean kind?"),
        ("region: us-east-1\nlines: [{item: a, monthly: 1}, {item: a, monthly: 2}]", "2:33", 'a second "a"'),
    ],
)
def test_what_is_no_table_gets_one_clear_error(written: Path, text: str, where: str, words: str) -> None:
    """The error names the line, the key, and what is allowed."""
    written.write_text(text)
    with pytest.raises(WrongFileError) as error:
        read_table(written)
    assert f"bill.yaml:{where}: " in error.value.cause
    assert words in error.value.cause


def run(*words: str) -> Result:
    result = CliRunner().invoke(crossfade, ["cost", "check", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result


def test_the_exit_code_says_whether_all_is_right() -> None:
    """0 for a table that is right, 3 for one that is not."""
    assert run(str(EXAMPLES / "bluegreen" / "bill-today.yaml")).return_value == 0
    assert run(str(EXAMPLES / "bluegreen" / "bill.yaml")).return_value == 3


def test_a_region_on_the_command_line_counts() -> None:
    """What is a wrong price in Seoul is the right one in us-east-1."""
    table = str(EXAMPLES / "teammoa" / "bill.yaml")
    data = json.loads(run(table, "--region", "us-east-1", "--json").output)
    assert data["region"] == "us-east-1"
    assert [finding["item"] for finding in data["findings"] if finding["id"] == "region"] == ["data transfer 10 GB"]
    with pytest.raises(WrongInputError, match="us-est-1"):
        run(table, "--region", "us-est-1")


def test_a_book_of_ones_own_counts(tmp_path: Path) -> None:
    """What was negotiated is not wrong; a book of another region is."""
    own = tmp_path / "prices.yaml"
    own.write_text("region: ap-northeast-2\nprices: {ec2.hour.t3.micro: 0.0104}\n")
    table = str(EXAMPLES / "teammoa" / "bill.yaml")
    ids = [each["id"] for each in json.loads(run(table, "--prices", str(own), "--json").output)["findings"]]
    assert ids == ["sum", "missing"]
    with pytest.raises(WrongInputError, match="prices of ap-northeast-2"):
        run(str(EXAMPLES / "bluegreen" / "bill.yaml"), "--prices", str(own))


def test_programs_get_every_figure() -> None:
    """Each finding with both ends of what is said, what should be, and the difference."""
    data = json.loads(run(str(EXAMPLES / "bluegreen" / "bill.yaml"), "--json").output)
    assert data["right"] is False
    assert data["findings"][0]["off"] == {"low": 4.2, "high": 6.2}
    assert data["mended"] == {"low": 97.13, "high": 111.13}
    assert data["taken"] == ["ALB LCU", "data transfer", "CloudWatch"]
