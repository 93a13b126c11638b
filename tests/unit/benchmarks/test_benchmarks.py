"""What turns measurements into verdicts and a page."""

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.__main__ import DOCS, parse, publish
from benchmarks.measured import Measured
from benchmarks.page import page
from benchmarks.proxies.proxy import short_version
from benchmarks.result import Figure, Result, Table, number
from benchmarks.switches import p99


def test_figure_is_met_within_its_bounds() -> None:
    """A figure is met up to its bound and missed beyond it; one without a bound is neither."""
    assert Figure(name="lost", value=0, most=0).met is True
    assert Figure(name="lost", value=1, most=0).met is False
    assert Figure(name="ratio", value=0.95, least=0.95).met is True
    assert Figure(name="ratio", value=0.94, least=0.95).met is False
    assert Figure(name="rate", value=7).met is None


@pytest.mark.parametrize(
    ("value", "text"), [(1_000_000, "1,000,000"), (208.4, "208"), (12.34, "12.3"), (1.084, "1.08"), (0.0, "0")]
)
def test_numbers_have_the_digits_that_say_something(value: float, text: str) -> None:
    """Large numbers are whole, small ones keep three digits."""
    assert number(value) == text


def test_p99_is_the_value_99_of_100_keep_within() -> None:
    """Of 100 values the p99 is the second largest, of fewer the largest."""
    assert p99(list(range(1, 101))) == 99
    assert p99([3.0, 1.0, 2.0]) == 3.0


def test_page_has_targets_tables_and_what_was_missed() -> None:
    """A missed target stands in the summary and in its section, with the reason."""
    missed = Result(
        noun="deploy",
        title="Deploy",
        how="As it is.",
        figures=[Figure(name="overhead", value=400, unit="ms", most=300)],
        tables=[Table(head=("part", "ms"), rows=[("all", "1,400")])],
        because="The disk is slow.",
    )
    text = page([measured(missed)])
    assert "| deploy | overhead | ≤ 300 ms | 400 ms | NO |" in text
    assert "| part | ms |\n| --- | ---: |\n| all | 1,400 |" in text
    assert "Not met: overhead, 400 ms instead of ≤ 300 ms.\n\nThe disk is slow." in text


def measured(result: Result) -> Measured:
    return Measured(result=result, date="2026-01-02", commit="abc", minutes=3.0, machine={"cores": "2"}, load=0.4)


def test_a_part_says_when_it_was_measured_and_another_machine_is_named() -> None:
    """The machine of the first one stands at the top."""
    one = measured(Result(noun="deploy", title="Deploy", how="As it is."))
    text = page([one, replace(one, result=replace(one.result, noun="idle", title="Idle"), machine={"cores": "8"})])
    assert "`python -m benchmarks deploy` on 2026-01-02 at abc: 3 min, load 0.4 before." in text
    assert text.count("On another machine: cores 8.") == 1


def test_a_part_that_is_measured_again_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """All others stay on the page as they were, in the order of the benchmarks."""
    for noun, ms in (("idle", 1), ("deploy", 2), ("deploy", 3)):
        figure = Figure(name="time", value=ms, unit="ms", most=9)
        publish(tmp_path, Result(noun=noun, title=noun, how="So.", figures=[figure], data={"raw": [ms]}), 1.0, 0.0)
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| deploy | time | ≤ 9 ms | 3 ms | yes |\n| idle | time | ≤ 9 ms | 1 ms | yes |" in text
    assert sorted(one.name for one in tmp_path.iterdir()) == ["benchmarks.json", "benchmarks.md"]


def test_only_full_sizes_go_to_the_page(tmp_path: Path) -> None:
    """A quick look is written where it is asked to be, and nowhere else."""
    assert parse([]).docs == parse(["idle"]).docs == DOCS
    assert parse(["--quick"]).docs is None
    assert parse(["--quick", "--docs", str(tmp_path)]).docs == tmp_path
    with pytest.raises(SystemExit):
        parse(["--docs", str(tmp_path / "nowhere")])


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("nginx version: nginx/1.22.1", "1.22.1"),
        ("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", "2.6.12"),
        ("Version:      3.7.15\nCodename:     x", "3.7.15"),
        ("v2.11.7 h1:abc=", "2.11.7"),
    ],
)
def test_versions_are_read_from_what_programs_say(said: str, version: str) -> None:
    """Each program's own way of telling its version is understood."""
    assert short_version(said) == version
