"""Memory of source folders at their last snapshots, so that unchanged files need not be read again."""

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crossfade.source.whole import WholeSource

# A file that changed within this time before it was looked at may change again without its times showing it: they are
# only as fine as the kernel's tick, or the clock of a network disk, or the two seconds of FAT.
UNSURE_NS = 2_000_000_000
KEPT = 50  # folders; a job of CI may bring a new one every time


class FileLook(NamedTuple):
    """One file as it was looked at. Times in ns; `changed` (ctime) moves with every write and cannot be set back."""

    size: int
    modified: int
    changed: int
    inode: int
    sha256: str

    @classmethod
    def of(cls, info: os.stat_result, sha256: str) -> "FileLook":
        return cls(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, sha256)


@dataclass(frozen=True, slots=True)
class SeenFolder:
    """A folder at its last snapshot, and the digest of the release that was made of it."""

    digest: str = ""
    looks: Mapping[str, FileLook] = field(default_factory=dict)

    def unchanged(self, path: str, info: os.stat_result) -> FileLook | None:
        """The look at a file that nobody touched since, else None."""
        look = self.looks.get(path)
        same = look is not None and look[:4] == (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
        return look if same else None


class Sources:
    """`<directory>/<hash of the folder's path>`: a megabyte for 20,000 files, one of them a folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def last(self, source: WholeSource) -> SeenFolder:
        try:
            told = json.loads(zlib.decompress(self._path(source).read_bytes()))
            return SeenFolder(told["digest"], {name: FileLook(*row) for name, row in told["files"].items()})
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return SeenFolder()

    def note(self, source: WholeSource, seen: SeenFolder, began: int) -> None:
        """Remember what was seen from the moment `began` on, ns since the epoch."""
        sure = {name: look for name, look in seen.looks.items() if look.changed < began - UNSURE_NS}
        told = {"source": str(source), "digest": seen.digest, "files": sure}
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
        file, draft = tempfile.mkstemp(dir=self._directory)
        with os.fdopen(file, "wb") as written:
            written.write(zlib.compress(json.dumps(told).encode(), 1))
        Path(draft).replace(self._path(source))
        newest = sorted(self._directory.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest[KEPT:]:
            old.unlink(missing_ok=True)

    def _path(self, source: WholeSource) -> Path:
        return self._directory / hashlib.sha256(os.fsencode(str(source))).hexdigest()[:16]
