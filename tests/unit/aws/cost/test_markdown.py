"""Bills as Markdown, as a pull request shows them."""

import re
from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.compare.compare import compare
from crossfade.aws.cost.show.markdown import of_bill, of_comparison
from crossfade.cli.main import crossfade

CODEMATE = Path(__file__).parents[4] / "examples" / "codemate"


def line(item: str, monthly: str | None) -> Line:
    return Line(
        area="Network",
        item=item,
        quantity=Amount.of(730),
        unit="hours",
        price=None if monthly is None else Decimal(monthly) / 730,
        monthly=None if monthly is None else Amount.of(monthly),
        source="a test",
    )


def bill(*lines: Line, title: str = "prod") -> Bill:
    return Bill(title=title, region="us-east-1", book="a test", lines=lines)


def columns(markdown: str) -> set[int]:
    """How many cells the rows of each table have."""
    return {len(re.findall(r"(?<!\\)\|", row)) for row in markdown.splitlines() if row.startswith("| `")}


def test_the_first_line_says_it_all() -> None:
    """Before, after, difference and share."""
    text = of_comparison(compare(bill(line("ALB", "16.43"), title="main"), bill(line("ALB", "32.86"))))
    assert text.splitlines()[0] == "**prod**: 16.43 -> 32.86 USD a month (+16.43, +100.0 %), against main"
    assert "| `~` | ALB | 16.43 | 32.86 | +16.43 |" in text


def test_the_whole_bill_is_folded_away() -> None:
    """What does not change is there for who opens it."""
    text = of_comparison(compare(bill(line("ALB", "16.43")), bill(line("ALB", "16.43"))))
    assert "No line of the bill changes." in text
    head, _, folded = text.partition("<details>")
    assert "ALB" not in head
    assert "| ALB | 730 hours |" in folded
    assert folded.rstrip().endswith("</details>")
    assert "</summary>\n\n|" in folded  # without the empty line GitHub shows the table as text


def test_unknown_prices_are_not_hidden() -> None:
    """They are named above the fold."""
    head = of_bill(bill(line("ALB", "16.43"), line("dashboard", None))).partition("<details>")[0]
    assert "no price is known: dashboard" in head


def test_names_break_nothing() -> None:
    """A bar or a tag in a name stays text."""
    text = of_comparison(compare(bill(), bill(line("a|b <script>\nc", "1.00"))))
    assert "<script>" not in text
    assert columns(text) == {6}


def test_the_largest_area_comes_first() -> None:
    """A bill alone says where the money goes."""
    words = ["cost", "-f", str(CODEMATE / "crossfade.yaml"), "--prices", str(CODEMATE / "prices.yaml")]
    text = CliRunner().invoke(crossfade, [*words, "-e", "prod", "--markdown"]).output
    assert text.startswith("**prod**: 674.56 USD a month, from ")
    amounts = [Decimal(found) for found in re.findall(r"^\| \w+ \| ([\d.]+) \|$", text, re.MULTILINE)]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(amounts) == Decimal("674.56")
