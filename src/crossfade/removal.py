"""Removal of folders with all that is in them."""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove what is there, also in folders that nobody may write to, as Go keeps its modules. What cannot go is left:
    what another user put there, say.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir() and not folder.is_symlink():
        _open(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _open(folder: Path) -> None:
    """Let ourselves into it, and into all folders below."""
    folders = [str(folder)]
    while folders:
        here = folders.pop()
        with suppress(OSError):
            os.chmod(here, stat.S_IRWXU)  # noqa: PTH101  there may be tens of thousands of them
            folders += [entry.path for entry in os.scandir(here) if entry.is_dir(follow_symlinks=False)]
