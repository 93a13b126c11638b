"""The systemd unit that `up --install` writes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from crossfade.cli.machine.unit import MARK, Unit, install, unit_of
from crossfade.core.errors import RefusedError
from crossfade.paths import StateDirectory


@pytest.fixture(params=[0, 1000], ids=["root", "a user"])
def unit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Unit:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", "/usr/bin:/odd $dir/100%")
    return unit_of(StateDirectory(tmp_path / "st"), "envoy", request.param)


def test_a_unit_is_root_s_or_a_user_s(unit: Unit) -> None:
    """It stays in the foreground with its state directory, and its end is nobody else's."""
    assert unit.path.name == "crossfade-st.service"
    assert '"up" "--foreground" "--state"' in unit.text
    assert "KillMode=process\n" in unit.text
    assert 'Environment="PATH=/usr/bin:/odd $dir/100%%"' in unit.text
    assert unit.path.is_relative_to("/etc/systemd/system") == unit.system == ("multi-user" in unit.text)
    assert unit.commands[-1].endswith("enable --now crossfade-st.service")
    assert ("loginctl enable-linger" in unit.commands) != unit.system


def test_a_unit_is_written_again_and_no_other_one_is_lost(unit: Unit, tmp_path: Path) -> None:
    """One that somebody else wrote stays."""
    here = Unit(tmp_path / "units" / unit.path.name, unit.text, unit.system)
    install(here)
    install(here)
    assert here.path.read_text() == unit.text
    assert [one.name for one in here.path.parent.iterdir()] == [here.path.name]
    here.path.write_text(unit.text.replace(MARK, "# mine"))
    with pytest.raises(RefusedError, match="was not written by crossfade"):
        install(here)


def test_systemd_understands_it(unit: Unit, tmp_path: Path) -> None:
    """As far as can be seen without one that runs."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze (Debian: systemd)")
    path = tmp_path / unit.path.name
    path.write_text(unit.text)
    verified = ["/usr/bin/systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
    done = subprocess.run(verified, capture_output=True, text=True, timeout=60, check=False)
    assert unit.path.name not in done.stderr
    assert done.returncode == 0, done.stderr
