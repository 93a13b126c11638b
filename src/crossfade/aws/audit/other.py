"""Other checkers, and which of our rules sees the same: a table that a reader of both can go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossfade.aws.tables import table


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCheck:
    """One thing that they look at. `fsbp` and `checkov` are their names for it; `rules` are ids of ours.

    `why` says the reason where no rule looks at it, and `yet` that none does so far; `ours` is what our Terraform does
    about it.
    """

    what: str
    fsbp: tuple[str, ...] = ()
    checkov: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    why: str = ""
    yet: str = ""
    ours: str = ""

    @property
    def seen(self) -> str:
        """Which rules, or why none does."""
        if self.rules:
            return ", ".join(self.rules)
        return f"left out: {self.why}" if self.why else f"not yet{f': {self.yet}' if self.yet != 'not' else ''}"


@cache
def others() -> Mapping[str, tuple[OtherCheck, ...]]:
    """By area, in the order of the file."""
    read: dict[str, list[dict[str, Any]]] = table(__package__, "others.yaml")
    return {area: tuple(map(_other, found)) for area, found in read.items()}


def _other(words: Mapping[str, Any]) -> OtherCheck:
    named: dict[str, Any] = {key: tuple(of) if isinstance(of, list) else of for key, of in words.items()}
    return OtherCheck(**named)
