"""Reading a log that grows and is rotated."""

from pathlib import Path

from crossfade.platforms.local.balancers.counted.tail import Tail, rotate


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    """Whole lines, each once; a half one waits for its end."""
    log = tmp_path / "log"
    tail = Tail(log)
    assert tail.lines() == []
    log.write_text("one\ntwo\nthr")
    assert tail.lines() == [b"one", b"two"]
    with log.open("a") as file:
        file.write("ee\n")
    assert tail.lines() == [b"three"]
    assert Tail(log, tail.positions).lines() == []


def test_a_rotated_log_loses_no_line(tmp_path: Path) -> None:
    """What its writer still had is read from the old one, whatever is in the new."""
    log = tmp_path / "log"
    log.write_text("one\n")
    tail = Tail(log)
    with log.open("a") as writer:
        assert not tail.rotate(100)
        assert tail.rotate(3)
        assert tail.lines() == [b"one"]
        log.write_text("three\n")
        writer.write("two\n")
        writer.flush()
        assert tail.lines() == [b"two", b"three"]


def test_the_position_in_a_file_that_is_gone_is_nothing_to_the_next(tmp_path: Path) -> None:
    """The new file often gets the inode of the one that was moved over."""
    log, seen = tmp_path / "log", []
    tail = Tail(log)
    for number in range(20):
        log.write_text(f"{number}\n")
        seen += tail.lines()
        tail.rotate(0)
    assert seen == [b"%d" % number for number in range(20)]


def test_a_log_that_nobody_reads_is_rotated_too(tmp_path: Path) -> None:
    """One older is kept; one that is not there is no trouble."""
    log = tmp_path / "log"
    assert not rotate(log, 0)
    log.write_text("one\n")
    assert rotate(log, 3)
    assert (tmp_path / "log.1").read_text() == "one\n"
