"""The seal of a release's folder: what it held when it was built, so that a later change is seen before it runs."""

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20
READ_ONLY = 0o555  # no writer, and no setuid, setgid or sticky bit either


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree. `ctime` is in ns: every write, chmod and rename moves it, and no program can set it back."""

    content: str  # "file <sha256>", "program <sha256>", "link <target>", "folder", "special"
    inode: int
    ctime: int


Seal = Mapping[str, Entry]  # by path relative to the tree


def take(tree: Path, known: Mapping[str, str] | None = None) -> Seal:
    """Seal a tree as it is now; `known` are contents by path that need not be read again."""
    known = known or {}
    return {
        path: Entry(known.get(path) or content(found, info), info.st_ino, info.st_ctime_ns)
        for path, found, info in walk(tree)
    }


def broken(seal: Seal, tree: Path) -> list[str]:
    """Paths that are gone, or that hold something else than they did.

    A file is read only when its inode or ctime moved: 50,000 unchanged ones are looked at, not read.
    """
    there = {path: (found, info) for path, found, info in walk(tree)}
    return [path for path, entry in seal.items() if path not in there or not _same(entry, *there[path])]


def added(seal: Seal, tree: Path) -> list[str]:
    """Paths that came after the sealing."""
    return [path for path, _, _ in walk(tree) if path not in seal]


def walk(tree: Path, below: str = "") -> Iterator[tuple[str, str, os.stat_result]]:
    """(path relative to the tree, path to open, lstat) of all that is in it."""
    for entry in os.scandir(f"{tree}/{below}"):
        path = f"{below}{entry.name}"
        info = entry.stat(follow_symlinks=False)
        yield path, entry.path, info
        if stat.S_ISDIR(info.st_mode):
            yield from walk(tree, f"{path}/")


def content(path: str, info: os.stat_result) -> str:
    """What a path holds, in a word and a hash or a link's text."""
    if stat.S_ISLNK(info.st_mode):
        return f"link {os.readlink(path)}"  # noqa: PTH115  the text of the link, as it is
    if stat.S_ISDIR(info.st_mode):
        return "folder"
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


def protect(tree: Path) -> None:
    """Make the files read-only: all instances of a release share them. Folders stay open for caches and pid files."""
    for _, path, info in walk(tree):
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISREG(info.st_mode) and mode & ~READ_ONLY:
            os.chmod(path, mode & READ_ONLY)  # noqa: PTH101
        elif stat.S_ISDIR(info.st_mode) and mode & ~0o777:
            os.chmod(path, mode & 0o777)  # noqa: PTH101


def write(seal: Seal, path: Path) -> None:
    """Replace the file at once; of 50,000 files it has 2 MB."""
    rows = [[name, entry.content, entry.inode, entry.ctime] for name, entry in seal.items()]
    draft = path.with_suffix(".draft")
    draft.write_bytes(zlib.compress(json.dumps(rows).encode("utf-8", "surrogateescape"), 1))
    draft.replace(path)


def read(path: Path) -> Seal | None:
    """None when there is none: it was never sealed, or by an earlier crossfade, which made an empty file."""
    try:
        rows = json.loads(zlib.decompress(path.read_bytes()))
    except (OSError, ValueError, zlib.error):
        return None
    return {name: Entry(content, inode, ctime) for name, content, inode, ctime in rows}


def _same(entry: Entry, path: str, info: os.stat_result) -> bool:
    if (entry.inode, entry.ctime) == (info.st_ino, info.st_ctime_ns):
        return True
    if entry.content == "folder":
        return stat.S_ISDIR(info.st_mode)
    return content(path, info) == entry.content
