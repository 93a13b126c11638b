"""What a request wants: which file, a page or a part of one, and in which encoding."""

import re
from collections.abc import Mapping

_PAGES = {"document", "iframe", "frame"}
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,11}$")


def wants_page(path: str, headers: Mapping[str, str]) -> bool:
    """May a page be the answer to what is not there? Never for a part of a page.

    A browser says what it is for, at least what it accepts; who says nothing is told by the path's ending.
    """
    accepts, purpose = headers.get("accept", "*/*"), headers.get("sec-fetch-dest", "")
    if purpose in _PAGES or "text/html" in accepts:
        return purpose in _PAGES or purpose in {"", "empty"}
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
