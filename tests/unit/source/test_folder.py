"""What of a source folder a release has not, and what it has that looks like a secret."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.support.nobody import as_nobody

from crossfade.core.errors import WrongInputError
from crossfade.source import git
from crossfade.source.folder import DEEPEST, MOST, LeftOut, account, belonging

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def write(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    write(folder, "app.py", "lib/tool.py")
    return folder


def repository(folder: Path, *ignored: str) -> None:
    write(folder, ".gitignore", text="\n".join(ignored) + "\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def test_what_git_ignores_is_counted_and_named(source: Path) -> None:
    """A built folder that the app needs is missed here, and not in production."""
    write(source, "dist/a.js", "dist/deep/b.js", "debug.log", "lib/__pycache__/x.pyc", ".mypy_cache/x", "old.pyc")
    repository(source, "dist/", "*.log", "__pycache__/", ".mypy_cache/", "*.pyc")
    assert account(source).left_out == (
        LeftOut(path="debug.log", why="ignored by git"),
        LeftOut(path="dist/", why="ignored by git", files=2),
    )


def test_a_folder_of_a_repository_tells_only_of_itself(source: Path) -> None:
    """What is ignored elsewhere in the repository is not its loss."""
    write(source, "svc/app.py", "svc/dist/x", "dist/y")
    repository(source, "dist/")
    assert account(source / "svc").left_out == (LeftOut(path="dist/", why="ignored by git", files=1),)


def test_without_git_environments_are_left_out_and_told(source: Path) -> None:
    """The copy has no virtual environment and no node_modules, at any depth; caches are not worth a word."""
    write(source, ".venv/bin/python", "web/node_modules/a/x", "web/node_modules/b/x", "__pycache__/x", ".git/config")
    assert account(source).left_out == (
        LeftOut(path=".venv/", why="left out where there is no git", files=1),
        LeftOut(path="web/node_modules/", why="left out where there is no git", files=2),
    )


def test_a_state_directory_that_is_the_source_is_refused(source: Path) -> None:
    """Its copy would have itself in it, until a name is too long."""
    for look in (lambda: account(source, source), lambda: list(belonging(source, None, source))):
        with pytest.raises(WrongInputError, match="the state directory is the source"):
            look()


def committed(folder: Path) -> None:
    """All that is in it, as a commit."""
    who = ["-c", "user.name=kim", "-c", "user.email=kim@example.com", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *who, "commit", "-qm", "all"], cwd=folder, check=True)


def test_what_a_sparse_checkout_leaves_out_is_told(source: Path) -> None:
    """The version is that of the commit, and not all of it is here. What somebody deleted is no such thing."""
    write(source, "big/data", "gone.py")
    repository(source)
    committed(source)
    subprocess.run(["git", "sparse-checkout", "set", "--no-cone", "/*", "!big"], cwd=source, check=True)
    (source / "gone.py").unlink()
    assert account(source).left_out == (LeftOut(path="big/data", why="not checked out (git sparse-checkout)"),)


def test_a_submodule_that_is_not_checked_out_is_told(source: Path, tmp_path: Path) -> None:
    """Its folder is empty. One that is checked out goes along."""
    write(tmp_path / "lib", "lib.py")
    for folder in (source, tmp_path / "lib"):
        repository(folder)
        committed(folder)
    add = ["git", "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "vendor"]
    subprocess.run(add, cwd=source, check=True)
    committed(source)
    assert account(source).left_out == ()
    subprocess.run(["git", "clone", "-q", str(source), "clone"], cwd=tmp_path, check=True)
    (left,) = account(tmp_path / "clone").left_out
    assert (left.path, left.why) == ("vendor", "a submodule that is not checked out")


def test_a_pointer_of_git_lfs_is_told(source: Path) -> None:
    """It would be shipped in the place of the model that it points to, also from a folder of the repository."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"
    write(source, ".gitattributes", text="*.bin filter=lfs diff=lfs merge=lfs -text\n")
    write(source, "svc/model.bin", text=pointer)
    write(source, "svc/small.bin", text="here")
    repository(source)
    for folder, path in ((source, "svc/model.bin"), (source / "svc", "model.bin")):
        told = LeftOut(path=path, why="only Git LFS's pointer to it is here (git lfs pull)")
        assert account(folder).left_out == (told,)


