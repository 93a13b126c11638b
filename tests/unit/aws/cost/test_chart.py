"""The picture of a bill: what it shows, to whom, and that it is well-formed."""

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.cost.file import of_file
from crossfade.aws.cost.show.chart import Bar, chart
from crossfade.aws.cost.show.chart_bill import drawn
from crossfade.cli.main import crossfade
from crossfade.core.errors import RefusedError, WrongInputError

EXAMPLES = Path(__file__).parents[4] / "examples"
SVG = "{http://www.w3.org/2000/svg}"


def bar(label: str, fixed: str, usage: str = "0") -> Bar:
    return Bar(label, Decimal(fixed), Decimal(usage))


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_largest_comes_first_and_the_rest_last() -> None:
    """Bars are sorted by what they cost; what is lumped together stands at the end, however large."""
    svg = chart("prod", "", [bar("small", "1"), bar("large", "90")], bar("9 smaller lines", "50"))
    shown = [text for text in texts(svg) if text in {"small", "large", "9 smaller lines"}]
    assert shown == ["large", "small", "9 smaller lines"]


def test_widths_are_in_proportion() -> None:
    """Half the money is half the bar."""
    root = ET.fromstring(chart("prod", "", [bar("a", "100"), bar("b", "50")]))
    first, second = (float(group.find(f"{SVG}rect").get("width")) for group in root.iter(f"{SVG}g"))  # type: ignore[union-attr, arg-type]
    assert second == pytest.approx(first / 2, abs=0.1)


def test_what_depends_on_use_is_hatched() -> None:
    """It differs by more than its colour, and the legend says so."""
    svg = chart("prod", "", [bar("both", "60", "40")])
    (group,) = ET.fromstring(svg).iter(f"{SVG}g")
    fills = [part.get("fill") for part in group.findall(f"{SVG}rect")]
    assert len(fills) == 2
    assert fills[1] == "url(#usage)"
    assert "depends on use" in texts(svg)


def test_the_description_tells_the_same_as_the_picture() -> None:
    """Who cannot see it hears title, amounts and notes."""
    root = ET.fromstring(chart("prod: 100.00", "Seoul", [bar("hosts", "60", "40")], notes=["unknown: x"]))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "prod: 100.00"
    assert root.findtext(f"{SVG}desc") == "Seoul. hosts: 100.00, 40.00 by use. unknown: x"


def test_a_bill_of_nothing_is_a_picture_too() -> None:
    """No bars, no division by zero."""
    assert texts(chart("dev", "nothing", [bar("free", "0")])) == ["dev", "nothing", "fixed", "depends on use"]


@given(st.text(max_size=80), st.decimals(0, 10**7, places=2), st.decimals(0, 10**7, places=2))
def test_any_name_and_amount_make_a_well_formed_picture(label: str, fixed: Decimal, usage: Decimal) -> None:
    """Names come from files and plans: none breaks out of the picture, no bar leaves it."""
    root = ET.fromstring(chart(label, label, [Bar(label, fixed, usage), bar("other", "10")], notes=[label]))
    width = float(root.get("width", "0"))
    for part in root.iter(f"{SVG}rect"):
        assert float(part.get("x", "0")) + float(part.get("width", "0")) <= width


def test_a_bill_is_drawn_with_its_total_and_what_is_unknown() -> None:
    """The title is the total; lines without a price are named below."""
    (bill,) = of_file(EXAMPLES / "codemate" / "crossfade.yaml", "prod")
    shown = texts(drawn(bill))
    assert shown[0] == f"prod: {bill.total.expected:,.2f} USD a month"
    unpriced = next(line for line in bill.unknown if not line.unsaid)
    assert any("No known price" in text and unpriced.item in text for text in shown)


def test_the_bars_add_up_to_the_total() -> None:
    """Nothing is lost between the lines of the bill and the picture."""
    (bill,) = of_file(EXAMPLES / "codemate" / "crossfade.yaml", "prod", EXAMPLES / "codemate" / "prices.yaml")
    root = ET.fromstring(drawn(bill))
    amounts = [Decimal(group.findtext(f"{SVG}title", "").rpartition(": ")[2]) for group in root.iter(f"{SVG}g")]
    assert sum(amounts) == bill.total.expected == Decimal("674.56")


def run(*words: str) -> str:
    result = CliRunner().invoke(crossfade, ["cost", "-f", str(EXAMPLES / "codemate" / "crossfade.yaml"), *words])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.output


def test_the_chart_is_written(tmp_path: Path) -> None:
    """One environment, one file."""
    path = tmp_path / "cost.svg"
    assert "shows where" in run("-e", "dev", "--chart", str(path))
    ET.parse(path)


def test_a_chart_shows_one_environment(tmp_path: Path) -> None:
    """Of several it has to be said which; a folder that is not there is named."""
    with pytest.raises(WrongInputError, match="several environments"):
        run("--chart", str(tmp_path / "cost.svg"))
    with pytest.raises(RefusedError, match="cannot be written"):
        run("-e", "dev", "--chart", str(tmp_path / "nowhere" / "cost.svg"))
