"""The making of a release of a source: what goes in, and what its build leaves for the next one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.file.part import Clash
from crossfade.file.units import Text
from crossfade.paths import from_folder, is_at_home
from crossfade.source.there import is_there

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

CACHED = Text(
    r"(~/)?(?!\.\.?(/|$))[^/~\0][^/\0]*(/(?!\.\.?(/|$))[^/\0]+)*", "a folder such as node_modules or ~/.cache/pip"
)
INSIDE = Text(
    r"(?!\.\.?(/|$))[^/~\0][^/\0]*(/(?!\.\.?(/|$))[^/\0]+)*",
    "a path below the source, such as requirements.txt, without .. in it",
)
ELSEWHERE = Text(r"[^/~\0][^\0]*", "a path from where this file stands, such as packages/shared")


def wrong_making(service: "Service") -> Iterator[Clash]:
    """What would change nothing, or be lost."""
    if service.source is None:
        if service.build is not None:
            yield Clash(("build",), "build beside an image", "build only beside a source, or image: {build: .}")
        if service.also:
            yield Clash(
                ("also",), "also beside an image", "also only beside a source; an image has its build's context"
            )
    if service.cache and service.build is None:
        yield Clash(("cache",), "cache without a build that would use it", "build beside it")
    if not service.built_from:
        return
    if service.build is None:
        yield Clash(("built_from",), "built_from without a build", "build beside it")
    elif all(map(is_at_home, service.cache)):
        found = "built_from without cache, so that nothing of a build would be kept"
        yield Clash(("built_from",), found, "cache: [.venv] beside it, or whatever the build leaves")


def missing(service: "Service", folder: Path) -> Iterator[tuple[str, int, str, str]]:
    """(key, index, path, what is allowed) of each part that is not there; `folder` is where the file stands."""
    for index, path in enumerate(service.also):
        if not is_there(folder / path):
            yield "also", index, path, "an existing folder or file, relative to this file"
    for index, path in enumerate(service.built_from):
        if not is_there(from_folder(folder, service.source or "") / path):
            yield "built_from", index, path, f"an existing file or folder, relative to {service.source}"
