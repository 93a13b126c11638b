"""The state directory: made for its owner alone, and refused when it cannot be used."""

from pathlib import Path

import pytest
from tests.support.nobody import as_nobody

from crossfade.core.errors import WrongInputError
from crossfade.paths import State, default_state


def test_a_state_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else reads the journal, the secrets or the socket."""
    state = State(tmp_path / "s")
    state.prepare()
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_may_not_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    """No permission is said to be that."""
    tmp_path.chmod(0o500)
    said = as_nobody(State(tmp_path / "s").prepare)
    tmp_path.chmod(0o700)
    assert "Permission denied" in said
    assert "--state" in said


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """What a newer crossfade wrote is not touched."""
    (tmp_path / "format").write_text("99\n")
    with pytest.raises(WrongInputError, match="format 99"):
        State(tmp_path).prepare()


def test_the_environment_names_the_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CROSSFADE_STATE comes before XDG_STATE_HOME, which comes before the home directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("CROSSFADE_STATE", raising=False)
    assert default_state().root == tmp_path / "xdg" / "crossfade"
    monkeypatch.setenv("CROSSFADE_STATE", str(tmp_path / "own"))
    assert default_state().root == tmp_path / "own"
