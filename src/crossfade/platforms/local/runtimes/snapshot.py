"""The immutable copy of a source folder that a release runs from."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.local.runtimes import seal
from crossfade.platforms.local.runtimes.seal import Seal, TreeEntry
from crossfade.platforms.local.runtimes.sources import FileLook, SeenFolder
from crossfade.source import git
from crossfade.source.folder import unreadable
from crossfade.source.listing import listing
from crossfade.source.there import is_folder
from crossfade.source.whole import WholeSource

T = TypeVar("T")
FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was taken: the files that had to be read are in the target, `unread` ones are known by an earlier look."""

    artifact: Artifact
    contents: dict[str, str] = field(default_factory=dict)  # by path, as a seal has them, in the order of the walk
    unread: list[str] = field(default_factory=list)
    seen: dict[str, FileLook] = field(default_factory=dict)
    mask: int = seal.READ_ONLY


OURS = "crossfade.yaml"


class ChangedMeanwhileError(Exception):
    """A file is not what it was when it was looked at: take the snapshot again."""


def take(
    whole: WholeSource,
    target: Path,
    *,
    build: str = "",
    without: Path | None = None,
    seen: SeenFolder | None = None,
    links: Mapping[str, Path] | None = None,
) -> Snapshot:
    """Copy what belongs to a source to the new folder `target`, and name it by what belongs.

    The digest covers paths, contents, executable bits, the build command, where it runs, and `links`, which are made in
    place of what the source has at these paths: folders that last beyond the release. Our own file is in the copy and
    not in the digest: what it says is in the release otherwise, and a change of it builds nothing again.
    What is `seen` unchanged is not read and not yet copied: see `complete`. `without`: our own state, if inside.
    Raises WrongInputError for a folder that is missing or cannot be read, PlatformError for a full disk.
    """
    if not is_folder(whole.source):
        raise WrongInputError(
            f"the source folder {whole.source} does not exist", "correct `source` in the file, or create it"
        )
    source, listed = whole.root, listing(whole)
    before = listed.commit()
    where = f"within {whole.within}\0" * bool(whole.within)
    digest = hashlib.sha256(os.fsencode(f"build {build}\n{where}"))
    links = {whole.inside(path): there for path, there in (links or {}).items()}
    ours = {OURS, whole.inside(OURS)}
    mask = 0o777 if build else seal.READ_ONLY  # a build may still write to what it finds
    contents, unread, looks = dict[str, str](), list[str](), dict[str, FileLook]()
    try:
        target.mkdir(parents=True)
        for path, info in listed.belonging(without):
            if any(path == link or path.startswith(f"{link}/") for link in links):
                continue
            if info is None:
                digest.update(os.fsencode(f"gone {path}\0"))
                continue
            if stat.S_ISREG(info.st_mode):
                look = seen.unchanged(path, info) if seen else None
                if look is None:
                    look = FileLook.of(info, _copy(source, target, path, info, mask))
                else:
                    unread.append(path)
                looks[path] = look
                content = seal.file_content(info.st_mode, look.sha256)
            else:
                content = _place(source, target, path, info)
            contents[path] = content
            if path not in ours:
                digest.update(os.fsencode(f"{content} {path}\0"))
        for path, there in sorted(links.items()):
            _within(f"{target}/{path}", partial(os.symlink, there, f"{target}/{path}"))
            contents[path] = f"link {there}"
            digest.update(os.fsencode(f"volume {there} {path}\0"))
    except OSError as error:
        raise _trouble(source, error) from error
    artifact = _artifact(digest.hexdigest(), before, listed.commit)
    return Snapshot(artifact, contents, unread, looks, mask)


def complete(taken: Snapshot, source: Path, target: Path, earlier: tuple[Path, Seal] | None) -> Seal:
    """Bring the files that were not read: linked from an earlier tree that has them untouched, copied from the source.

    A linked file is read-only and one for both trees: each has its seal to tell when somebody changed it even so.
    Returns the entries of those that were linked.
    """
    linked: dict[str, TreeEntry] = {}
    try:
        for path in taken.unread:
            look, content = taken.seen[path], taken.contents[path]
            if earlier and (entry := _link(earlier, target, path, content, look)):
                linked[path] = entry
                continue
            if _copy(source, target, path, os.lstat(f"{source}/{path}"), taken.mask) != look.sha256:
                raise ChangedMeanwhileError(path)
    except FileNotFoundError as error:
        raise ChangedMeanwhileError(str(error.filename)) from error
    except OSError as error:
        raise _trouble(source, error) from error
    return linked


