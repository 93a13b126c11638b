"""The contents of a release in a line or two: what of the folders stays out, and what goes along that should not."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossfade.source.folder import MOST, FolderAccount, LeftOut, account, unreadable
from crossfade.source.there import is_folder
from crossfade.source.whole import WholeSource
from crossfade.telling.text import plain, plural

SHOWN = 4  # examples a reason

Json = Mapping[str, Any]


def accounts(services: Iterable[Json], without: Path | None) -> dict[str, FolderAccount]:
    """By service, as the file names it. A folder is looked at once; one that is missing is for the deploy to say."""
    wholes: dict[WholeSource, FolderAccount] = {}
    found = {}
    for service in services:
        source = service["source"]
        if source and is_folder(Path(source)):
            whole = WholeSource.of(Path(source), service.get("also", ()))
            if whole not in wholes:
                wholes[whole] = _account(whole, without)
            found[service["name"]] = wholes[whole]
    return found


def _account(whole: WholeSource, without: Path | None) -> FolderAccount:
    """Of all parts, by paths from the source. A link from one part into another leads nowhere else."""
    parts = whole.parts or ("",)
    left, exposed = list[LeftOut](), list[str]()
    for part in parts:
        place = whole.root / part
        if place.is_dir():
            try:
                found = account(place, without, [whole.root / other for other in parts])
            except PermissionError as error:
                raise unreadable(error) from error
            from_source = os.path.relpath(place, whole.source)
            below = "" if from_source == "." else f"{from_source}/"
            left += [replace(one, path=f"{below}{one.path}") for one in found.left_out]
            exposed += [f"{below}{path}" for path in found.exposed]
    return FolderAccount(left_out=tuple(left), exposed=tuple(exposed))


def lines(found: Mapping[str, FolderAccount]) -> list[str]:
    """Two lines a folder at most; services of one folder share them."""
    told = []
    for one in dict.fromkeys(found.values()):
        names = ", ".join(name for name, other in found.items() if other == one)
        if one.left_out:
            told.append(f"not in a release of {names}: {_left_out(one.left_out)}")
        if one.exposed:
            told.append(
                f"in each release of {names}, though it looks like a secret: {_some(one.exposed)}; "
                "list it in .gitignore, or give its values with `secrets`"
            )
    return told


def data(found: Mapping[str, FolderAccount]) -> dict[str, Any]:
    """The same for machines: everything, and not only examples. Nothing where all goes along."""
    told = {
        name: {
            "left_out": [{"path": left.path, "why": left.why, "files": left.files} for left in one.left_out],
            "exposed": list(one.exposed),
        }
        for name, one in found.items()
        if one.left_out or one.exposed
    }
    return {"contents": told} if told else {}


def _left_out(left: Iterable[LeftOut]) -> str:
    """`dist/ (12 files) and debug.log, ignored by git; shared -> ../shared, leads out of the source`."""
    reasons: dict[str, list[str]] = {}
    for one in left:
        reasons.setdefault(one.why, []).append(one.path + (_many(one.files) if one.path.endswith("/") else ""))
    return "; ".join(f"{_some(paths)}, {why}" for why, paths in reasons.items())


def _many(files: int) -> str:
    return f" ({plural(files, 'file')}{' or more' if files >= MOST else ''})" if files else " (empty)"


def _some(names: Iterable[str]) -> str:
    names = [plain(name) for name in names]
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
