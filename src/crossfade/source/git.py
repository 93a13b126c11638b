"""git: which files of a folder belong to it, and which commit it is."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import WrongInputError

_NO_WORK_TREE = ("not a git repository (or any", "must be run in a work tree")


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit a folder is at; `changed` when its files differ from it."""

    sha: str
    label: str  # git describe
    changed: bool

    @property
    def version(self) -> str:
        return f"{self.sha[:7]}-dirty" if self.changed else self.label


def files(folder: Path) -> list[str] | None:
    """Paths, relative to `folder`, that are tracked or would be; None when git has nothing to say about it.

    A folder that an outer repository ignores is none of its business, so that is None too. WrongInputError for a
    repository that git cannot read: without it all that is ignored, `.env` too, would be in a release.
    """
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", must=True)
    return sorted(set(listed.split("\0")) - {""}) or None if listed is not None else None


def ignored(folder: Path) -> list[str] | None:
    """Paths that git leaves alone; a folder with nothing else in it is one path, which ends with /."""
    listed = _git(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return sorted(set(listed.split("\0")) - {""}) if listed is not None else None


def sparse(folder: Path) -> list[str]:
    """Paths, relative to `folder`, that are tracked and that a sparse checkout leaves out."""
    listed = _git(folder, "ls-files", "-z", "-t", "--cached") or ""
    return [path for mark, _, path in (line.partition(" ") for line in listed.split("\0")) if mark == "S"]


def commit(folder: Path, others: Sequence[Path] = ()) -> Commit | None:
    """None when there is no commit yet. `others` are folders and files that may have changed, too."""
    sha = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not sha:
        return None
    label = _git(folder, "describe", "--tags", "--always", "--abbrev=7")
    changed = any(_changed(place) for place in (folder, *others))
    return Commit(sha.strip(), (label or sha[:7]).strip(), changed=changed)


def _changed(place: Path) -> bool:
    """A folder or a file is not what it is in its repository's commit."""
    folder, name = (place, ".") if place.is_dir() else (place.parent, place.name)
    return bool(_git(folder, "status", "--porcelain", "--", name))


def _git(folder: Path, *arguments: str, must: bool = False) -> str | None:
    """What it prints; None when it fails or is not installed. One that `must` does so only where there is no work tree.

    GIT_DIR and the like are left out: they are set when we are called from a git hook, and name another repository.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=env | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        if must and _in_repository(folder):
            raise WrongInputError(
                f"git cannot say which files of {folder} belong to a release: it is not found in PATH",
                "install it, or have it in the PATH of the shell that starts the controller: `crossfade up --restart`",
            ) from None
        return None
    complaint = done.stderr.decode(errors="replace").strip()
    if "dubious ownership" in complaint:
        raise WrongInputError(
            f"git does not trust {folder}: it belongs to another user",
            f"if you do: git config --global --add safe.directory {folder}",
        )
    nothing = any(words in complaint for words in _NO_WORK_TREE) and not _in_repository(folder)
    if must and done.returncode and not nothing:
        raise WrongInputError(
            f"git cannot say which files of {folder} belong to a release: {_first_line(complaint)}",
            f"mend the repository: `git -C {folder} status` says what is wrong",
        )
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else None


def _in_repository(folder: Path) -> bool:
    """There is a repository, also where git takes it for none, as its HEAD got lost in a power cut, or cannot be asked.

    As git does, one that is not ours to look into is passed over, and beyond the folder's own file system nobody looks.
    """
    here = folder.resolve()
    for above in (here, *here.parents):
        there = f"{above}/.git"  # a file in a work tree of its own, and in a submodule
        if os.path.isdir(f"{there}/objects") or os.path.isfile(there):  # noqa: PTH112, PTH113  not where we may not look
            return True
        if above.is_mount():
            break
    return False


def _first_line(complaint: str) -> str:
    return complaint.partition("\n")[0] or "it says only that it failed"
