"""The reference page is what the models say."""

from pathlib import Path

import pytest

from crossfade.file.reference import main, reference

PAGE = Path(__file__).parents[3] / "docs" / "file-reference.md"


def test_the_committed_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever changes a model writes the page again: python -m crossfade.file.reference docs/file-reference.md."""
    assert main(["--check", str(PAGE)]) == 0, capsys.readouterr().err


def test_a_page_that_is_not_current_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that writes it."""
    page = tmp_path / "file-reference.md"
    assert main(["--check", str(page)]) == 1
    assert f"run python -m crossfade.file.reference {page}" in capsys.readouterr().err
    assert main([str(page)]) == 0
    assert main(["--check", str(page)]) == 0


def test_without_a_path_it_says_how_to_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of usage."""
    assert main([]) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("row", ["| `drain` |", "| `min_requests` |", "| `redirect` |", "## `environments.*`", "`5m`"])
def test_the_page_names_every_part(row: str) -> None:
    """A key of each depth is there."""
    assert row in reference()
