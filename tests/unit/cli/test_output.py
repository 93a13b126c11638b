"""What `-o` writes is there whole, or not at all."""

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


def test_where_it_cannot_be_written_one_sentence_says_so(tmp_path: Path) -> None:
    """No such folder, a file in a folder's place, a folder of that name: and nothing is left beside any of them."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "kept").mkdir(parents=True)
    for path in ("none/report.html", "file/report.html", "folder"):
        with pytest.raises(RefusedError, match="cannot be written") as refused:
            write(tmp_path / path, "new")
        assert refused.value.way_out == "name another with -o"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "kept"]
