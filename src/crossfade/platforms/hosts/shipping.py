"""A source folder on its way to hosts: packed once, unpacked on each where its controller will look for it."""

import hashlib
import io
import os
import shlex
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.platforms.hosts.ssh import HostConnection
from crossfade.source.listing import MARK, listing, mark
from crossfade.source.there import is_folder
from crossfade.source.whole import WholeSource

SECONDS = 600.0  # for all files of an app to reach a host


@dataclass(frozen=True, slots=True)
class Parcel:
    """A packed folder: a tar file of ours, its SHA-256, and how many files are in it."""

    path: Path
    digest: str
    files: int


def pack(whole: WholeSource, into: Path, without: Path | None = None) -> Parcel:
    """What belongs to a source, and no more, in a new file `into`; `without`: our own state, if it lies inside.

    Raises WrongInputError for a folder that is missing or cannot be read.
    """
    if not is_folder(whole.source):
        raise WrongInputError(
            f"the source folder {whole.source} does not exist", "correct `source` in the file, or create it"
        )
    found, count = listing(whole), 0
    try:
        with into.open("xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as packed:
            for path, info in found.belonging(without):
                if info is not None:
                    count += _add(packed, whole.root, path, info)
            note = mark(found)
            about = _about(MARK, stat.S_IFREG | 0o600, 0.0)
            about.size = len(note)
            packed.addfile(about, io.BytesIO(note))
        with into.open("rb") as made:
            digest = hashlib.file_digest(made, "sha256").hexdigest()
    except OSError as error:
        raise PlatformError(
            f"{whole} could not be packed: {error.strerror or error} ({error.filename or into})", "deploy again"
        ) from error
    return Parcel(into, digest, count)


def unpack(connection: HostConnection, parcel: Parcel, there: str) -> None:
    """Put it in the place of what is at the path `there` of the host. PlatformError when the host cannot."""
    new, old, place = (shlex.quote(f"{there}{end}") for end in (".new", ".old", ""))
    with parcel.path.open("rb") as packed:
        connection.run(
            f"umask 077; set -e; rm -rf {new} {old}; mkdir -p {new}; tar -xpf - --no-same-owner -C {new}; "
            f"if [ -e {place} ]; then mv {place} {old}; fi; mv {new} {place}; rm -rf {old}",
            given=packed,
            seconds=SECONDS,
        )


def _add(packed: tarfile.TarFile, root: Path, path: str, info: os.stat_result) -> int:
    """Add one entry; how many files it is. Sockets and pipes are no content."""
    about = _about(path, info.st_mode, info.st_mtime_ns / 1e9)
    if stat.S_ISREG(info.st_mode):
        with (root / path).open("rb") as file:
            about.size = os.fstat(file.fileno()).st_size
            packed.addfile(about, file)
        return 1
    if stat.S_ISLNK(info.st_mode):
        about.type, about.linkname = tarfile.SYMTYPE, os.readlink(root / path)  # noqa: PTH115  the text, as it is
    elif stat.S_ISDIR(info.st_mode):
        about.type = tarfile.DIRTYPE
    else:
        return 0
    packed.addfile(about)
    return 0


def _about(path: str, mode: int, modified: float) -> tarfile.TarInfo:
    """Nobody's file: whoever unpacks it owns it."""
    about = tarfile.TarInfo(path)
    about.mode, about.mtime = stat.S_IMODE(mode) & 0o777, modified
    return about
