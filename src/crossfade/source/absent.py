"""What a commit has and its checkout lacks, or a folder has that cannot be copied: a release has it not, either."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from crossfade.source import git

Found = tuple[str, os.stat_result | None]  # a path relative to the source, and its lstat; None when it vanished

_POINTER = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER = 1024  # bytes, by Git LFS's specification


def absent(source: Path, listed: Sequence[str] | None, found: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """Paths, each with why a release lacks it; `found` is what goes into one, of what git has `listed`."""
    seen = dict(found)
    for path, info in seen.items():
        if info is not None and not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode) or _is_link(info)):
            yield path, "no file, folder or link"
    if listed is None:
        return
    if None in seen.values():  # which is rare: git is asked once more
        yield from ((path, "not checked out (git sparse-checkout)") for path in git.sparse(source) if path in seen)
    for path in listed:
        if path not in seen and _is_empty(f"{source}/{path}"):
            yield path, "a submodule that is not checked out"
    if _uses_lfs(source, seen):
        small = [path for path, info in seen.items() if info is not None and 0 < info.st_size <= _LONGEST_POINTER]
        pointers = [path for path in small if _begins_with(source / path, _POINTER)]
        yield from ((path, "only Git LFS's pointer to it is here (git lfs pull)") for path in pointers)


def _is_link(info: os.stat_result) -> bool:
    return stat.S_ISLNK(info.st_mode)


def _is_empty(folder: str) -> bool:
    try:
        return next(os.scandir(folder), None) is None
    except OSError:
        return False


def _uses_lfs(source: Path, paths: Iterable[str]) -> bool:
    attributes = [source / path for path in paths if path.rpartition("/")[2] == ".gitattributes"]
    for above in (source, *source.parents):  # those of a repository that the source is a folder of
        attributes.append(above / ".gitattributes")
        if (above / ".git").exists():
            break
    return any(_has(file, b"filter=lfs") for file in attributes)


def _has(file: Path, words: bytes) -> bool:
    with suppress(OSError):
        return words in file.read_bytes()
    return False


def _begins_with(file: Path, words: bytes) -> bool:
    with suppress(OSError):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                return opened.read(len(words)) == words
    return False
