"""The controller's own log, which nobody may fill the disk with."""

import logging

from crossfade.controller.daemon import SAID_AGAIN, Sparingly


def said(text: str, at: float, why: Exception | None = None) -> logging.LogRecord:
    told = (type(why), why, None) if why else None
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, text, None, told)
    record.created = at
    return record


def test_what_is_said_a_hundred_times_a_second_is_written_once_a_minute() -> None:
    """By its first line: what follows tells of the socket, which is another one each time. Others are said."""
    sparingly = Sparingly()
    lines = [said(f"socket.accept() out of system resource\nsocket: {number}", number / 100) for number in range(200)]
    assert sum(sparingly.filter(line) for line in lines) == 1
    assert sparingly.filter(said("another", 2.0))
    assert not sparingly.filter(said("socket.accept() out of system resource", SAID_AGAIN - 1))
    assert sparingly.filter(said("socket.accept() out of system resource", SAID_AGAIN + 1))


def test_two_failures_in_the_same_words_are_both_written() -> None:
    """Asyncio tells of each task that nobody waited for by the same line: what it failed of is another matter."""
    sparingly, text = Sparingly(), "Task exception was never retrieved\nfuture: <Task>"
    whys = (OSError(24, "Too many open files"), KeyError("shop/web"), OSError(24, "Too many open files"))
    assert [sparingly.filter(said(text, 0.0, why)) for why in whys] == [True, True, False]
