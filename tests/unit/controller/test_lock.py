"""One controller a state directory."""

import subprocess
import sys
from pathlib import Path

import pytest

from crossfade.controller.lock import Lock, is_free
from crossfade.core.errors import RefusedError
from crossfade.paths import StateDirectory

HOLDS = """
import sys
from pathlib import Path
from crossfade.controller.lock import Lock
from crossfade.paths import StateDirectory
with Lock(StateDirectory(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_refused_and_told_the_pid(tmp_path: Path) -> None:
    """Also when the lock's file was deleted by hand: the directory is locked, too."""
    state = StateDirectory(tmp_path)
    assert is_free(state)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(RefusedError, match=f"a controller already runs here, pid {first.pid}"), Lock(state):
            pass
        state.lock.unlink()
        with pytest.raises(RefusedError, match="a controller already runs here"), Lock(state):
            pass
        assert not is_free(state)
        first.stdin.close()
        first.wait()
    with Lock(state):
        assert state.lock.read_text().strip().isdecimal()
    assert is_free(state)


def test_a_controller_of_before_holds_the_file_alone(tmp_path: Path) -> None:
    """0.1 did not lock the directory: it is refused even so."""
    state = StateDirectory(tmp_path)
    state.lock.write_text("")
    command = ["flock", "-x", str(state.lock), "sh", "-c", "echo held; cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(RefusedError), Lock(state):
            pass
        first.stdin.close()
        first.wait()
