"""What `-o` writes is there whole, or not at all."""

import os
from pathlib import Path

import pytest

from crossfade.cli.output import write
from crossfade.core.errors import RefusedError


def test_the_new_text_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """And nothing lies beside it."""
    file = tmp_path / "report.html"
    file.write_text("old")
    write(file, "new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_and_a_pipe_stay_what_they_are(tmp_path: Path) -> None:
    """As /dev/stdout and /dev/null: they are written to, and no file takes their place."""
    file, link, pipe = tmp_path / "report.html", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(file)
    write(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, "new")
        assert os.read(reader, 10) == b"new"
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_where_it_cannot_be_written_one_sentence_says_so(tmp_path: Path) -> None:
    """No such folder, a file in a folder's place, a folder of that name, a name that is too long, or none at all: and
    nothing is left beside any of them.
    """
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "kept").mkdir(parents=True)
    inside = ("none/report.html", "file/report.html", "folder", "a" * 300)
    for path in (*(tmp_path / name for name in inside), Path(), Path("/")):
        with pytest.raises(RefusedError, match="cannot be written") as refused:
            write(path, "new")
        assert refused.value.way_out == "name another with -o"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "kept"]
