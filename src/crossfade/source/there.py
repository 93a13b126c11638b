"""Is it there on the disk? A name that is too long for one is wrong, and no trouble: nothing is there."""

import os
from pathlib import Path


def is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  Path raises for a name that is too long


def is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def why_no_file(path: Path) -> str:
    """What is wrong with the name of a file, as a message goes on behind it."""
    if is_folder(path):
        return "which is a folder"
    return "which is not a file" if is_there(path) else "which does not exist"


def why_no_folder(path: Path) -> str:
    """What is wrong with the name of a folder, as a message goes on behind it."""
    return "which is not a folder" if is_there(path) else "which does not exist"
