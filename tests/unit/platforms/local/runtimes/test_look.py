"""What is linked ahead is looked at beside a deploy, and what that does not see is looked at before the launch."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from crossfade.platforms.local.runtimes import seal
from crossfade.platforms.local.runtimes.builds.look import HOLDS, FreshTree, Looked, look


class Deployed:
    """A tree of which `env` was linked ahead, and `app.py` and `env/tool` are the release's own."""

    def __init__(self, folder: Path) -> None:
        self.ahead = folder / "ahead"
        (self.ahead / "kept/env/lib/deep").mkdir(parents=True)
        for name in ("tool", "lib/a.py", "lib/deep/b.py", "lib/deep/a name\twith\nthem\udcff"):
            (self.ahead / "kept/env" / name).write_text(f"{name[:3]}\n")
        (self.ahead / "kept/env/lib/link").symlink_to("a.py")
        subprocess.run(["cp", "-al", self.ahead / "kept", folder / "copy"], check=True)
        self.sealed = seal.take(self.ahead / "kept")
        self.tree = folder / "tree"

    def look(self) -> Looked | None:
        return look(self.ahead, "kept", ["env"], self.sealed, {"env/tool"})

    def take(self, looked: Looked | None) -> FreshTree:
        """The release, with what was seen of the links."""
        self.tree.mkdir()
        (self.ahead / "kept/env").rename(self.tree / "env")
        _named_anew(self.tree / "env")
        (self.tree / "app.py").write_text("1\n")
        own = seal.of(self.tree, {name: seal.file_content(0, seal.sha256(f"{self.tree}/{name}")) for name in OWN})
        told: Future[Looked | None] = Future()
        told.set_result(looked)
        return FreshTree({**self.sealed, **own}, own, ["env"], self.ahead.stat().st_ino, told)


OWN = ("app.py", "env/tool")
CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda env: (env / "lib/a.py").write_text("other\n"),
    "replaced": lambda env: (env / "lib/a.py").rename(env / "lib/deep/b.py"),
    "gone": lambda env: (env / "lib/deep/b.py").unlink(),
    "came": lambda env: (env / "lib/deep/c.py").write_text("c\n"),
    "led elsewhere": lambda env: ((env / "lib/link").unlink(), (env / "lib/link").symlink_to("deep/b.py")),
    "a folder that is a link": lambda env: ((env / "lib").rename(env / "other"), (env / "lib").symlink_to("other")),
}


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    return Deployed(tmp_path)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_was_linked_is_seen(change: Callable[[Path], object], deployed: Deployed) -> None:
    """The look tells of nothing then, and the one before the launch says what it is."""
    change(deployed.ahead / "kept/env")
    assert deployed.look() is None
    fresh = deployed.take(None)
    assert fresh.complaint(deployed.tree, strictly=False, at_rest=True)


def test_what_was_linked_is_looked_at_once(deployed: Deployed) -> None:
    """What the look saw well need not be looked at again: only what the release has otherwise is."""
    fresh = deployed.take(_lasting(deployed.look()))
    (deployed.tree / "env/lib/a.py").write_text("other\n")
    assert not fresh.complaint(deployed.tree, strictly=False, at_rest=True)
    assert "env/lib/a.py changed" in fresh.complaint(deployed.tree, strictly=True, at_rest=True)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("how", ["written", "gone"])
def test_what_the_release_has_otherwise_is_looked_at_before_its_launch(name: str, how: str, deployed: Deployed) -> None:
    """Its source, and what names its place, which the look could not know."""
    fresh = deployed.take(_lasting(deployed.look()))
    (deployed.tree / name).write_text("other, and longer\n") if how == "written" else (deployed.tree / name).unlink()
    assert fresh.complaint(deployed.tree, strictly=False, at_rest=True) == f"{name} changed or went"


def test_what_came_to_its_source_is_seen(deployed: Deployed) -> None:
    """A file that nobody brought runs as well as any other."""
    fresh = deployed.take(_lasting(deployed.look()))
    (deployed.tree / "sitecustomize.py").touch()
    assert fresh.complaint(deployed.tree, strictly=False, at_rest=True) == "sitecustomize.py came later"


def test_a_look_at_another_folder_or_of_long_ago_counts_for_nothing(deployed: Deployed) -> None:
    """Then all is looked at as if there had been none."""
    now = time.monotonic()
    assert Looked(7, now - 100, now).holds(7)
    assert not Looked(7, now - 100, now).holds(8)
    assert not Looked(7, now - 1 - HOLDS, now - HOLDS).holds(7)
    fresh = deployed.take(_lasting(deployed.look())._replace(ahead=1))
    (deployed.tree / "env/lib/a.py").write_text("other\n")
    assert "env/lib/a.py changed" in fresh.complaint(deployed.tree, strictly=False, at_rest=True)


@pytest.mark.parametrize("program", ["", "exit 1", "find . | tr '\\n' '\\0'"], ids=["none", "busybox's", "another"])
def test_without_gnus_find_all_is_looked_at_before_the_launch(
    program: str, deployed: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No other says what a seal has of a file."""
    (tmp_path / "bin").mkdir()
    if program:
        (tmp_path / "bin/find").write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{program}\n")
        (tmp_path / "bin/find").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert deployed.look() is None
    assert not deployed.take(None).complaint(deployed.tree, strictly=False, at_rest=True)


class _TakenMeanwhile(dict[str, seal.TreeEntry]):
    """A seal whose release takes the folder when it is compared with what is in it."""

    release: Callable[[], object]

    def items(self) -> Any:
        self.release()
        self.release = int
        return super().items()


def test_it_goes_on_while_the_release_takes_the_folders(deployed: Deployed, tmp_path: Path) -> None:
    """They are found by their descriptors, wherever they are by then, and what names its own place is made anew."""
    sealed = _TakenMeanwhile(deployed.sealed)
    sealed.release = lambda: _named_anew((deployed.ahead / "kept/env").rename(tmp_path / "env"))
    deployed.sealed = sealed
    assert _lasting(deployed.look()).ahead == deployed.ahead.stat().st_ino
    assert not (deployed.ahead / "kept/env").exists()


def _named_anew(env: Path) -> None:
    (env / "tool").unlink()
    (env / "tool").write_text("the release's own\n")


def _lasting(looked: Looked | None) -> Looked:
    """One that a slow test does not outlive."""
    assert looked is not None
    return looked._replace(ended=time.monotonic() + 100)
