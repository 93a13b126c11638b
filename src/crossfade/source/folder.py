"""A source folder: what of it goes into a release."""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.source import git
from crossfade.source.absent import Found, absent

LEFT_OUT = frozenset({".git", ".venv", "node_modules", "__pycache__", ".crossfade"})  # where there is no git to ask
CACHES = frozenset({".git", ".crossfade", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store"})
# What opens a person's accounts has no business in a release, tracked by git or not.
KEYS = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".pgpass", ".git-credentials", ".pypirc"})
CREDENTIALS = {"credentials": ".aws", "config.json": ".docker", "config": ".kube"}  # by name: the folder it lies in
EXAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")
_SAMPLES = ("example.", "sample.", "template.")
STORES = (".p12", ".pfx", ".jks", ".keystore")
HEAD = 4096  # bytes in which a private key says that it is one
DEEPEST = 400  # folders one in the other
MOST = 10_000  # files that are counted of one folder


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something in the folder that a release does not have. `files` counts up to `MOST`."""

    path: str  # a folder ends with /, a link names its target: `dist/`, `shared -> ../shared`
    why: str
    files: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderAccount:
    """What a release of the folder lacks, and what it has that looks like a secret."""

    left_out: tuple[LeftOut, ...] = ()
    exposed: tuple[str, ...] = ()


def belonging(source: Path, listed: list[str] | None, without: Path | None = None) -> Iterator[Found]:
    """All that goes into a release, in one fixed order; `listed` is what git says, None where it says nothing.

    In a git work tree that is what is tracked, and what is not ignored; elsewhere everything but `LEFT_OUT`. Nowhere
    somebody's keys. A submodule is listed by git as a folder: all of it belongs. `without`: our own state, if it lies
    inside.
    """
    hidden = _inside(source, without)
    for path, info in _walk(source, "", hidden) if listed is None else _listed(source, listed, hidden):
        if not is_personal(path):
            yield path, info


def account(source: Path, without: Path | None = None, parts: Collection[Path] = ()) -> FolderAccount:
    """Compare the folder with what a release of it has; `parts` are the absolute paths of all that it has."""
    listed, hidden = git.files(source), _inside(source, without)
    if listed is None:
        missing, why = [f"{path}/" for path in _skipped(source, "")], "left out where there is no git"
    else:
        missing, why = git.ignored(source) or [], "ignored by git"
    left = [LeftOut(path=path, why=why, files=_count(source / path)) for path in missing if _counts(path, hidden)]
    exposed, found = [], list(_walk(source, "", hidden) if listed is None else _listed(source, listed, hidden))
    left += [LeftOut(path=path, why=why) for path, why in absent(source, listed, found)]
    for path, info in found:
        if is_personal(path):
            left.append(LeftOut(path=path, why="somebody's credentials"))
        elif info is not None and stat.S_ISLNK(info.st_mode) and (target := _out_of(source, path, parts)):
            left.append(LeftOut(path=f"{path} -> {target}", why="leads out of the source"))
        elif info is not None and stat.S_ISREG(info.st_mode) and _is_secret(source, path):
            exposed.append(path)
    return FolderAccount(left_out=tuple(left), exposed=tuple(exposed))


def unreadable(error: OSError) -> WrongInputError:
    """What to say of a file or a folder that we may not read, such as the data of a database that runs as another."""
    return WrongInputError(
        f"{error.filename} cannot be read: permission denied",
        "give yourself read permission, move it elsewhere, or leave it out (.gitignore, where there is git)",
    )


def is_personal(path: str) -> bool:
    """It is what opens somebody's account: a private key of SSH, credentials of AWS."""
    folder, _, name = path.rpartition("/")
    return name in KEYS or (name in CREDENTIALS and folder.rpartition("/")[2] == CREDENTIALS[name])


