"""Durations, percentages, sizes: what people write, what it becomes, and what is not guessed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.file.units import (
    Duration,
    Number,
    Percent,
    Share,
    Size,
    Text,
    Whole,
    read_duration,
    read_percent,
    read_size,
    write_duration,
    write_percent,
    write_size,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1d", 86400.0),
        ("250ms", 0.25),
        ("1h30m", 5400.0),
        ("1s100ms", 1.1),
        ("0.5s", 0.5),
        ("15", 15.0),
        (" 15s ", 15.0),
        (15, 15.0),
        (0.25, 0.25),
        (0, 0.0),
    ],
)
def test_a_duration_is_read_as_people_write_it(written: object, seconds: float) -> None:
    """Units may be combined; a plain number is seconds."""
    assert read_duration(written) == seconds


@pytest.mark.parametrize(
    "wrong", ["", "s", "1x", "1 h", "-1s", "1s-", "five", None, True, [], {}, -1, float("inf"), 10**400, float("nan")]
)
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    """The error says what would be one."""
    with pytest.raises(ValueError, match=r"^a duration such as 30s"):
        read_duration(wrong)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (90.0, "1m30s"),
        (3600.0, "1h"),
        (5400.0, "1h30m"),
        (90061.5, "1d1h1m1.5s"),
    ],
)
def test_a_duration_is_written_in_its_largest_units(seconds: float, text: str) -> None:
    """Nobody wants to read 90061.5."""
    assert write_duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_written_duration_reads_as_the_same_number(seconds: float) -> None:
    """Down to the microsecond nothing is lost on the way to the daemon."""
    rounded = read_duration(seconds)
    assert read_duration(write_duration(rounded)) == rounded


@pytest.mark.parametrize(
    ("written", "percent"),
    [("1%", 1.0), ("0.5%", 0.5), ("50 %", 50.0), ("50", 50.0), (50, 50.0), (2.5, 2.5), (0, 0.0), (1, 1.0)],
)
def test_a_percentage_is_read_as_people_write_it(written: object, percent: float) -> None:
    """With the sign or, from 1 on, without."""
    assert read_percent(written) == percent


def test_a_bare_fraction_is_refused_with_both_of_its_meanings() -> None:
    """0.01 may be 1 % or 0.01 %; guessing would move a rollback threshold a hundredfold."""
    with pytest.raises(ValueError, match=r"1% or 0\.01%"):
        read_percent(0.01)
    with pytest.raises(ValueError, match=r"1% or 0\.01%"):
        read_percent("0.01")


@given(st.floats(min_value=0, max_value=100))
def test_a_written_percentage_reads_as_the_same_number(percent: float) -> None:
    """Also those below 1, which need their sign."""
    rounded = read_percent(f"{percent:.9f}%")
    assert read_percent(write_percent(rounded)) == rounded


@pytest.mark.parametrize("wrong", ["", "%", "x%", "-1%", None, False, [], -1, float("nan")])
def test_what_is_no_percentage_is_refused(wrong: object) -> None:
    """The error says what would be one."""
    with pytest.raises(ValueError, match=r"^a percentage such as"):
        read_percent(wrong)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("512M", 512 << 20),
        ("1G", 1 << 30),
        ("1.5G", 1536 << 20),
        ("64KiB", 64 << 10),
        ("1gb", 1 << 30),
        ("100", 100),
        ("10B", 10),
        (7, 7),
    ],
)
def test_a_size_is_read_as_people_write_it(written: object, size: int) -> None:
    """All units are powers of 1024, as Docker counts."""
    assert read_size(written) == size


@pytest.mark.parametrize("wrong", ["", "M", "1X", "-1M", None, True, 1.5, -1])
def test_what_is_no_size_is_refused(wrong: object) -> None:
    """The error says what would be one."""
    with pytest.raises(ValueError, match=r"^a size such as"):
        read_size(wrong)


@given(st.integers(min_value=0, max_value=1 << 50))
def test_a_written_size_reads_as_the_same_number(size: int) -> None:
    """Whatever the unit."""
    assert read_size(write_size(size)) == size


def test_a_size_is_written_in_its_largest_exact_unit() -> None:
    """1.5 GiB is 1536M, not 1610612736."""
    assert [write_size(size) for size in (0, 100, 1536 << 20, 1 << 30)] == ["0", "100", "1536M", "1G"]


@pytest.mark.parametrize(
    ("notation", "wrong", "allowed"),
    [
        (Duration(least=1, most=3600), "2h", "a duration from 1s to 1h"),
        (Percent(), "101%", "a percentage from 0% to 100%"),
        (Share(least=1), "12.5%", "a whole percentage from 1 to 100"),
        (Share(), "x", "a whole percentage from 0 to 100"),
        (Size(least=6 << 20), 512, "a size from 6M to 1024T, such as 512M or 1G"),
        (Whole(1, 9), True, "a whole number from 1 to 9"),
        (Whole(1, 9), "3", "a whole number from 1 to 9"),
        (Number(above=0, most=64), 0, "a number above 0, up to 64"),
        (Number(above=0, most=64), "x", "a number above 0, up to 64"),
        (Text("[a-z]+", "lower-case letters"), "A", "lower-case letters"),
        (Text("[a-z]+", "lower-case letters"), 7, "lower-case letters"),
    ],
)
def test_a_notation_says_what_it_allows(notation: Duration, wrong: object, allowed: str) -> None:
    """The text of its error completes the sentence "allowed: ..."."""
    with pytest.raises(ValueError, match=f"^{allowed}$"):
        notation.read(wrong)


def test_a_share_is_a_whole_number_however_it_is_written() -> None:
    """Traffic and capacity are cut into hundred parts."""
    assert [Share().read(value) for value in (50, "50%", "50", 50.0)] == [50, 50, 50, 50]


def test_cores_may_be_quoted_as_compose_files_do() -> None:
    """Text such as "0.5" is half a core."""
    assert Number(above=0, most=64).read("0.5") == 0.5
