"""A look at what was linked ahead, begun with a deploy and over by the time its release is launched.

Tens of thousands of files take a tenth of a second to look at, and a deploy has other things to do until then. They are
found from their folders' descriptors: the release takes the folders over while they are looked at.
"""

import os
import time
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.runtimes.seal import Seal, differences

HOLDS = 3  # times as long as it took: what a look says of its first file is as old as itself at its end anyway


class Looked(NamedTuple):
    """All in the folder of that inode was what the seal says, when that was looked at."""

    ahead: int
    began: float
    ended: float

    def holds(self, ahead: int) -> bool:
        """It is of this folder, and so short ago that another look would be no newer by much."""
        return self.ahead == ahead and time.monotonic() - self.began < HOLDS * (self.ended - self.began)


@dataclass(frozen=True, slots=True)
class FreshTree:
    """A tree that was just built, until it is looked at for the first time: its seal, and what of that is `own`.

    All else is below the folders `places`, which the folder of the inode `ahead` had, and `look` tells of that.
    """

    seal: Seal
    own: Seal = field(default_factory=dict)
    places: Collection[str] = ()
    ahead: int = 0
    look: Future[Looked | None] | None = None

    def complaint(self, tree: Path, *, strictly: bool, at_rest: bool) -> str:
        """What is wrong with the files, empty when nothing is. What came counts where nothing may have made it."""
        changed, came = self._differences(tree, strictly=strictly)
        if changed:
            return f"{_some(changed)} changed or went"
        return f"{_some(came)} came later" if came and at_rest else ""

    def _differences(self, tree: Path, *, strictly: bool) -> tuple[list[str], list[str]]:
        """As `seal.differences`: with what a look that began with the deploy told, and waiting for its end."""
        looked = self.look.result() if self.look and not strictly else None
        if looked and looked.holds(self.ahead):
            return differences(self.own, tree, beside=self.places)
        return differences(self.seal, tree, strictly=strictly)


def look(home: Path, kept: str, paths: Collection[str], sealed: Seal, but: Collection[str]) -> Looked | None:
    """Look at `paths` in what is kept in the folder `home`, `but` for what each release has otherwise.

    None: something is not as it was sealed, or nothing is there. What it is, the look before a launch says.
    """
    began, found, roots = time.monotonic(), 0, dict[str, int]()
    try:
        ahead = home.stat().st_ino
        for path in paths:
            roots[f"{path}/"] = os.open(home / kept / path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        for path, root in roots.items():
            found += _as_sealed(path, root, sealed, but)
    except (OSError, _OtherwiseError):
        return None
    finally:
        for root in roots.values():
            os.close(root)
    return Looked(ahead, began, time.monotonic()) if found == len(sealed) - len(but) else None


class _OtherwiseError(Exception):
    pass


def _as_sealed(top: str, root: int, sealed: Seal, but: Collection[str]) -> int:
    """How many files and links were found."""
    found, folders = 0, ["."]
    while folders:
        below = folders.pop()
        here = os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
        try:
            prefix = top if below == "." else f"{top}{below}/"
            with os.scandir(here) as entries:
                for entry in entries:
                    path = f"{prefix}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name if below == "." else f"{below}/{entry.name}")
                    elif path not in but:
                        held = sealed.get(path)
                        if held is None or not held.untouched(entry.stat(follow_symlinks=False)):
                            raise _OtherwiseError(path)
                        found += 1
        finally:
            os.close(here)
    return found


def _some(paths: list[str]) -> str:
    """The first path, and how many more there are."""
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
