"""What turns measurements into verdicts and a page."""

import pytest
from benchmarks.__main__ import PAGE, parse
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
    text = page([missed], [("cores", "2")], "python -m benchmarks", "2026-01-02", 3.0)
    assert "| deploy | overhead | ≤ 300 ms | 400 ms | NO |" in text
    assert "| part | ms |\n| --- | ---: |\n| all | 1,400 |" in text
    assert "Not met: overhead, 400 ms instead of ≤ 300 ms.\n\nThe disk is slow." in text


def test_only_a_full_run_writes_the_page() -> None:
    """The page of the repository is written by a run of all in full size, and by no other unless it is asked to."""
    assert parse([]).page == PAGE
    assert parse(["--quick"]).page is None
    assert parse(["idle"]).page is None


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
