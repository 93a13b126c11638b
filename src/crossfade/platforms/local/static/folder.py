"""A folder to be served: an index that is made once, for a release never changes."""

import hashlib
import mimetypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_PUBLIC = ".well-known"  # the one folder with a dot that is for everybody (RFC 8615)
_OURS = {"crossfade.yaml", "crossfade.yml"}
_PACKED = {"br": ".br", "gzip": ".gz"}  # made by the app's build, beside the file
_TEXT = re.compile(r"text/.*|application/(javascript|json|manifest\+json|xml|wasm)|.*\+(xml|json)|font/(ttf|otf)")
_LEAST, _MOST = 1024, 8 << 20  # bytes of what is worth packing by us
# app.3f9a21bc.js, index-BZx4kqUG.js: eight or more with a digit and a letter; of mixed letters two are capitals.
_HASHED = re.compile(
    r"[.\-_](?=[^.]*\d)(?:(?=[0-9]*[a-f])[0-9a-f]{8,64}|(?=[^.]*[a-z])(?=[^.]*[A-Z][^.]*[A-Z])[A-Za-z0-9_]{8,64})\."
)
# What browsers take for something else than the machine's own table says, which differs from one to the other.
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".html": "text/html",
    ".txt": "text/plain",
    ".xml": "application/xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One file. `packed` are its packed copies by encoding; `etag` is of its content, whichever release has it."""

    path: Path
    size: int
    etag: str
    kind: str
    immutable: bool
    packed: dict[str, Path]

    @property
    def packable(self) -> bool:
        return _LEAST <= self.size <= _MOST and _TEXT.fullmatch(self.kind) is not None


def index(folder: Path, immutable: tuple[str, ...] = ()) -> dict[str, Served]:
    """All that is served, by its path in the folder: `assets/app.js`. Nothing from outside or with a dot in front.

    `immutable` are patterns of URL paths whose content never changes; by default what has a hash in its name.
    """
    files = dict(_files(folder))
    return {name: _served(name, path, files, immutable) for name, path in files.items()}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    real = folder.resolve()
    for here, folders, names in os.walk(real):
        folders[:] = sorted(name for name in folders if name == _PUBLIC or not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            inside = path.is_file() and path.resolve().is_relative_to(real)
            if inside and not name.startswith(".") and name not in _OURS:
                yield path.relative_to(real).as_posix(), path


def _served(name: str, path: Path, files: dict[str, Path], immutable: tuple[str, ...]) -> Served:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    return Served(
        path=path,
        size=path.stat().st_size,
        etag=digest,
        kind=_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream",
        immutable=any(fnmatchcase(f"/{name}", one) for one in immutable) if immutable else bool(_HASHED.search(name)),
        packed={encoding: files[name + end] for encoding, end in _PACKED.items() if name + end in files},
    )
