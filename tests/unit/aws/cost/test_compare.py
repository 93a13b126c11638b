"""Two bills side by side, and what they are compared with."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.compare.compare import compare
from crossfade.aws.cost.compare.other import saved_bill
from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError

EXAMPLES = Path(__file__).parents[4] / "examples"
CODEMATE = EXAMPLES / "codemate" / "crossfade.yaml"


def line(item: str, monthly: str | None, *, key: str = "alb.hour", address: str = "") -> Line:
    amount = None if monthly is None else Amount.of(monthly)
    return Line(
        area="Other",
        item=item,
        quantity=Amount.of(1),
        unit="months",
        price=None if monthly is None else Decimal(monthly),
        monthly=amount,
        source="a test",
        addresses=(address,) if address else (),
        rate=((Decimal(1), key),),
    )


def bill(*lines: Line, title: str = "prod") -> Bill:
    return Bill(title=title, region="us-east-1", book="a test", lines=lines)


def test_lines_are_new_changed_gone_or_the_same() -> None:
    """+ ~ - and =, with what each makes of the total."""
    before = bill(line("kept", "1.00"), line("dearer", "2.00"), line("gone", "3.00"))
    after = bill(line("kept", "1.00"), line("dearer", "2.50"), line("new", "4.00"))
    found = compare(before, after)
    assert [(row.sign, row.item, row.difference) for row in found.rows] == [
        ("=", "kept", Decimal(0)),
        ("~", "dearer", Decimal("0.50")),
        ("+", "new", Decimal("4.00")),
        ("-", "gone", Decimal("-3.00")),
    ]
    assert (found.difference, found.percent) == (Decimal("1.50"), Decimal("25.0"))


def test_another_size_of_the_same_thing_is_a_change() -> None:
    """A database that grew is one line that changed, and not one that went and one that came."""
    small = line("db.t4g.micro", "18.25", key="rds.hour.postgres.single.db.t4g.micro", address="aws_db_instance.this")
    large = line("db.t4g.small", "74.46", key="rds.hour.postgres.multi.db.t4g.small", address="aws_db_instance.this")
    (row,) = compare(bill(small), bill(large)).rows
    assert (row.sign, row.item, row.difference) == ("~", "db.t4g.micro -> db.t4g.small", Decimal("56.21"))


def test_different_things_are_not_taken_for_one() -> None:
    """The same kind of price on other resources is another line."""
    one = line("first", "1.00", address="aws_lb.one")
    other = line("second", "1.00", address="aws_lb.other")
    assert {row.sign for row in compare(bill(one), bill(other)).rows} == {"+", "-"}


def test_an_unknown_price_has_an_unknown_difference() -> None:
    """It is counted, and never taken for 0."""
    found = compare(bill(line("dashboard", None)), bill(line("dashboard", "3.00"), line("trail", None)))
    assert [row.difference for row in found.rows] == [None, None]
    assert len(found.unknown) == 2


def test_a_first_bill_has_no_percentage() -> None:
    """Nothing cannot grow by a share of itself."""
    assert compare(bill(), bill(line("new", "4.00"))).percent is None


AMOUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.decimals(0, 10**5, places=2), max_size=8)


@given(AMOUNTS, AMOUNTS)
def test_the_rows_explain_the_whole_difference(before: dict[str, Decimal], after: dict[str, Decimal]) -> None:
    """For any two bills each line is in one row, and the rows add up to the difference of the totals."""
    was, will_be = (bill(*(line(item, str(amount)) for item, amount in each.items())) for each in (before, after))
    found = compare(was, will_be)
    assert sum(row.difference or 0 for row in found.rows) == found.difference
    assert sorted(row.before.item for row in found.rows if row.before) == sorted(before)
    assert sorted(row.after.item for row in found.rows if row.after) == sorted(after)
    assert not compare(was, was).changed


def run(*words: str) -> str:
    result = CliRunner().invoke(crossfade, ["cost", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result.output


def comparison(*words: str) -> dict[str, object]:
    (found,) = json.loads(run(*words, "--json"))["comparisons"]
    return dict(found)


def test_with_another_environment() -> None:
    """What production costs beside development."""
    found = comparison("-f", str(CODEMATE), "-e", "prod", "--compare", "dev")
    assert found["before"]["title"] == "dev"  # type: ignore[index]
    signs = {row["item"]: row["sign"] for row in found["lines"]}  # type: ignore[attr-defined]
    assert signs["NAT gateway"] == "~"
    text = run("-f", str(CODEMATE), "-e", "prod", "--compare", "dev")
    assert "Database postgres db.t4g.micro -> Database postgres db.t4g.small" in text
    assert "Total" in text


def test_with_a_bill_that_was_saved(tmp_path: Path) -> None:
    """A bill that went through JSON is the same bill: nothing changes."""
    path = tmp_path / "bill.json"
    path.write_text(run("-f", str(CODEMATE), "-e", "dev", "--json"))
    assert comparison("-f", str(CODEMATE), "-e", "dev", "--compare", str(path))["difference"] == 0
    assert "No line of the bill changes" in run("-f", str(CODEMATE), "-e", "dev", "--compare", str(path))


def test_with_a_table_and_with_another_file() -> None:
    """A team's own figures beside ours, and another crossfade.yaml."""
    tiketi = EXAMPLES / "tiketi"
    found = comparison("-f", str(tiketi / "crossfade.yaml"), "-e", "prod", "--compare", str(tiketi / "bill.yaml"))
    assert found["before"]["total"]["expected"] == 350  # type: ignore[index]
    other = comparison("-f", str(CODEMATE), "-e", "prod", "--compare", str(tiketi / "crossfade.yaml"))
    assert "tiketi" in other["before"]["title"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("-e", "prod", "--compare", "prud"), 'no environment "prud"'),
        (("--compare", "dev"), "several environments"),
        (("-e", "prod", "--compare", "local"), "not on AWS"),
    ],
)
def test_what_cannot_be_compared_is_said(words: tuple[str, ...], cause: str) -> None:
    """One clear error each."""
    with pytest.raises(WrongInputError, match=cause):
        run("-f", str(CODEMATE), *words)


