"""Releases linked ahead from what a build kept: tens of thousands of files that a deploy then only moves.

The links are made by a process of the lowest priority, beside the release that has just been built, in a folder that
nobody knows until it is whole. Whoever takes it has it alone, for a folder is renamed once. It is of one copy of what
was kept, by whose name it is known; of another one, and where there is none, releases link for themselves.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crossfade.held import take
from crossfade.platforms.local.runtimes import gently
from crossfade.removal import remove

AHEAD = "ahead"
OF = "of"  # the copy that it has the links of
_UNDER_WAY = ".ahead-"


async def prepare(home: Path, copy: Path, kept: str) -> None:
    """Link what is `kept` in a copy, unless that is there or somebody is at it. A failure costs time, nothing else."""
    with suppress(OSError), _alone(home / f"{AHEAD}.lock") as ours:
        if not ours or _of(home) == copy.name:
            return
        for left in await asyncio.to_thread(_leftovers, home):
            await gently.remove(left)
        draft = Path(tempfile.mkdtemp(prefix=_UNDER_WAY, dir=home))
        try:
            if await gently.run("cp", "-al", str(copy / kept), str(draft / kept)):
                await asyncio.to_thread(_publish, draft, copy.name)
        finally:
            await asyncio.to_thread(remove, draft)


@contextmanager
def taken(home: Path, copy: Path, kept: str) -> Iterator[Path | None]:
    """The folder with the links of a copy, which is nobody else's from here on; what is left in it goes. None: none."""
    mine = Path(tempfile.mkdtemp(prefix=_UNDER_WAY, dir=home))
    try:
        found = None
        if _of(home) == copy.name:
            with suppress(OSError):  # somebody was faster
                (home / AHEAD).rename(mine)
                found = mine / kept if _read(mine / OF) == copy.name else None
        yield found
    finally:
        remove(mine)


def _publish(draft: Path, of: str) -> None:
    (draft / OF).write_text(of)
    draft.rename(draft.with_name(AHEAD))


def _of(home: Path) -> str:
    return _read(home / AHEAD / OF)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _leftovers(home: Path) -> list[Path]:
    """What is of another copy, and what the dead left. Who is about to take one holds the lock of the copies, and a
    deploy waits for that: what is to go is only put aside under it.
    """
    with _alone(home / "lock") as ours:
        if ours and (home / AHEAD).exists():
            (home / AHEAD).rename(tempfile.mkdtemp(prefix=_UNDER_WAY, dir=home))
        return [*home.glob(f"{_UNDER_WAY}*")] if ours else []


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether nobody else has the lock."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield take(lock)
    finally:
        os.close(lock)
