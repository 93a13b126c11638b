"""Writes files that a team owns: again and again, without ever losing what the team changed."""

import contextlib
import difflib
import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from crossfade.core.errors import RefusedError, WrongInputError

MANIFEST = ".crossfade.json"


class FileState(StrEnum):
    """What is to be done about one file."""

    NEW = "new"  # not there
    SAME = "same"  # as it should be
    CHANGED = "changed"  # as we wrote it, and something else now
    YOURS = "yours"  # edited, and we have nothing new to say
    EDITED = "edited"  # edited, and we have: somebody has to choose
    GONE = "gone"  # as we wrote it, and no longer asked for
    LEFT = "left"  # edited, and no longer asked for


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file: what is there, and what is wanted there."""

    path: str
    state: FileState
    there: str | None
    wanted: str | None

    def diff(self) -> str:
        """As `diff -u` has it."""
        lines = difflib.unified_diff(
            (self.there or "").splitlines(keepends=True),
            (self.wanted or "").splitlines(keepends=True),
            f"{self.path} (there)" if self.there is not None else "/dev/null",
            f"{self.path} (crossfade.yaml)" if self.wanted is not None else "/dev/null",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class FolderComparison:
    """A folder, beside what it should be."""

    folder: Path
    changes: tuple[FileChange, ...]
    known: Mapping[str, str]  # what we wrote: path -> sha256

    def of(self, *states: FileState) -> tuple[FileChange, ...]:
        return tuple(change for change in self.changes if change.state in states)


def compare(folder: Path, wanted: Mapping[str, str], ours: Callable[[str], bool] = lambda _: True) -> FolderComparison:
    """Nothing is written. `ours` says which of the files we wrote once this run answers for."""
    known = _manifest(folder)
    gone = [path for path in known if path not in wanted and ours(path)]
    changes = (_change(folder, path, wanted.get(path), known.get(path)) for path in (*wanted, *gone))
    return FolderComparison(folder, tuple(change for change in changes if change), known)


def write(comparison: FolderComparison, *, force: bool = False, keep: bool = False) -> dict[str, str]:
    """Make the folder as wanted. Edited files are refused, with `force` moved to .orig, with `keep` left alone.

    Returns where edited files were moved to, by path.
    """
    if comparison.of(FileState.EDITED) and not force and not keep:
        raise _refusal(comparison)
    known, moved = dict(comparison.known), dict[str, str]()
    theirs = {FileState.EDITED, FileState.YOURS}
    with _told(comparison.folder):
        for change in comparison.changes:
            target = comparison.folder / change.path
            if change.wanted is None:
                if change.state is FileState.GONE:
                    _remove(target, comparison.folder)
                known.pop(change.path, None)
                continue
            if force and change.state in theirs:
                aside = _aside(target)
                target.replace(aside)
                moved[change.path] = str(aside.relative_to(comparison.folder))
            if change.state in {FileState.NEW, FileState.CHANGED} or (force and change.state in theirs):
                _replace(target, change.wanted)
            # Also what was kept: who has seen a change and refused it is not asked about it again.
            known[change.path] = _sha256(change.wanted)
        _replace(comparison.folder / MANIFEST, json.dumps({"written": dict(sorted(known.items()))}, indent=2) + "\n")
    return moved


def _change(folder: Path, path: str, wanted: str | None, known: str | None) -> FileChange | None:
    there = _read(folder / path)
    if wanted is None:
        if there is None:
            return FileChange(path, FileState.LEFT, None, None)
        return FileChange(path, FileState.GONE if _sha256(there) == known else FileState.LEFT, there, None)
    if there is None:
        state = FileState.NEW
    elif there == wanted:
        state = FileState.SAME
    elif _sha256(there) == known:
        state = FileState.CHANGED
    else:
        state = FileState.YOURS if _sha256(wanted) == known else FileState.EDITED
    return FileChange(path, state, there, wanted)


def _refusal(comparison: FolderComparison) -> RefusedError:
    paths = [change.path for change in comparison.of(FileState.EDITED)]
    what = f"{paths[0]} was" if len(paths) == 1 else f"{', '.join(paths)} were"
    return RefusedError(
        f"{what} edited, and crossfade.yaml wants something else there; nothing was written",
        "--keep leaves what is there, --force takes what crossfade.yaml wants and keeps yours as .orig",
    )


def _manifest(folder: Path) -> dict[str, str]:
    text = _read(folder / MANIFEST)
    if text is None:
        return {}
    try:
        written = json.loads(text)["written"]
        return {path: sha for path, sha in written.items() if isinstance(sha, str) and _inside(path)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongInputError(
            f"{folder / MANIFEST} is not what crossfade wrote",
            "take it back from the repository, or remove it: every file that differs then counts as edited",
        ) from error


def _inside(path: str) -> bool:
    """A path of the manifest is one we may remove: never out of the folder."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise WrongInputError(f"{path} is not text", "move it away") from error
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}", "nothing was written") from error


def _replace(path: Path, text: str) -> None:
    """At once: who reads it meanwhile has the old or the new one, and never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(text)
            file.close()
            Path(file.name).chmod(0o666 & ~_umask())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _aside(path: Path) -> Path:
    """Beside it, where nothing is yet: what was moved there before is somebody's edit too."""
    names = (f"{path.name}.orig{number or ''}" for number in itertools.count())
    return next(aside for name in names if not (aside := path.with_name(name)).exists())


def _umask() -> int:
    """What new files are not to be; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _remove(path: Path, folder: Path) -> None:
    """And the folders that are empty without it."""
    path.unlink()
    for parent in path.parents:
        if parent == folder:
            return
        with contextlib.suppress(OSError):
            parent.rmdir()


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RefusedError(
            f"{error.filename or folder} cannot be written: {error.strerror}", "mend it and run this again"
        ) from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def diffs(changes: Iterable[FileChange]) -> str:
    return "".join(change.diff() for change in changes)
