"""A look at what was linked ahead, begun with a deploy and over by the time its release is launched.

Tens of thousands of files take a tenth of a second to look at, and a deploy has other things to do until then. They are
found from their folders' descriptors: the release takes the folders over while they are looked at.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.runtimes.seal import Seal, differences

SECOND = 10**9  # ns
TAB = "\t"
# Of each file and link. What nothing else has a link to was not linked ahead, as what a release has otherwise was not.
FIND = (
    *("find", ".", "-ignore_readdir_race", "!", "-type", "d"),
    *("-printf", "%i %s %T@\\t%P\\0", "-links", "1", "-printf", "alone\\t%P\\0"),
)
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
    began, finds, roots = time.monotonic(), dict[str, _Find](), list[int]()
    try:
        ahead = home.stat().st_ino
        for path in paths:
            roots.append(os.open(home / kept / path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
            finds[f"{path}/"] = _Find(roots[-1])
        all_there = all(_as_sealed(top, find, sealed, but) for top, find in finds.items())
    except OSError:
        return None
    finally:
        for find in finds.values():
            find.end()
        for root in roots:
            os.close(root)
    return Looked(ahead, began, time.monotonic()) if all_there else None


def _as_sealed(top: str, find: "_Find", sealed: Seal, but: Collection[str]) -> bool:
    """Nothing else was found than what the seal has below the folder `top`, and all of that."""
    wanted = {
        f"{entry.inode} {entry.size} {entry.modified // SECOND}.{entry.modified % SECOND:09d}0\t{path[len(top) :]}"
        for path, entry in sealed.items()
        if path.startswith(top) and path not in but
    }
    found = find.lines()
    return found >= wanted and all(f"{top}{line.partition(TAB)[2]}" in but for line in found - wanted)


class _Find:
    """`find` in the folder of a descriptor: a program of its own, for a thread of ours would wait for all others after
    each of its tens of thousands of questions.
    """

    def __init__(self, folder: int) -> None:
        self._told = tempfile.TemporaryFile()  # noqa: SIM115  until `end`
        self._process = subprocess.Popen(
            FIND,
            cwd=f"/proc/self/fd/{folder}",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=self._told,
            stderr=subprocess.DEVNULL,
        )

    def lines(self) -> set[str]:
        """What it found. OSError where it could not see everything, or is none that can say what we ask."""
        if self._process.wait():
            raise OSError
        self._told.seek(0)
        return set(os.fsdecode(self._told.read()).split("\0")[:-1])

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._told.close()


def _some(paths: list[str]) -> str:
    """The first path, and how many more there are."""
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
