"""The immutable copy of a source folder that a release runs from."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.engine.ports import Artifact
from crossfade.platforms.local.runtimes import git

LEFT_OUT = frozenset({".git", ".venv", "node_modules", "__pycache__", ".crossfade"})  # where there is no git to ask
CHUNK = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT}


def take(source: Path, target: Path, *, build: str = "", without: Path | None = None) -> Artifact:
    """Copy what belongs to `source` to the new folder `target`, and name it by what was copied.

    In a git work tree that is what is tracked, and what is not ignored; elsewhere everything but `LEFT_OUT`. The digest
    covers paths, contents, executable bits and the build command. `without`: our own state, if it lies inside.
    Raises WrongInputError for a folder that is missing or cannot be read, PlatformError for a full disk.
    """
    if not source.is_dir():
        raise WrongInputError(
            f"The source folder {source} does not exist.", "Correct `source` in the file, or create it."
        )
    listed = git.files(source)
    before = git.commit(source) if listed else None
    digest = hashlib.sha256(f"build {build}\n".encode())
    try:
        target.mkdir(parents=True)
        for path in _belonging(source, listed, without):
            digest.update(os.fsencode(f"{_place(source / path, target / path)} {path}\0"))
    except OSError as error:
        raise _trouble(source, error) from error
    return _artifact(digest.hexdigest(), before, git.commit(source) if listed else None)


def _artifact(digest: str, before: git.Commit | None, after: git.Commit | None) -> Artifact:
    """Label it with the commit, if it was that commit from the first file to the last."""
    if before is None:
        return Artifact(digest=digest, version="")
    commit = before if before == after else git.Commit(before.sha, before.label, changed=True)
    return Artifact(digest=digest, version=commit.version, git_sha=commit.sha)


def _belonging(source: Path, listed: list[str] | None, without: Path | None) -> Iterator[str]:
    """Relative paths in one fixed order. A submodule is listed by git as a folder: all of it belongs."""
    if listed is None:
        yield from _walk(source, "", without)
        return
    for path in listed:
        if (source / path).is_dir() and not (source / path).is_symlink():
            yield from _walk(source, path.rstrip("/"), without)
        elif ".crossfade" not in Path(path).parts and not _inside(source / path, without):
            yield path


def _walk(source: Path, below: str, without: Path | None) -> Iterator[str]:
    for entry in sorted(os.scandir(source / below), key=lambda entry: entry.name):
        if entry.name in LEFT_OUT or _inside(Path(entry.path), without):
            continue
        path = f"{below}/{entry.name}" if below else entry.name
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(source, path, without)


def _inside(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.is_relative_to(folder)


def _place(source: Path, target: Path) -> str:
    """Copy one entry and say what it was. Sockets and pipes are no content, and what vanished meanwhile is gone."""
    try:
        info = source.lstat()
    except FileNotFoundError:
        return "gone"
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(info.st_mode):
        target.symlink_to(os.readlink(source))  # noqa: PTH115  the text of the link, as it is
        return f"link {target.readlink()}"
    if stat.S_ISDIR(info.st_mode):
        target.mkdir(exist_ok=True)
        return "folder"
    if not stat.S_ISREG(info.st_mode):
        return "special"
    content = _copy(source, target)
    target.chmod(stat.S_IMODE(info.st_mode) & 0o777)  # a copy has no right to be setuid
    os.utime(
        target, ns=(info.st_atime_ns, info.st_mtime_ns)
    )  # web servers make ETags of it: the same for all instances
    return f"{'program' if info.st_mode & stat.S_IXUSR else 'file'} {content}"


def _copy(source: Path, target: Path) -> str:
    content = hashlib.sha256()
    with source.open("rb") as original, target.open("xb") as copy:
        while chunk := original.read(CHUNK):
            content.update(chunk)
            copy.write(chunk)
    return content.hexdigest()


def _trouble(source: Path, error: OSError) -> CrossfadeError:
    if error.errno in FULL:
        return PlatformError(
            f"The disk is full: {source} could not be copied.", "Free some space and deploy again; nothing was changed."
        )
    if error.errno == errno.EACCES:
        return WrongInputError(
            f"{error.filename} cannot be read: permission denied.",
            "Give yourself read permission, or leave it out (.gitignore).",
        )
    return PlatformError(f"{source} could not be copied: {error.strerror} ({error.filename}).", "Deploy again.")
