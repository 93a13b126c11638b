"""Files that are seen whole: either the old content or the new."""

import os
from pathlib import Path


def replace(path: Path, text: str, *, durable: bool = True) -> None:
    """Write beside and rename over: readers and watchers see one step.

    `durable` waits for the disk, so that a power cut leaves no half; what is written anew at every start need not.
    """
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    beside.rename(path)
