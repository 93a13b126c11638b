"""The seal of a release's folder: what it held when it was built, so that a later change is seen before it runs."""

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

CHUNK = 1 << 20
READ_ONLY = 0o555  # no writer, and no setuid, setgid or sticky bit either


class TreeEntry(NamedTuple):
    """One path of a tree. Times in ns; a write, chmod, link or rename moves `changed`, and nothing can set it back."""

    content: str  # "file <sha256>", "program <sha256>", "link <target>", "special"
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, content: str, info: os.stat_result) -> "TreeEntry":
        return cls(content, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)

    def untouched(self, info: os.stat_result, *, strictly: bool = False) -> bool:
        """It is still the file it was.

        One that other releases share changes when they come and go: unless `strictly`, it is told by when it was
        written.
        """
        same = (self.inode, self.size, self.modified) == (info.st_ino, info.st_size, info.st_mtime_ns)
        return same and (self.changed == info.st_ctime_ns or (info.st_nlink > 1 and not strictly))


Seal = Mapping[str, TreeEntry]  # by path relative to the tree


def take(tree: Path, known: Mapping[str, str] | None = None, but: Container[str] = ()) -> Seal:
    """Seal a tree as it is now; `known` are contents by path that need not be read again, `but` these paths."""
    known = known or {}
    return {path: TreeEntry.of(known.get(path) or content(found, info), info) for path, found, info in walk(tree, but)}


def of(tree: Path, contents: Mapping[str, str]) -> Seal:
    """Seal these files and links, whose contents are known, without looking for others."""
    return {path: TreeEntry.of(held, os.lstat(f"{tree}/{path}")) for path, held in contents.items()}


def differences(
    seal: Seal, tree: Path, *, strictly: bool = False, beside: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Paths that are gone or hold something else than they did, and paths that came; the untouched are not read.

    The folders `beside` are looked at by somebody else: of what is in them only what the seal has is compared.
    """
    changed, came, left = list[str](), list[str](), dict(seal)
    for path, found, info in (*walk(tree, beside), *_named(tree, seal, beside)):
        entry = left.pop(path, None)
        if entry is None:
            came.append(path)
        elif not (entry.untouched(info, strictly=strictly) or _holds(entry, found, info)):
            changed.append(path)
    return changed + list(left), came


def _named(tree: Path, seal: Seal, below: Iterable[str]) -> Iterator[tuple[str, str, os.stat_result]]:
    """As `walk`, of what the seal has below these folders."""
    folders = tuple(f"{folder}/" for folder in below)
    for path in seal:
        if path.startswith(folders):
            with suppress(FileNotFoundError, NotADirectoryError):
                yield path, f"{tree}/{path}", os.lstat(f"{tree}/{path}")


def walk(tree: Path, but: Container[str] = ()) -> Iterator[tuple[str, str, os.stat_result]]:
    """(path relative to the tree, path to open, lstat) of all that is in it, folders and these paths aside."""
    folders = [""]
    while folders:
        below = folders.pop()
        for entry in os.scandir(f"{tree}/{below}"):
            path = f"{below}{entry.name}"
            if path in but:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{path}/")
            else:
                yield path, entry.path, entry.stat(follow_symlinks=False)


def content(path: str, info: os.stat_result) -> str:
    """What a path holds, in a word and a hash or a link's text."""
    if stat.S_ISLNK(info.st_mode):
        return f"link {os.readlink(path)}"  # noqa: PTH115  the text of the link, as it is
    if not stat.S_ISREG(info.st_mode):
        return "special"
    return file_content(info.st_mode, sha256(path))


def file_content(mode: int, digest: str) -> str:
    return f"{'program' if mode & stat.S_IXUSR else 'file'} {digest}"


def sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123  tens of thousands of them
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def protect(tree: Path, unprotected: Iterable[str] | None = None) -> None:
    """Make the files read-only: all instances of a release share them. Folders stay open for caches and pid files.

    `unprotected` are all that are not yet, where that is known.
    """
    if unprotected is not None:
        for path in unprotected:
            _protect(f"{tree}/{path}", os.lstat(f"{tree}/{path}"))
        return
    for folder, _, _ in os.walk(tree):
        if (mode := stat.S_IMODE(os.stat(folder).st_mode)) & ~0o777:  # noqa: PTH116
            os.chmod(folder, mode & 0o777)  # noqa: PTH101
    for _, path, info in walk(tree):
        _protect(path, info)


def _protect(path: str, info: os.stat_result) -> None:
    if stat.S_ISREG(info.st_mode) and (mode := stat.S_IMODE(info.st_mode)) & ~READ_ONLY:
        os.chmod(path, mode & READ_ONLY)  # noqa: PTH101


def write(seal: Seal, path: Path) -> None:
    """Replace the file at once; of 50,000 files it has 2 MB."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(zlib.compress(json.dumps(seal).encode(), 1))
    draft.replace(path)


def read(path: Path) -> Seal | None:
    """None when there is none: it was never sealed, or by an earlier crossfade, which made an empty file."""
    try:
        told: dict[str, list[Any]] = json.loads(zlib.decompress(path.read_bytes()))
        return {name: TreeEntry(*row) for name, row in told.items()}
    except (OSError, ValueError, TypeError, zlib.error):
        return None


def _holds(entry: TreeEntry, path: str, info: os.stat_result) -> bool:
    return content(path, info) == entry.content
