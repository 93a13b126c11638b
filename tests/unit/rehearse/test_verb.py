"""`crossfade rehearse`, as far as it goes without playing anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from crossfade.cli.main import crossfade
from crossfade.cli.ship.rehearse import _gone
from crossfade.core.errors import WrongInputError


@pytest.mark.parametrize(
    ("output", "told"), [("r.pdf", "r.pdf ends in .pdf"), ("reports/r.html", "in a folder that does not exist")]
)
def test_a_report_that_could_not_be_written_is_said_before_anything_is_played(
    output: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after the minute that it takes."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(crossfade, ["rehearse", "-e", "prod", "-o", output], standalone_mode=False)
    assert isinstance(done.exception, WrongInputError)
    assert told in done.exception.cause


def test_a_folder_that_cannot_be_removed_is_said_and_ends_nothing(tmp_path: Path) -> None:
    """A container's files are root's where whoever rehearses is not: the report is told all the same."""
    (tmp_path / "empty").mkdir()
    assert _gone(tmp_path / "empty")
    assert _gone(tmp_path / "empty")
    (tmp_path / "file").touch()
    assert not _gone(tmp_path)
