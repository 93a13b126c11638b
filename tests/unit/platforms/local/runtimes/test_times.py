"""When the lines of a process's log were written."""

import os
from pathlib import Path

from crossfade.engine.ports.logs import Writer, writer_of
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs

NOON = 1_795_000_000.0


def written(logs: ProcessLogs, path: Path, text: str, at: float) -> None:
    """As a process writes it at a time of its own, which the controller sees when it looks."""
    with path.open("a") as file:
        file.write(text)
    os.utime(path, (at, at))
    logs.look_after(path)


def stamped(logs: ProcessLogs) -> list[tuple[float, str]]:
    return [(one.at - NOON, one.line) for one in logs.read("shop/web", "shop-web-1-a1", lines=100)[0]]


def test_a_line_has_the_time_of_the_write_that_brought_it(tmp_path: Path) -> None:
    """What was written between two looks is as old as the last of it."""
    logs = ProcessLogs(tmp_path)
    path = logs.path("shop/web", "shop-web-1-a1")
    written(logs, path, "one\ntwo\n", NOON)
    written(logs, path, "three\n", NOON + 60)
    assert stamped(logs) == [(0, "one"), (0, "two"), (60, "three")]


def test_another_controller_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    """Times are on disk, and what came while nobody looked has the time of its last write."""
    logs = ProcessLogs(tmp_path)
    path = logs.path("shop/web", "shop-web-1-a1")
    written(logs, path, "one\n", NOON)
    with path.open("a") as file:
        file.write("two\nthree\n")
    os.utime(path, (NOON + 99, NOON + 99))
    assert stamped(ProcessLogs(tmp_path)) == [(0, "one"), (99, "two"), (99, "three")]


def test_a_log_that_was_begun_anew_has_times_of_its_own(tmp_path: Path) -> None:
    """As one is that grew too big, or the build's of the next deploy."""
    logs = ProcessLogs(tmp_path)
    path = logs.path("shop/web", "shop-web-1-a1")
    written(logs, path, "a long line that was there before\n", NOON)
    path.write_text("")
    written(logs, path, "short\n", NOON + 500)
    assert stamped(logs) == [(500, "short")]


def test_lines_of_one_second_are_marked_once(tmp_path: Path) -> None:
    """A chatty app costs sixteen bytes a second, however much it says."""
    logs = ProcessLogs(tmp_path)
    path = logs.path("shop/web", "shop-web-1-a1")
    for tenth in range(10):
        written(logs, path, "again\n", NOON + tenth / 10)
    assert path.with_suffix(".times").stat().st_size == 16


def test_only_what_was_written_since_is_read(tmp_path: Path) -> None:
    """By the line, in a log that is older."""
    logs = ProcessLogs(tmp_path)
    path = logs.path("shop/web", "shop-web-1-a1")
    written(logs, path, "old\n", NOON)
    written(logs, path, "new\n", NOON + 60)
    said, position = logs.read("shop/web", "shop-web-1-a1", lines=100, since=NOON + 30)
    assert [one.line for one in said] == ["new"]
    written(logs, path, "newer\n", NOON + 90)
    assert [one.line for one in logs.read_on("shop/web", "shop-web-1-a1", position)[0]] == ["newer"]


def test_times_go_with_their_log(tmp_path: Path) -> None:
    """Nothing is left of what is pruned."""
    logs = ProcessLogs(tmp_path)
    for number in range(30):
        written(logs, logs.path("shop/web", f"shop-web-{number}-a1"), "up\n", NOON + number)
    logs.prune("shop/web", [])
    assert len(list(tmp_path.rglob("*.times"))) == len(list(tmp_path.rglob("*.log"))) == 20


def test_writers_are_known_by_their_names() -> None:
    """An app that is called like a hook is none."""
    assert writer_of("shop-web-7-x3f9", "shop/web") is Writer.INSTANCE
    assert writer_of("hook-7-k2", "shop/web") is Writer.HOOK
    assert writer_of("build", "shop/web") is Writer.BUILD
    assert writer_of("build-ab12", "shop/web") is Writer.BUILD
    assert writer_of("job-tidy-7-ab", "shop/web") is Writer.JOB
    assert writer_of("hook-web-7-ab", "hook/web") is Writer.INSTANCE
    assert writer_of("job@prod-web-7-ab", "job@prod/web") is Writer.INSTANCE
