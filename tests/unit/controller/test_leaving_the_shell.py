"""What of the shell that starts a controller reaches the apps that it runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHOWS = "umask; kill -TERM $$; echo deaf"
CONTROLLERS = f"""
import os, signal, subprocess, sys
from crossfade.controller.daemon import leave_the_shell
for ours in sys.argv[1:]:
    if os.fork() == 0:
        os.umask(int(ours, 8))
        leave_the_shell()
        os._exit(subprocess.run(["sh", "-c", {SHOWS!r}], check=False).returncode != -signal.SIGTERM)
    if os.wait()[1]:
        raise SystemExit(1)
"""
UMASKS = {"000": "0022", "002": "0022", "022": "0022", "077": "0077", "777": "0077"}  # ours, and an app's


def test_an_app_is_told_to_end_and_lets_nobody_write_what_it_makes() -> None:
    """Whatever the shell of who deployed first ignored or allowed; what it kept for itself stays so."""
    line = ["sh", "-c", 'trap "" TERM INT HUP; exec "$0" -c "$@"', sys.executable, CONTROLLERS, *UMASKS]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, list(UMASKS.values())), done.stderr


def test_below_nohup_the_controller_outlives_its_terminal() -> None:
    """`nohup crossfade up --foreground &` asks for that; an app that it starts hears of a terminal's end as usual."""
    code = (
        "import os, signal, subprocess; from crossfade.controller.daemon import leave_the_shell; leave_the_shell()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print(subprocess.run(['sh', '-c', 'kill -HUP $$'], check=False).returncode)"
    )
    line = 'trap "" HUP; exec "$0" -c "$1"'
    done = subprocess.run(["sh", "-c", line, sys.executable, code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{-signal.SIGHUP}\n"), done.stderr


@pytest.mark.parametrize("limit", ["f", "t"])
def test_a_limit_that_apps_would_meet_some_time_is_left_or_refused(limit: str) -> None:
    """A controller that inherits one passes it on to all that it starts, for weeks, and to its own journal."""
    code = "import resource; from crossfade.controller.daemon import leave_the_shell; leave_the_shell()"
    soft, hard = (
        subprocess.run(
            ["sh", "-c", f'ulimit {kind}{limit} 5000; exec "$0" -c "$1"', sys.executable, code],
            capture_output=True,
            text=True,
            check=False,
        )
        for kind in ("-S", "-")
    )
    assert (soft.returncode, soft.stderr) == (0, "")
    assert f"(ulimit -{limit}), and that limit would hold for all that runs here" in hard.stderr


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        # Envoy reserves more addresses than memory, and says pages of its own about that.
        ("-v 1500000", "Envoy does not start in the 1,464 MB of addresses that it may have"),
        # A balancer would come up with so few, and refuse the first release that was launched for it.
        ("-n 256", "a process may open 256 files here (ulimit -Hn), and a balancer needs 1,024 at least"),
        # The controller could not even write why it does not start.
        ("-f 1", "this shell limits how large files get (ulimit -f)"),
    ],
)
def test_a_limit_that_a_controller_would_meet_is_named_by_up(tmp_path: Path, limit: str, said: str) -> None:
    """Before anything starts that it would end."""
    line = f'ulimit {limit}; exec "$0" -m crossfade.cli.main up'
    environment = os.environ | {"CROSSFADE_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        ["sh", "-c", line, sys.executable], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert said in done.stderr