def test_what_is_no_file_is_told(source: Path) -> None:
    """A FIFO that an app would wait at is not copied."""
    os.mkfifo(source / "pipe")
    assert account(source).left_out == (LeftOut(path="pipe", why="no file, folder or link"),)


def test_counting_ends_somewhere(source: Path) -> None:
    """A folder of a million files does not make the check wait."""
    (source / "node_modules").mkdir()
    for number in range(MOST + 10):
        (source / "node_modules" / str(number)).touch()
    assert account(source).left_out[0].files == MOST


@pytest.mark.parametrize(
    ("link", "target", "leads_out"),
    [
        ("shared", "../shared", True),
        ("lib/up", "../../elsewhere", True),
        ("lib/inside", "../app.py", False),
        ("whole", ".", False),
        ("absolute", "/etc/hosts", True),
        ("parent", "..", True),
        ("odd", "..lib", False),
    ],
)
def test_a_link_that_leads_out_is_told(source: Path, link: str, target: str, leads_out: bool) -> None:
    """In the release there is only the link: what it leads to here is elsewhere there, or nowhere."""
    (source / link).symlink_to(target)
    told = [one.path for one in account(source).left_out]
    assert told == ([f"{link} -> {target}"] if leads_out else [])


def test_our_own_state_is_no_loss(source: Path) -> None:
    """A state directory inside of the source is neither copied nor told about."""
    write(source, "state/journal.db", "state/.env", "state/.venv/x")
    assert account(source, source / "state").left_out == ()
    assert account(source, source / "state").exposed == ()


def test_somebodys_credentials_never_go_along(source: Path) -> None:
    """Keys that open a person's accounts are left out, also where git tracks them, and that is told."""
    names = ["id_rsa", ".ssh/id_ed25519", ".aws/credentials", ".netrc", "home/.docker/config.json", ".kube/config"]
    kept = ["id_rsa.pub", "credentials", "config.json", "config", ".docker/Dockerfile", ".aws/task.json"]
    write(source, *names, *kept)
    repository(source)
    subprocess.run(["git", "add", "."], cwd=source, check=True)
    assert {one.path for one in account(source).left_out} == set(names)
    there = {path for path, _ in belonging(source, git.files(source))}
    assert there == {*kept, "app.py", "lib/tool.py", ".gitignore"}


def test_what_looks_like_a_secret_is_told(source: Path) -> None:
    """It goes along, for the app may need it, but nobody is to learn of it from a file server."""
    write(source, ".env", ".env.production", "web/.ENV", ".env.example", "env", ".envrc.py")
    write(source, "tls/key.pem", "tls/server.key", text=KEY)
    write(source, "tls/cert.pem", "messages.key", "store.p12", "deploy/prod.env", "deploy/example.env")
    assert set(account(source).exposed) == {
        ".env",
        ".env.production",
        "web/.ENV",
        "tls/key.pem",
        "tls/server.key",
        "store.p12",
        "deploy/prod.env",
    }


def test_what_git_ignores_is_not_exposed(source: Path) -> None:
    """An ignored .env stays here: it is left out like all that is ignored."""
    write(source, ".env")
    repository(source, ".env")
    told = account(source)
    assert (told.exposed, told.left_out) == ((), (LeftOut(path=".env", why="ignored by git"),))


def test_a_name_that_is_no_text_can_be_told(source: Path) -> None:
    """File names are bytes; one that is no UTF-8 is listed like any other."""
    with open(os.fsencode(source) + b"/\xff.log", "w"):  # noqa: PTH123
        pass
    repository(source, "*.log")
    assert account(source).left_out


