"""The state directory: made for its owner alone, and refused when it cannot be used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.nobody import as_nobody

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.paths import StateDirectory, at_home, default_state, from_folder, open_own, state_at


def test_a_state_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else reads the journal, the secrets or the socket."""
    state = StateDirectory(tmp_path / "s")
    state.prepare()
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_may_not_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    """No permission is said to be that."""
    tmp_path.chmod(0o500)
    said = as_nobody(StateDirectory(tmp_path / "s").prepare)
    tmp_path.chmod(0o700)
    assert "Permission denied" in said
    assert "--state" in said


def test_a_damaged_format_is_named(tmp_path: Path) -> None:
    """It ended every command in a traceback."""
    (tmp_path / "format").write_bytes(b"\xff\xfe")
    with pytest.raises(WrongInputError, match=r"format is damaged(.|\n)*write 1 into it"):
        StateDirectory(tmp_path).refuse_newer()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """What a newer crossfade wrote is not touched."""
    (tmp_path / "format").write_text("99\n")
    with pytest.raises(WrongInputError, match="format 99"):
        StateDirectory(tmp_path).prepare()


def test_the_environment_names_the_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CROSSFADE_STATE comes before XDG_STATE_HOME, which comes before the home directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("CROSSFADE_STATE", raising=False)
    assert default_state().root == tmp_path / "xdg" / "crossfade"
    monkeypatch.setenv("CROSSFADE_STATE", str(tmp_path / "own"))
    assert default_state().root == tmp_path / "own"


def test_a_relative_state_home_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was deployed in one folder would not be found from another."""
    monkeypatch.delenv("CROSSFADE_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state().root == tmp_path / ".local" / "state" / "crossfade"


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """The controller ended in a traceback over it, as what it writes down is UTF-8."""
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/s\xff"))
    with pytest.raises(WrongInputError, match="s\ufffd has a name that is not UTF-8"):
        StateDirectory(root).prepare()
    assert not root.exists()


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """What lies there may be planted: a socket that collects secrets, a log that is a link."""
    (tmp_path / "s").mkdir()
    tmp_path.chmod(0o755)
    if os.geteuid():
        pytest.skip("a directory of another user can be made only by root")
    os.chown(tmp_path / "s", 1, 1)
    with pytest.raises(PlatformError, match=r"belongs to daemon, not to root(.|\n)*--state"):
        StateDirectory(tmp_path / "s").prepare()


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o770, 0o1777, 0o722])
def test_a_directory_that_others_write_to_is_refused(mode: int, tmp_path: Path) -> None:
    """Others may have been there before us: a person has to look first."""
    root = tmp_path / "s"
    root.mkdir()
    root.chmod(mode)
    with pytest.raises(PlatformError, match=r"others may write(.|\n)*chmod 700"):
        StateDirectory(root).prepare()


@pytest.mark.parametrize("planted", [False, True])
def test_a_disk_that_was_just_mounted_is_taken_when_it_is_empty(tmp_path: Path, *, planted: bool) -> None:
    """A new file system lets all write to it, which nobody asked for; what somebody put there is looked at first."""
    root = tmp_path / "s"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "x", root], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk can be mounted only by root")
    try:
        if planted:
            (root / "api.sock").touch()
            for _ in range(2):
                with pytest.raises(PlatformError, match="others may write"):
                    StateDirectory(root).prepare()
        else:
            StateDirectory(root).prepare()
            assert root.stat().st_mode & 0o7777 == 0o700
    finally:
        subprocess.run(["umount", root], check=True)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711])
def test_a_directory_that_others_could_look_into_is_closed(mode: int, tmp_path: Path) -> None:
    """A plain mkdir leaves it open to readers, and the journal holds all values of `env`."""
    root = tmp_path / "s"
    root.mkdir()
    root.chmod(mode)
    StateDirectory(root).prepare()
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_our_file_is_not_followed(tmp_path: Path) -> None:
    """Neither log nor lock is written to wherever somebody points."""
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "controller.log").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic"):
        open_own(tmp_path / "controller.log", os.O_WRONLY | os.O_APPEND)
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize(
    ("book", "instance", "serves"),
    [
        (None, False, False),
        ('{"entries": {}}', False, False),
        ('{"entries": {"shop/web": {}}}', False, True),
        (None, True, True),
        ('{"entries": {}}', True, True),
        ("{", False, True),
        ("[]", False, True),
    ],
)
def test_what_was_left_to_serve_is_told_from_what_was_taken_down(
    book: str | None, instance: bool, serves: bool, tmp_path: Path
) -> None:
    """By the balancer's book and the instances on record; a book that cannot be read is taken for a full one."""
    state = StateDirectory(tmp_path)
    for folder in (state.balancer, tmp_path / "instances"):
        folder.mkdir()
    if book is not None:
        (state.balancer / "book.json").write_text(book)
    if instance:
        (tmp_path / "instances" / "shop-web-1-a1b2.json").write_text("{}")
    assert state.serving is serves


@pytest.mark.parametrize("how", ["instance", "balancer"])
def test_what_runs_after_its_directory_was_deleted_is_still_ours(how: str, tmp_path: Path) -> None:
    """By the mark of an instance, or by where a balancer works; of a process of another directory nothing is said."""
    state, other = StateDirectory(tmp_path / "s"), StateDirectory(tmp_path / "s2")
    state.balancer.mkdir(parents=True)
    assert not state.used
    mark = {"CROSSFADE_SESSION": f"{state.root}/instances/a.session"} if how == "instance" else {}
    work = tmp_path if how == "instance" else state.balancer
    with subprocess.Popen(["sleep", "60"], cwd=work, env={**os.environ, **mark}) as process:
        try:
            shutil.rmtree(state.root)
            assert (state.used, other.used) == (True, False)
        finally:
            process.kill()
    assert not state.used


@pytest.mark.parametrize("record", ["process.json", "nginx.pid"])
def test_a_balancer_that_was_left_to_run_is_known_by_its_record(record: str, tmp_path: Path) -> None:
    """Without it none runs."""
    state = StateDirectory(tmp_path)
    state.balancer.mkdir()
    assert (state.balancing, state.used) == (False, False)
    (state.balancer / record).write_text("1")
    assert (state.balancing, state.used) == (True, True)


def test_what_is_at_home_is_said_in_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` alone and what begins with `~/`; a name that begins so is a name."""
    monkeypatch.setenv("HOME", "/home/kim")
    assert [at_home(path) for path in ("~", "~/a/b", "~anna/x", "a/~/b", "/x")] == [
        *("/home/kim", "/home/kim/a/b", "~anna/x", "a/~/b", "/x")
    ]
    assert at_home("~/a", "/home/anna") == "/home/anna/a"
    assert from_folder(tmp_path, "~/a") == Path("/home/kim/a")
    assert from_folder(tmp_path, "a") == tmp_path / "a"
    assert state_at("~/st").root == Path("/home/kim/st")


def test_a_home_that_nobody_knows_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user has no name: nothing is made where the call stands."""
    for name in ("HOME", "CROSSFADE_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    code = "import os\nfrom crossfade.paths import default_state\nos.setuid(54321)\ntry:\n    default_state()\n"
    code += "except Exception as error:\n    print(type(error).__name__, error)\n"
    if os.geteuid() != 0:
        pytest.skip("another user is needed")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PlatformError where your home is is not known: HOME is not set")