def _listed(source: Path, listed: list[str], hidden: str) -> Iterator[Found]:
    known = {"": True}
    for path in listed:
        if _hides(hidden, path) or (".crossfade" in path and ".crossfade" in path.split("/")):
            continue
        try:
            info = os.lstat(f"{source}/{path}") if _in_folders(source, path, known) else None
        except FileNotFoundError:
            info = None
        if info is not None and stat.S_ISDIR(info.st_mode):
            yield from _walk(source, path.rstrip("/"), hidden)
        else:
            yield path, info


def _in_folders(source: Path, path: str, known: dict[str, bool]) -> bool:
    """All above it are folders. Git still names what was in one that is a file by now, or a link that leads elsewhere:
    what would be read there is not of this source, and a copy of it would be written where the link leads.
    """
    above = path.rstrip("/").rpartition("/")[0]
    if above not in known:
        for end in (at for at, letter in enumerate(f"{above}/") if letter == "/"):
            here = above[:end]
            if here not in known:
                known[here] = known[here.rpartition("/")[0]] and _is_folder(f"{source}/{here}")
    return known[above]


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _walk(source: Path, below: str, hidden: str) -> Iterator[Found]:
    if below.count("/") >= DEEPEST:
        raise WrongInputError(
            f"{source} has folders more than {DEEPEST} deep: {below[:80]}...",
            "is that a loop? leave it out (.gitignore)",
        )
    for entry in sorted(os.scandir(source / below), key=lambda entry: entry.name):
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name in LEFT_OUT or _hides(hidden, path):
            continue
        try:
            info = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            yield path, None
            continue
        yield path, info
        if stat.S_ISDIR(info.st_mode):
            yield from _walk(source, path, hidden)


def _skipped(source: Path, below: str) -> Iterator[str]:
    """Folders that `_walk` leaves out."""
    for entry in sorted(os.scandir(source / below), key=lambda entry: entry.name):
        if not entry.is_dir(follow_symlinks=False):
            continue
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name in LEFT_OUT:
            yield path
        else:
            yield from _skipped(source, path)


def _inside(source: Path, folder: Path | None) -> str:
    """`folder` as a path below the source; empty when it does not lie there. WrongInputError where it is the source."""
    if folder is None or not folder.is_relative_to(source):
        return ""
    if folder == source:
        raise WrongInputError(
            f"the state directory is the source {source} itself: each release would have all others in it",
            "give another one with --state or CROSSFADE_STATE",
        )
    return str(folder.relative_to(source))


def _hides(hidden: str, path: str) -> bool:
    return bool(hidden) and (path == hidden or path.startswith(f"{hidden}/"))


def _counts(path: str, hidden: str) -> bool:
    """Worth a word: no cache, which comes again by itself, and nothing of ours."""
    name = path.rstrip("/").rpartition("/")[2]
    return not (name in CACHES or name.endswith(".pyc") or _hides(hidden, path.rstrip("/")))


def _count(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return 1
    count, folders = 0, [str(path)]
    while folders and count < MOST:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:  # not ours to read
            continue
        inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        folders += inner
        count += len(entries) - len(inner)
    return min(count, MOST)


def _out_of(source: Path, path: str, parts: Collection[Path]) -> str:
    """Where a link leads that leaves all that belongs; empty when it stays inside."""
    try:
        target = os.readlink(f"{source}/{path}")  # noqa: PTH115  the text of the link, as it is
    except FileNotFoundError:
        return ""
    reached = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120  texts, not files
    if reached != ".." and not reached.startswith(("/", "../")):
        return ""
    there = Path(os.path.normpath(source / reached))
    inside = not target.startswith("/") and any(there.is_relative_to(part) for part in parts)
    return "" if inside else target


def _is_secret(source: Path, path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    if name == ".env" or name.startswith(".env.") or name.endswith(".env"):
        return not (name.endswith(EXAMPLES) or name.startswith(_SAMPLES))
    if name.endswith((".pem", ".key")):
        try:
            with (source / path).open("rb") as file:
                return b"PRIVATE KEY-----" in file.read(HEAD)
        except OSError:
            return False
    return name.endswith(STORES)
