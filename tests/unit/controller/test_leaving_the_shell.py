"""What of the shell that starts a controller reaches the apps that it runs."""

import subprocess
import sys

import pytest

SHOWS = "umask; kill -TERM $$; echo deaf"
CONTROLLER = f"""
import signal, subprocess
from crossfade.controller.daemon import leave_the_shell
leave_the_shell()
raise SystemExit(subprocess.run(["sh", "-c", {SHOWS!r}], check=False).returncode != -signal.SIGTERM)
"""


@pytest.mark.parametrize(("ours", "theirs"), [("000", "0022"), ("002", "0022"), ("022", "0022"), ("077", "0077")])
def test_an_app_is_told_to_end_and_lets_nobody_write_what_it_makes(ours: str, theirs: str) -> None:
    """Whatever the shell of who deployed first ignored or allowed; what it kept for itself stays so."""
    shell = f'trap "" TERM INT HUP; umask {ours}; exec "$0" -c "$1"'
    done = subprocess.run(["sh", "-c", shell, sys.executable, CONTROLLER], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{theirs}\n"), done.stderr
