"""Files with secrets that other users of this machine may read: keys of TLS, and where values of secrets come from."""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crossfade.paths import from_folder
from crossfade.telling.text import plain

Json = Mapping[str, Any]


def of_deploy(services: Iterable[Json], sources: Mapping[str, Json]) -> list[str]:
    """The same for a deploy: of its services, and of where `deployable` says that their secrets come from."""
    keys = [tls["key"] for service in services if (tls := service["listener"]["tls"])]
    named = [
        from_folder(Path(one["folder"]), path)
        for one in sources.values()
        for path in (*one["files"], *(s["file"] for s in one["secrets"].values() if s.get("file")))
    ]
    return lines([*map(Path, keys), *named])


def lines(files: Iterable[Path]) -> list[str]:
    """A line for each file that anybody may read, with the way to close it."""
    return [
        f"anybody on this machine may read {plain(str(file))}, which holds secrets; `chmod o-r` closes it"
        for file in dict.fromkeys(files)
        if _open_to_all(file)
    ]


def _open_to_all(file: Path) -> bool:
    """Nobody reads a file in a folder that is closed to him."""
    try:
        real = file.resolve(strict=True)
        folders = [folder.stat().st_mode & stat.S_IXOTH for folder in real.parents]
        return bool(real.stat().st_mode & stat.S_IROTH) and all(folders)
    except OSError:
        return False  # one that is not there is for the deploy to say
