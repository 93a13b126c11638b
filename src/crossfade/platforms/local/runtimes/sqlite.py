"""SQLite files that several instances would write: what a deploy says of them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from crossfade.core.service import Service

_MAGIC = b"SQLite format 3\0"
_MOST = 1000  # files that are looked at: a folder of uploads may have millions


def warnings(service: Service, folders: Iterable[Path]) -> tuple[str, ...]:
    """A sentence for each SQLite file in these volumes, or one for variables that lead to one, when two would write it.

    Also a single instance is two while a release replaces another, but with `recreate`.
    """
    if service.replicas < 2 and service.strategy.name == "recreate":  # noqa: PLR2004  one at a time, ever
        return ()
    files = [str(file) for folder in folders for file in _files(folder)]
    if not files and service.volumes:
        files = [f"the database of {name}" for name, value in service.env if value.startswith(("sqlite:", "file:"))]
    who = f"{service.replicas} instances" if service.replicas > 1 else "the old instance and the new one"
    way_out = "let one at a time have it (replicas: 1, deploy: {strategy: recreate}), or use a database server"
    return tuple(f"{who} of {service.key} would write one SQLite file, {file}: {way_out}" for file in files)


def _files(folder: Path) -> Iterator[Path]:
    """Those in it that begin as SQLite's do. What may not be read is left alone."""
    paths = (Path(at, name) for at, _, names in os.walk(folder) for name in names)
    for path in islice(paths, _MOST):
        with suppress(OSError):
            if path.is_file():
                with path.open("rb") as file:
                    if file.read(len(_MAGIC)) == _MAGIC:
                        yield path
