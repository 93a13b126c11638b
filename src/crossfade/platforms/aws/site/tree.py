"""The files of a site as one release has them."""

import hashlib
import json
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Site

OWN = ".crossfade/"  # what of the bucket is ours to keep releases in
ROOT = "index.html"
_PAGES = (".html", ".htm")
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico")
_ASSETS = (".js", ".mjs", ".css", ".woff", ".woff2", ".ttf", ".map", ".wasm")
_TEXT = ("application/javascript", "application/json", "application/xml", "image/svg+xml")
# What Python's own table lacks, or has otherwise than browsers want it.
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2", ".woff": "font/woff"} | {
    ".webmanifest": "application/manifest+json",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",
    ".map": "application/json",
}


@dataclass(frozen=True, slots=True, order=True)
class SiteFile:
    """`path` as visitors ask for it, without the first slash; `md5` is how S3 knows it again."""

    path: str
    sha256: str
    md5: str

    @property
    def page(self) -> bool:
        """It names others, and is what a switch changes."""
        return is_page(self.path)

    @property
    def key(self) -> str:
        """Where its content is kept, whatever it is called by a release."""
        return f"{OWN}files/{self.sha256}"

    @property
    def content_type(self) -> str:
        suffix = Path(self.path).suffix.lower()
        kind = _TYPES.get(suffix) or mimetypes.guess_type(self.path)[0] or "application/octet-stream"
        return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXT else kind

    def cache_control(self, site: Site) -> str:
        """How long browsers and edges keep it. What is neither asset nor image is as fresh as pages: it may change."""
        name = self.path.lower()
        if name.endswith(_ASSETS):
            return f"public, max-age={site.assets:.0f}, immutable"
        return f"public, max-age={site.images if name.endswith(_IMAGES) else site.html:.0f}"


@dataclass(frozen=True, slots=True)
class Tree:
    """All files of a release, by path."""

    files: tuple[SiteFile, ...]

    @property
    def digest(self) -> str:
        told = json.dumps([[file.path, file.sha256] for file in self.files])
        return f"site@sha256:{hashlib.sha256(told.encode()).hexdigest()}"

    def by_path(self) -> dict[str, SiteFile]:
        return {file.path: file for file in self.files}

    def text(self) -> str:
        return json.dumps([[file.path, file.sha256, file.md5] for file in self.files])


def is_page(path: str) -> bool:
    return path.lower().endswith(_PAGES)


def written(text: str) -> Tree:
    """What `Tree.text` wrote."""
    return Tree(tuple(SiteFile(*each) for each in json.loads(text)))


def read(folder: Path, named: str) -> Tree:
    """Of a folder, which is called `named` in messages. WrongInputError for one that is no site."""
    if not folder.is_dir():
        raise WrongInputError(
            f"the site's folder {named} does not exist", "build it first, or say how: `cloud: {site: {build: ...}}`"
        )
    tree = Tree(tuple(sorted(_file(folder, path) for path in _files(folder))))
    known = tree.by_path()
    if ROOT not in known:
        raise WrongInputError(
            f"the site's folder {named} has no {ROOT}", "name the folder that is built: `cloud: {site: {folder: ...}}`"
        )
    ours = next((path for path in known if path.startswith(OWN)), "")
    if ours:
        raise WrongInputError(f"the site's folder {named} has {ours}", f"rename it: crossfade keeps releases in {OWN}")
    return tree


def order(files: Iterable[SiteFile]) -> tuple[list[SiteFile], list[SiteFile]]:
    """What is named by others first, then pages, the one that most visitors begin with at last."""
    files = list(files)
    pages = sorted((file for file in files if file.page), key=lambda file: (file.path == ROOT, file.path))
    return [file for file in files if not file.page], pages


def _files(folder: Path) -> Iterable[Path]:
    """Without what version control and desktops leave behind."""
    for path in folder.rglob("*"):
        hidden = ".git" in path.parts or path.name == ".DS_Store"
        if path.is_file() and not hidden and path.resolve().is_relative_to(folder.resolve()):
            yield path


def _file(folder: Path, path: Path) -> SiteFile:
    content = path.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return SiteFile(path.relative_to(folder).as_posix(), hashlib.sha256(content).hexdigest(), md5)
