"""What an edge keeps, and for how long.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_DAY = 86_400
ERRORS = 10.0  # seconds for which CloudFront keeps an error where nobody says otherwise
_NEVER = ("no-cache", "no-store", "private")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds, of one behaviour."""

    least: float = 0
    usual: float = _DAY
    most: float = 365 * _DAY

    def of(self, control: str) -> float:
        """For an answer with this Cache-Control; 0: it is not kept."""
        said = {part.strip().lower() for part in control.split(",")}
        if said & set(_NEVER):
            return self.least
        ages = dict(re.findall(r"\b(s-maxage|max-age)=(\d+)", control.lower()))
        told = ages.get("s-maxage") or ages.get("max-age")
        return max(self.least, self.usual) if told is None else min(max(self.least, float(told)), self.most)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, since when and until when it is kept."""

    status: int
    headers: dict[str, str]
    body: bytes
    since: float = 0.0
    until: float = 0.0


class Cache:
    """Answers by path and what else tells them apart; `now` is a clock's seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], Kept] = {}

    def find(self, path: str, rest: str) -> Kept | None:
        kept = self._kept.get((path, rest))
        return kept if kept and self._now() < kept.until else None

    def keep(self, path: str, rest: str, answer: Kept, seconds: float) -> None:
        if seconds > 0:
            now = self._now()
            self._kept[path, rest] = Kept(answer.status, answer.headers, answer.body, now, now + seconds)

    def age(self, kept: Kept) -> int:
        return int(self._now() - kept.since)

    def forget(self, patterns: list[str]) -> None:
        """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html: a
        path, or all that begin with it where it ends in `*`.
        """
        for key in [key for key in self._kept if any(fnmatchcase(key[0], pattern) for pattern in patterns)]:
            del self._kept[key]
