"""A folder that is packed here and unpacked elsewhere makes the same release there."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.platforms.hosts.shipping import pack
from crossfade.platforms.local.runtimes.snapshot import take
from crossfade.source.whole import WholeSource


def project(folder: Path, *, git: bool) -> Path:
    folder.mkdir()
    (folder / "app").mkdir()
    (folder / "app" / "main.py").write_text("print(1)\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "latest").symlink_to("app/main.py")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "kept.js").write_text("1")
    (folder / "secret.txt").write_text("hush")
    (folder / "id_ed25519").write_text("a person's key")
    (folder / ".gitignore").write_text("secret.txt\n")
    if git:
        run = ["git", "-C", str(folder), "-c", "user.name=me", "-c", "user.email=me@example.com"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", "v1.2"]):
            subprocess.run([*run, *words], check=True)
    return folder


def shipped(source: Path, tmp_path: Path) -> Path:
    there = tmp_path / "there"
    there.mkdir()
    with tarfile.open(pack(WholeSource(source), tmp_path / "parcel.tar").path) as packed:
        packed.extractall(there, filter="data")
    return there


@pytest.mark.parametrize("git", [True, False])
def test_a_shipped_folder_becomes_the_same_release(tmp_path: Path, *, git: bool) -> None:
    """With the digest, version and commit that it has here, although its git stays at home."""
    source = project(tmp_path / "here", git=git)
    there = shipped(source, tmp_path)
    mine = take(WholeSource(source), tmp_path / "mine").artifact
    assert take(WholeSource(there), tmp_path / "theirs").artifact == mine
    assert mine.version == ("v1.2" if git else "")


def test_only_what_belongs_to_a_release_is_shipped(tmp_path: Path) -> None:
    """Nothing that git ignores, and nobody's keys."""
    there = shipped(project(tmp_path / "here", git=True), tmp_path)
    assert not (there / "secret.txt").exists()
    assert not (there / "id_ed25519").exists()
    assert not (there / ".git").exists()
    assert (there / "node_modules" / "kept.js").exists()
    assert os.access(there / "run.sh", os.X_OK)
    assert (there / "latest").readlink() == Path("app/main.py")


def test_a_release_of_a_shipped_folder_has_nothing_that_was_only_for_the_journey(tmp_path: Path) -> None:
    there = shipped(project(tmp_path / "here", git=False), tmp_path)
    take(WholeSource(there), tmp_path / "theirs")
    assert not (tmp_path / "theirs" / ".crossfade").exists()


def test_the_same_folder_is_the_same_parcel(tmp_path: Path) -> None:
    """Told by its digest; another content makes another."""
    source = project(tmp_path / "here", git=True)
    first, second = pack(WholeSource(source), tmp_path / "1.tar"), pack(WholeSource(source), tmp_path / "2.tar")
    assert first.digest == second.digest
    (source / "app" / "main.py").write_text("print(2)\n")
    assert pack(WholeSource(source), tmp_path / "3.tar").digest != first.digest


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongInputError, match="does not exist"):
        pack(WholeSource(tmp_path / "nowhere"), tmp_path / "parcel.tar")
