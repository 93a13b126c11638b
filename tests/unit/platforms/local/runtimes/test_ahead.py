"""Links made ahead of the release that takes them."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from crossfade.platforms.local.runtimes.builds.ahead import prepare, taken


def _kept(home: Path) -> Path:
    """A copy of what a build kept: two files."""
    copy = home / "copy-1"
    (copy / "kept" / "lib").mkdir(parents=True)
    (copy / "kept" / "lib" / "a.py").write_text("a = 1\n")
    (copy / "kept" / "b.py").write_text("b = 2\n")
    return copy


def test_links_are_of_the_same_files_and_are_taken_once(tmp_path: Path) -> None:
    """Nothing is copied, and who comes second links for itself."""
    copy = _kept(tmp_path)
    asyncio.run(prepare(tmp_path, copy, "kept"))
    with taken(tmp_path, copy, "kept") as first, taken(tmp_path, copy, "kept") as second:
        assert first is not None
        assert (first / "lib" / "a.py").samefile(copy / "kept" / "lib" / "a.py")
        assert second is None


@pytest.mark.parametrize("turns", range(12))
def test_who_ends_while_they_are_made_waits_for_nothing(tmp_path: Path, turns: int) -> None:
    """A controller that stops in any moment of it ends, and what was begun is gone."""
    copy = _kept(tmp_path)

    async def begins() -> None:
        made = asyncio.create_task(prepare(tmp_path, copy, "kept"))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert made

    asyncio.run(begins())
    assert not list(tmp_path.glob(".ahead-*"))


def test_no_deploy_waits_until_the_links_of_another_copy_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are tens of thousands, and who takes those of the copy that is built from by now needs the same lock: what
    removes them finds it free.
    """
    older, newer = _kept(tmp_path), tmp_path / "copy-2"
    asyncio.run(prepare(tmp_path, older, "kept"))
    older.rename(newer)
    witness = tmp_path / "bin" / "rm"
    witness.parent.mkdir()
    said = tmp_path / "said"
    witness.write_text(
        f"#!/bin/sh\nflock --shared --nonblock {tmp_path}/lock echo free >>{said} || echo held >>{said}\n"
        f'exec {shutil.which("rm")} "$@"\n'
    )
    witness.chmod(0o755)
    monkeypatch.setenv("PATH", f"{witness.parent}:{os.environ['PATH']}")
    asyncio.run(prepare(tmp_path, newer, "kept"))
    assert said.read_text() == "free\n"
    with taken(tmp_path, newer, "kept") as links:
        assert links is not None
    assert not list(tmp_path.glob(".ahead-*"))
