"""Nothing that an app writes does anything to the terminal of whoever looks at it."""

import pytest

from crossfade.platforms.local.runtimes.processes.logs import spoken
from crossfade.telling.story import Story
from crossfade.telling.text import plain

ATTACKS = [
    "\x1b]0;owned\x07",  # the window's title
    "\x1b]52;c;ZWNobyBvd25lZA==\x07",  # the clipboard
    "\x1b[2J\x1b[1;1Hall is well",  # another screen
    "\x9b2J",  # the same as one byte
    "\x1bP$q\x1b\\",  # a question that the terminal answers as if typed
    "ok\rbroken",  # a line over the line
    "a\u202eb",  # text that runs the other way
    "\x00\x07\x08\x7f",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_terminal_gets_no_sequence(attack: str) -> None:
    """What is shown has no control character but tabs and line ends."""
    for shown in (plain(attack), plain(f"\x1b[31mred{attack}", colours=True).replace("\x1b[31m", "", 1)):
        assert not [c for c in shown.removesuffix("\x1b[0m") if c in "\x1b\x9b\x07\r\x00\x08\x7f\u202e"]


def test_what_people_write_stays() -> None:
    """Tabs, lines, accents and emoji are no control characters."""
    assert plain("a\tb\n  Zürich ✓ 🚀") == "a\tb\n  Zürich ✓ 🚀"


def test_colours_of_a_log_stay_and_end() -> None:
    """On a terminal a log is as coloured as its app made it, and the next line is not."""
    assert plain("\x1b[1;31merror\x1b[0m: x", colours=True) == "\x1b[1;31merror\x1b[0m: x\x1b[0m"
    assert plain("\x1b[1;31merror\x1b[0m: x") == "\ufffd[1;31merror\ufffd[0m: x"


@pytest.mark.parametrize("attack", ATTACKS)
def test_last_words_are_clean_where_they_are_written_down(attack: str) -> None:
    """A verdict quotes the last line of an app, in the journal and in every place that shows it."""
    said = spoken(f"starting\n{attack}done\n".encode(), 1)
    assert "done" in said or "\r" in attack
    assert not [c for c in said if c in "\x1b\x9b\x07\r\x00\x08\x7f"]


def test_an_event_is_told_without_them() -> None:
    """Also when an earlier controller wrote them down."""
    event = {"kind": "instance exited", "data": {"instance": "web-1", "detail": "exited: \x1b]0;owned\x07"}}
    assert Story().tell(event) == ["web-1 exited: \ufffd]0;owned\ufffd"]
