"""Logs of processes, read from their end and on: whatever an app writes, what there is is read once."""

from pathlib import Path

import pytest

from crossfade.platforms.local.runtimes.processes.logs import BLOCK, KEPT_BYTES, LONGEST, since, tail


@pytest.mark.parametrize("lines", [0, 1, 3, 100])
def test_the_last_lines_are_those_that_came_to_their_end(tmp_path: Path, lines: int) -> None:
    """Of more blocks than one; what is begun comes with its end, from where reading goes on."""
    log = tmp_path / "log"
    written = [b"%d " % number + b"x" * 999 + b"\n" for number in range(200)]
    log.write_bytes(b"".join(written) + b"begun")
    found, position = tail(log, lines)
    assert found == written[len(written) - lines :]
    with log.open("ab") as file:
        file.write(b" and ended\n")
    assert since(log, position) == ([b"begun and ended\n"], log.stat().st_size)


def test_a_line_without_an_end_is_read_in_pieces(tmp_path: Path) -> None:
    """And in as many blocks as there are: to put each before all others took minutes of a log that may be 200 MB."""
    log = tmp_path / "log"
    log.write_bytes(b"first\n" + b"x" * (2 * LONGEST + BLOCK))
    found, position = tail(log, 100)
    assert [len(piece) for piece in found] == [6, LONGEST, LONGEST]
    assert position == 6 + 2 * LONGEST
    assert since(log, position) == ([], position)


def test_who_follows_gets_past_a_line_without_an_end(tmp_path: Path) -> None:
    """Longer than what is read at a time: there it would wait for an end that never comes."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * (KEPT_BYTES + LONGEST) + b"\nlast\n")
    position, seen = 0, list[bytes]()
    while True:
        found, position = since(log, position)
        if not found:
            break
        seen += found
    assert b"".join(seen) == log.read_bytes()
    assert seen[-1] == b"last\n"
