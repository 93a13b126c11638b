"""The rig as a process: what it says, and that it goes."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.rig.__main__ import parse
from tests.rig.rig import ROOT

START = """
import sys
from tests.rig import Rig
rig = Rig().start()
print(rig._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("pace", ["0", "-1", "fast"])
def test_a_pace_that_is_none_is_refused(pace: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--pace", pace])
    assert ended.value.code == 2
    assert "--pace" in capsys.readouterr().err


@pytest.mark.long
def test_a_place_made_by_hand_can_be_reached() -> None:
    """And the rig ends on Ctrl-C."""
    command = [sys.executable, "-m", "tests.rig", "--port", "0", "--pace", "50", "--place", "byhand", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            assert said["place"]["services"].keys() == {"blue", "green"}
            with urllib.request.urlopen(f"{said['endpoint']}/_rig/listeners", timeout=10) as answer:
                [listener] = json.load(answer)
            assert said["place"]["url"] == f"http://{listener['address']}"
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.long
def test_the_rig_ends_with_whoever_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        rig = int(parent.stdout.readline())
        parent.kill()
    _ends(rig)


@pytest.mark.long
def test_a_rig_that_is_killed_takes_its_envoy_along() -> None:
    """Which would answer at ports that another rig may take."""
    with subprocess.Popen(
        [sys.executable, "-c", START], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        rig = int(parent.stdout.readline())
        children = Path(f"/proc/{rig}/task/{rig}/children").read_text().split()
        envoys = [int(pid) for pid in children if "envoy" in Path(f"/proc/{pid}/comm").read_text()]
        os.kill(rig, signal.SIGKILL)
        assert len(envoys) == 1
        _ends(*envoys)
        parent.kill()


def _ends(*pids: int) -> None:
    end = time.monotonic() + 60
    for pid in pids:
        while Path(f"/proc/{pid}").exists() and _state(pid) != "Z":
            assert time.monotonic() < end, f"{pid} did not end"
            time.sleep(0.1)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
