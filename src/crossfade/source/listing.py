"""The listing of a source: which files belong to it, and which commit it is, by git or by whoever shipped it."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.source import folder, git
from crossfade.source.absent import Found
from crossfade.source.there import is_there
from crossfade.source.whole import WholeSource

# In a folder that came from another machine. A release never has `.crossfade`, so that none brings its own.
MARK = ".crossfade/shipped.json"


@dataclass(frozen=True, slots=True)
class Listing:
    """`files` are those that another machine's git named (`shipped`), or ours does of a root without parts; None where
    git says nothing.
    """

    whole: WholeSource
    files: list[str] | None = None
    shipped: bool = False
    shipped_commit: git.Commit | None = None

    def belonging(self, without: Path | None = None) -> Iterator[Found]:
        """All that goes into a release, by paths from the root, in one fixed order; `without` as `folder.belonging`."""
        root = self.whole.root
        if self.shipped or not self.whole.parts:
            yield from folder.belonging(root, self.files, without)
            return
        for part in self.whole.parts:
            place = root / part
            if not is_there(place):
                raise WrongInputError(f"{place} does not exist", "correct `also` in the file, or create it")
            if not place.is_dir():
                if not folder.is_personal(part):
                    yield part, os.lstat(place)
                continue
            for path, info in folder.belonging(place, git.files(place), without):
                yield f"{part}/{path}", info

    def commit(self) -> git.Commit | None:
        """The commit as it is now; None without one. It is `changed` when any part of the whole is."""
        if self.shipped:
            return self.shipped_commit
        source, parts = self.whole.source, self.whole.parts
        others = [self.whole.root / part for part in parts if part != self.whole.within]
        known = git.files(source) if parts else self.files
        return git.commit(source, others) if known else None


def listing(whole: WholeSource) -> Listing:
    """PlatformError for a shipped folder whose mark cannot be read."""
    mark = whole.root / MARK
    try:
        told = json.loads(mark.read_bytes())
        commit = git.Commit(**told["commit"]) if told["commit"] else None
        return Listing(whole, told["files"], shipped=True, shipped_commit=commit)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(whole, None if whole.parts else git.files(whole.root))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PlatformError(f"{mark} is damaged", "remove it, and deploy again") from error


def mark(found: Listing) -> bytes:
    """What makes another machine see the same in a copy of the root."""
    files = found.files
    if found.whole.parts and not found.shipped:
        files = [path for path, info in found.belonging() if info is not None and not stat.S_ISDIR(info.st_mode)]
    commit = found.commit()
    return json.dumps({"files": files, "commit": asdict(commit) if commit else None}).encode()
