"""A request for a file of a site: which file, a page or a part of one, and in which encoding."""

import re
from collections.abc import Mapping

from crossfade.platforms.local.pages import PART_ENDINGS

_PAGES = {"document", "iframe", "frame"}
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,11}$")
_PART = re.compile(rf"\.({PART_ENDINGS})$", re.IGNORECASE)


def wants_page(path: str, headers: Mapping[str, str]) -> bool:
    """May a page be the answer to what is not there? Never for a part of a page.

    A browser says what it is for, at least what it accepts; who says no more is told by the path's ending, too.
    """
    accepts, purpose = headers.get("accept", "*/*"), headers.get("sec-fetch-dest", "")
    if purpose in _PAGES:
        return True
    if "text/html" in accepts:
        return purpose in {"", "empty"} and _PART.search(path) is None
    return not purpose and "*/*" in accepts and _ENDING.search(path) is None


def encodings(accepted: str) -> list[str]:
    """Those that may be sent, best first: `gzip, br;q=0.5` is gzip and then br, `br;q=0` is none."""
    found: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            found[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            found[name.strip()] = 0.0
    usual = found.get("*", 0.0)
    weights = {name: found.get(name, usual) for name in ("br", "gzip")}
    return sorted((name for name, weight in weights.items() if weight > 0), key=lambda name: -weights[name])


def names(path: str) -> tuple[str, ...]:
    """Where the file of a path may be: `/about` is about, or about.html; `/` and `/docs/` are the index there."""
    name = path.removeprefix("/")
    return (f"{name}index.html",) if not name or name.endswith("/") else (name, f"{name}.html")


def same(header: str, etag: str) -> bool:
    """Does If-None-Match name this content? Weak or strong makes no difference there."""
    known = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in known or etag in known
