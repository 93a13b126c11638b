"""What becomes of a command whose output nobody can read or keep."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAYS_MUCH = (
    "import sys, click; from crossfade.cli.streams import NobodyReadsError, Streams; "
    "streams = Streams(lasting={lasting})\n"
    "try:\n    [click.echo('said') for _ in range(3)]\n"
    "except NobodyReadsError:\n    sys.exit(7)\n"
    "click.echo(f'over:{{streams.lost()}}', err=True)"
)
ROOT = Path(__file__).parents[3]
FULL = "No space left on device"


def shell(line: str, state: Path) -> subprocess.CompletedProcess[str]:
    """The shell's line, in which `$cf` is crossfade."""
    environment = os.environ | {"CROSSFADE_STATE": str(state), "cf": f"{sys.executable} -m crossfade.cli.main"}
    return subprocess.run(
        ["sh", "-c", line], env=environment, capture_output=True, text=True, check=False, timeout=60, cwd=state.parent
    )


def says_much(*, lasting: bool, to: int) -> subprocess.CompletedProcess[str]:
    code = SAYS_MUCH.format(lasting=lasting)
    return subprocess.run(
        [sys.executable, "-c", code], stdout=to, stderr=subprocess.PIPE, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_ends_nothing(tmp_path: Path, closed: str) -> None:
    """As where another program starts us and closes what it does not need."""
    done = shell(f"$cf status {closed}; code=$?; $cf secrets set X {closed}; exec echo $code", tmp_path / "state")
    assert (done.stdout.splitlines()[-1], "Traceback" in done.stderr) == ("0", False)


@pytest.mark.parametrize("words", ["status", "status --json", "--version"])
def test_output_that_cannot_be_kept_is_one_message(tmp_path: Path, words: str) -> None:
    """Exit code 4: a script would take half of it for all."""
    done = shell(f"$cf {words} >/dev/full", tmp_path / "state")
    assert done.returncode == 4
    assert done.stderr.strip() == f"crossfade: what this says cannot be written: {FULL}"


@pytest.mark.parametrize("closing", ["2>/dev/full", ">/dev/full 2>&1", "--json >/dev/full", "--json 2>&1 | head -c 0"])
def test_a_mistake_that_cannot_be_told_has_its_exit_code_all_the_same(tmp_path: Path, closing: str) -> None:
    """Of wrong input that is 2, and no traceback beside it."""
    line = f"set -o pipefail; $cf status --nothing {closing}"
    done = shell(f"bash -c '{line}'", tmp_path / "state")
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (2, False)


@pytest.mark.parametrize(("lasting", "code"), [(True, 0), (False, 7)])
def test_only_a_look_ends_when_its_reader_leaves(*, lasting: bool, code: int) -> None:
    """`deploy | head -1` has to say by its exit code how the deploy ended."""
    reader, writer = os.pipe()
    os.close(reader)
    done = says_much(lasting=lasting, to=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (code, "over:\n" if lasting else "")


def test_what_makes_things_on_aws_goes_on_to_its_end(tmp_path: Path) -> None:
    """It would leave Terraform behind, at work, and say by its exit code that all is done."""
    shutil.copy(ROOT / "examples" / "tiketi" / "crossfade.yaml", tmp_path)
    done = shell("$cf infra init >/dev/full", tmp_path / "state")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == f"crossfade: not all that was to be said could be written: {FULL}"


def test_a_deploy_goes_on_beside_a_full_disk() -> None:
    """And says in the end that not all it said is there."""
    with Path("/dev/full").open("w") as full:
        done = says_much(lasting=True, to=full.fileno())
    assert (done.returncode, done.stderr) == (0, f"over:{FULL}\n")