@pytest.mark.parametrize(
    ("was", "now"), [('"expected": 0.5', '"expected": 1e99'), ('"item": "NAT gateway"', '"item": 3')]
)
def test_a_bill_that_was_edited_into_nonsense_is_refused(tmp_path: Path, was: str, now: str) -> None:
    """It would otherwise break what is made from it."""
    path = tmp_path / "bill.json"
    text = run("-f", str(CODEMATE), "-e", "dev", "--json")
    assert was in text
    path.write_text(text.replace(was, now, 1))
    with pytest.raises(WrongInputError, match="is not a bill"):
        saved_bill(path)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"bills": []}', '{"bills": [{"title": "x"}]}', '{"bills": 3}'])
def test_what_is_no_bill_is_refused(tmp_path: Path, text: str) -> None:
    """A file that was not saved by `cost --json` is named, with how to make one."""
    path = tmp_path / "bill.json"
    path.write_text(text)
    with pytest.raises(WrongInputError, match="is not a bill"):
        saved_bill(path)


@pytest.mark.parametrize(
    "words",
    [("--save", "--diff", "HEAD"), ("--plan", "x", "--table", "y"), ("--assume", "x"), ("--save", "--markdown")],
)
def test_ways_that_exclude_each_other(words: tuple[str, ...]) -> None:
    """Two questions at once are refused before anything is read."""
    with pytest.raises(click.UsageError):
        run(*words)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose file has one task in its first commit, and three in its folder."""
    file = tmp_path / "deploy" / "crossfade.yaml"
    file.parent.mkdir()
    text = CODEMATE.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    (tmp_path / "later.txt").write_text("")
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "deploy"], [*name, "commit", "-q", "-m", "first"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    for words in (["rm", "-q", "--cached", "deploy/crossfade.yaml"], [*name, "commit", "-q", "-m", "without"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    file.write_text(text.replace("nat: one", "nat: per-zone"), encoding="utf-8")
    return file


def test_the_same_file_at_another_revision(repository: Path) -> None:
    """A second NAT gateway is what the change costs: 43.07, and what goes through it."""
    found = comparison("-f", str(repository), "-e", "dev", "--diff", "v1")
    changed = {row["item"]: row["difference"] for row in found["lines"] if row["sign"] != "="}  # type: ignore[attr-defined]
    assert changed["NAT gateway"] == 43.07
    assert found["before"]["title"] == "dev at v1"  # type: ignore[index]


def test_every_environment_is_compared_with_itself(repository: Path) -> None:
    """Without -e, a comparison for each that is on AWS."""
    titles = [
        each["after"]["title"]
        for each in json.loads(run("-f", str(repository), "--diff", "v1", "--json"))["comparisons"]
    ]
    assert titles == ["dev", "staging", "prod"]


@pytest.mark.parametrize(
    ("revision", "cause"),
    [("v2", 'git knows no revision "v2"'), ("HEAD", "is not in revision HEAD"), ("--help", "git knows no revision")],
)
def test_a_revision_that_git_does_not_have(repository: Path, revision: str, cause: str) -> None:
    """A wrong name, a commit without the file, an option in disguise: each is said."""
    with pytest.raises(WrongInputError, match=cause):
        run("-f", str(repository), f"--diff={revision}")


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to compare with."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    file = tmp_path / "crossfade.yaml"
    file.write_text(CODEMATE.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(WrongInputError, match="is in no git repository"):
        run("-f", str(file), "--diff", "HEAD")