@pytest.mark.parametrize("now", ["file", "link", "nothing"])
def test_what_was_in_a_folder_that_is_none_any_more_is_gone(source: Path, tmp_path: Path, now: str) -> None:
    """Git names its files until the change is committed; behind a link in its place there are others' files."""
    repository(source)
    subprocess.run(["git", "add", "."], cwd=source, check=True)
    write(tmp_path / "elsewhere", "tool.py")
    (source / "lib").rename(tmp_path / "was")
    if now == "file":
        write(source, "lib")
    if now == "link":
        (source / "lib").symlink_to("../elsewhere")
    there = {path: info is not None for path, info in belonging(source, git.files(source))}
    assert there == {".gitignore": True, "app.py": True, "lib/tool.py": False} | (
        {} if now == "nothing" else {"lib": True}
    )
    assert [one.path for one in account(source).left_out] == (["lib -> ../elsewhere"] if now == "link" else [])


@pytest.mark.parametrize("lost", ["HEAD", "all"])
def test_a_repository_that_git_takes_for_none_is_named(source: Path, lost: str) -> None:
    """Its HEAD is empty after a power cut, or a work tree was copied without the repository that it belongs to."""
    repository(source, ".env")
    if lost == "all":
        shutil.rmtree(source / ".git")
        (source / ".git").write_text("gitdir: /nowhere/.git/worktrees/shop\n")
    else:
        (source / ".git" / "HEAD").write_text("")
    with pytest.raises(WrongInputError, match=r"cannot say which files of .* belong to a release: fatal: not a git"):
        git.files(source)


def test_a_repository_that_we_may_not_look_into_is_none() -> None:
    """Another user's, above the folder: git passes it over, too."""
    with tempfile.TemporaryDirectory() as above:  # everybody may look for what is in it
        Path(above).chmod(0o755)
        write(Path(above), ".git/objects/x", "lib/tool.py")
        (Path(above) / ".git").chmod(0)
        assert as_nobody(lambda: git.files(Path(above) / "lib")) == ""
        (Path(above) / ".git").chmod(0o755)


def test_a_repository_on_another_file_system_is_none(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a mount git does not look for one."""
    (source / ".git" / "objects").mkdir(parents=True)
    with pytest.raises(WrongInputError):
        git.files(source / "lib")
    monkeypatch.setattr(Path, "is_mount", lambda path: path == source / "lib")
    assert git.files(source / "lib") is None


def test_a_repository_that_git_cannot_read_is_named(source: Path) -> None:
    """As a folder without git it would be shipped with all that is ignored, such as a `.env`."""
    repository(source, ".env")
    (source / ".git/index").write_bytes(b"half of")
    with pytest.raises(WrongInputError, match=r"cannot say which files of .* belong to a release: fatal: .*index"):
        git.files(source)


@pytest.mark.parametrize("below", ["", "lib", "work tree"])
def test_where_git_is_not_found_its_repository_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    """A controller that cron started may not find it: all that is ignored, such as a `.env`, would be shipped."""
    repository(source, ".env")
    if below == "work tree":
        (source / ".git").rename(tmp_path / "repository")
        (source / ".git").write_text(f"gitdir: {tmp_path / 'repository'}\n")
    place = source / ("lib" if below == "lib" else "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WrongInputError, match=r"cannot say which files of .* belong to a release: it is not found"):
        git.files(place)
    (source / ".git").rename(tmp_path / "no more")
    assert git.files(place) is None


def test_folders_that_never_end_are_named(source: Path) -> None:
    """What a script made that went wrong; a hundred deep is nothing."""
    write(source, "/".join(100 * ["d"]) + "/file")
    assert len(list(belonging(source, None))) == 104
    write(source, "/".join((DEEPEST + 2) * ["d"]) + "/file")
    with pytest.raises(WrongInputError, match=f"folders more than {DEEPEST} deep: d/d/d"):
        list(belonging(source, None))
