"""What a snapshot holds, and what it is called."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.local.runtimes import snapshot
from crossfade.platforms.local.runtimes.sources import FileLook, SeenFolder
from crossfade.source.whole import WholeSource


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    write(folder, app="print()", lib__tool="x")
    return folder


@pytest.fixture
def repository(source: Path) -> Path:
    git(source, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-qm", "first")
    return source


def take(source: Path, target: Path, **options: str) -> Artifact:
    return snapshot.take(WholeSource(source), target, build=options.get("build", "")).artifact


def held(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_the_digest_is_of_the_contents(source: Path, tmp_path: Path) -> None:
    """Two folders with the same files have the same digest, wherever and whenever they were written."""
    twin = tmp_path / "twin"
    write(twin, lib__tool="x", app="print()")
    os.utime(twin / "app", (1, 1))
    assert take(source, tmp_path / "1").digest == take(twin, tmp_path / "2").digest


@pytest.mark.parametrize("change", ["content", "name", "mode", "link", "folder", "build"])
def test_the_digest_notices(change: str, source: Path, tmp_path: Path) -> None:
    """Another content, name, executable bit, link, folder or build command is another artifact."""
    before = take(source, tmp_path / "1").digest
    match change:
        case "content":
            write(source, app="print(1)")
        case "name":
            (source / "app").rename(source / "application")
        case "mode":
            (source / "app").chmod(0o755)
        case "link":
            (source / "current").symlink_to("app")
        case "folder":
            (source / "uploads").mkdir()
    assert take(source, tmp_path / "2", build="make" if change == "build" else "").digest != before


def test_a_copy_keeps_modes_links_and_times(source: Path, tmp_path: Path) -> None:
    """Programs stay executable, links stay links, files keep the time that web servers show; none is writable."""
    (source / "app").chmod(0o755)
    (source / "current").symlink_to("lib")
    (source / "dangling").symlink_to("/nowhere")
    os.utime(source / "app", (1000, 1000))
    take(source, tmp_path / "tree")
    app = (tmp_path / "tree" / "app").stat()
    assert (app.st_mode & 0o777, app.st_mtime) == (0o555, 1000)
    assert (tmp_path / "tree" / "current").readlink() == Path("lib")
    assert (tmp_path / "tree" / "dangling").readlink() == Path("/nowhere")


def test_a_file_with_holes_takes_no_more_room_in_a_release(source: Path, tmp_path: Path) -> None:
    """A gigabyte of nothing is nothing there, too; what is in it, before and behind, is what it was."""
    with (source / "disk").open("wb") as disk:
        disk.write(b"begin")
        disk.seek(1 << 28)
        disk.write(b"middle")
        disk.truncate(1 << 29)
    snapshot.take(WholeSource(source), tmp_path / "copy")
    copied = tmp_path / "copy" / "disk"
    assert copied.stat().st_size == 1 << 29
    assert copied.stat().st_blocks * 512 < 1 << 25
    with copied.open("rb") as disk:
        assert disk.read(5) == b"begin"
        disk.seek(1 << 28)
        assert disk.read(8) == b"middle\0\0"


def test_what_no_release_needs_is_left_out(source: Path, tmp_path: Path) -> None:
    """Without git, environments, caches and our own state are not copied, at any depth."""
    write(source, node_modules__x="", web__node_modules__x="")
    for name in (".git", ".venv", ".crossfade", "__pycache__"):
        (source / "lib" / name).mkdir()
        write(source / "lib" / name, x="")
    state = source / "our-state"
    write(state, journal="")
    snapshot.take(WholeSource(source), tmp_path / "tree", without=state)
    assert held(tmp_path / "tree") == {"app", "lib/tool"}


def test_pipes_and_sockets_are_no_content(source: Path, tmp_path: Path) -> None:
    """A pipe in the folder neither blocks the copy nor is copied."""
    os.mkfifo(source / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(source / "socket"))
    take(source, tmp_path / "tree")
    listener.close()
    assert held(tmp_path / "tree") == {"app", "lib/tool"}


@pytest.mark.parametrize("became", ["link", "pipe"])
def test_a_file_that_became_something_else_is_not_read(source: Path, tmp_path: Path, became: str) -> None:
    """A link put in its place would bring any file into the release, and a pipe would be waited for."""
    path = source / "app"

    class Seen(SeenFolder):
        def unchanged(self, _: str, info: os.stat_result) -> FileLook | None:  # asked between the look and the copy
            if info.st_ino == before and path.is_file():
                path.unlink()
                path.symlink_to("/etc/hostname") if became == "link" else os.mkfifo(path)
            return None

    before = path.stat().st_ino
    with pytest.raises(PlatformError, match=r"could not be copied(.|\n)*deploy again"):
        snapshot.take(WholeSource(source), tmp_path / "tree", seen=Seen())


def test_a_clean_work_tree_is_its_commit(repository: Path, tmp_path: Path) -> None:
    """A clean checkout is labelled with its commit."""
    artifact = take(repository, tmp_path / "tree")
    sha = git(repository, "rev-parse", "HEAD")
    assert (artifact.git_sha, artifact.version) == (sha, sha[:7])
    assert held(tmp_path / "tree") == {"app", "lib/tool"}


def test_a_tag_is_the_version(repository: Path, tmp_path: Path) -> None:
    """A tagged commit has the tag as its version."""
    git(repository, "tag", "v2.1")
    assert take(repository, tmp_path / "tree").version == "v2.1"


def test_a_changed_work_tree_says_so(repository: Path, tmp_path: Path) -> None:
    """Edits and new files that are not ignored come along, deleted ones do not, and the label says it is no commit."""
    write(repository, app="changed", new="x", junk__x="x")
    write(repository, **{".gitignore": "junk\n"})
    (repository / "lib" / "tool").unlink()
    artifact = take(repository, tmp_path / "tree")
    sha = git(repository, "rev-parse", "HEAD")
    assert (artifact.version, artifact.git_sha) == (f"{sha[:7]}-dirty", sha)
    assert held(tmp_path / "tree") == {"app", "new", ".gitignore"}
    assert (tmp_path / "tree" / "app").read_text() == "changed"


def test_a_folder_of_a_repository_is_only_that_folder(repository: Path, tmp_path: Path) -> None:
    """In a repository of many services a release holds its own folder, and a change elsewhere does not dirty it."""
    write(repository, app="changed elsewhere")
    artifact = take(repository / "lib", tmp_path / "tree")
    assert held(tmp_path / "tree") == {"tool"}
    assert not artifact.version.endswith("-dirty")


def test_a_folder_that_git_ignores_is_copied_plainly(repository: Path, tmp_path: Path) -> None:
    """A build output that an outer repository ignores is a source like any other, without that repository's label."""
    write(repository, **{".gitignore": "out\n"}, out__app="x")
    artifact = take(repository / "out", tmp_path / "tree")
    assert held(tmp_path / "tree") == {"app"}
    assert (artifact.version, artifact.git_sha) == ("", "")