def _link(earlier: tuple[Path, Seal], target: Path, path: str, content: str, look: FileLook) -> TreeEntry | None:
    tree, sealed = earlier
    entry = sealed.get(path)
    if entry is None or (entry.content, entry.modified) != (content, look.modified):
        return None
    there, here = f"{tree}/{path}", f"{target}/{path}"
    try:
        if not entry.untouched(os.lstat(there)):
            return None
        _within(here, lambda: os.link(there, here, follow_symlinks=False))
    except OSError:  # it went, or has as many links as the file system allows: 65,000 on ext4
        return None
    return entry


def _artifact(digest: str, before: git.Commit | None, now: Callable[[], git.Commit | None]) -> Artifact:
    """Label it with the commit, if it was that commit from the first file to the last.

    Git looks at all files to say so, and what was another before it began need not be looked at again.
    """
    if before is None:
        return Artifact(digest=digest, version="")
    commit = before if before.changed or before == now() else git.Commit(before.sha, before.label, changed=True)
    return Artifact(digest=digest, version=commit.version, git_sha=commit.sha)


def _place(source: Path, target: Path, path: str, info: os.stat_result) -> str:
    """Make a folder or a link. Sockets and pipes are no content."""
    here = f"{target}/{path}"
    if stat.S_ISLNK(info.st_mode):
        text = os.readlink(f"{source}/{path}")  # noqa: PTH115  the text of the link, as it is
        _within(here, lambda: os.symlink(text, here))  # noqa: PTH211
        return f"link {text}"
    if stat.S_ISDIR(info.st_mode):
        os.makedirs(here, exist_ok=True)  # noqa: PTH103
        return "folder"
    return "special"


def _copy(source: Path, target: Path, path: str, info: os.stat_result, mask: int) -> str:
    """Copy a file, holes and all, and hash what was copied; `mask` are the mode's bits that the copy may have."""
    here, digest = f"{target}/{path}", hashlib.sha256()
    holes = info.st_blocks * 512 < info.st_size  # an image of a disk may be of 20 GB of which 1 is there
    with _open(f"{source}/{path}") as original, _within(here, lambda: open(here, "xb")) as copy:  # noqa: PTH123
        while chunk := original.read(seal.CHUNK):
            digest.update(chunk)
            if holes and chunk == bytes(len(chunk)):
                copy.seek(len(chunk), os.SEEK_CUR)
            else:
                copy.write(chunk)
        if holes:
            copy.truncate(original.tell())
        os.fchmod(copy.fileno(), stat.S_IMODE(info.st_mode) & mask)  # a copy has no right to be setuid
    os.utime(here, ns=(info.st_atime_ns, info.st_mtime_ns))  # web servers make ETags of it: the same for all instances
    return digest.hexdigest()


def _open(path: str) -> BinaryIO:
    """Open what was a file when it was looked at: a link would bring somebody else's, a pipe would be waited for."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EAGAIN, "it became something else meanwhile", path)
    return file


def _within(here: str, make: Callable[[], T]) -> T:
    """Make something at a path, with the folders above it when they are not there yet."""
    try:
        return make()
    except FileNotFoundError:
        os.makedirs(os.path.dirname(here), exist_ok=True)  # noqa: PTH103, PTH120
        return make()


def _trouble(source: Path, error: OSError) -> CrossfadeError:
    if error.errno in FULL:
        return PlatformError(
            f"the disk is full: {source} could not be copied", "free some space and deploy again; nothing was changed"
        )
    if error.errno == errno.EACCES:
        return unreadable(error)
    return PlatformError(f"{source} could not be copied: {error.strerror} ({error.filename})", "deploy again")