def test_a_repository_without_a_commit_has_no_label(source: Path, tmp_path: Path) -> None:
    """Right after `git init` everything can be released; there is only no version yet."""
    git(source, "init", "-q")
    artifact = take(source, tmp_path / "tree")
    assert held(tmp_path / "tree") == {"app", "lib/tool"}
    assert (artifact.version, artifact.git_sha) == ("", "")


def test_a_submodule_comes_along(repository: Path, tmp_path: Path) -> None:
    """What git lists as one folder is copied with its files."""
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner, part="x")
    git(inner, "init", "-q")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "part")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "vendor")
    git(repository, "commit", "-qm", "vendor")
    artifact = take(repository, tmp_path / "tree")
    assert "vendor/part" in held(tmp_path / "tree")
    assert not artifact.version.endswith("-dirty")


def test_a_git_hook_does_not_mislead(
    repository: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called from a hook of another repository, the source's own one counts."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert take(repository, tmp_path / "tree").git_sha


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A source that is not there is the user's to mend."""
    with pytest.raises(WrongInputError, match=r"/none does not exist"):
        take(tmp_path / "none", tmp_path / "tree")


def test_a_full_disk_is_said_plainly(source: Path, tmp_path: Path) -> None:
    """No space left is the machine's trouble, and the running release is not touched."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted only by root")
    try:
        write(source, big="x" * 200_000)
        with pytest.raises(PlatformError, match=r"disk is full(.|\n)*free some space"):
            take(source, small / "tree")
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder that everyone may use, and no root's rights while the test runs."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(folder)


def test_a_file_that_may_not_be_read_is_named(nobody: Path) -> None:
    """No permission names the file and both ways out."""
    write(nobody, source__app="x")
    (nobody / "source" / "app").chmod(0)
    with pytest.raises(WrongInputError, match=r"app cannot be read(.|\n)*\.gitignore"):
        take(nobody / "source", nobody / "tree")
