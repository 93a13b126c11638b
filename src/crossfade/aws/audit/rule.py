"""The rules of the audit, read from the YAML files beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Self

from crossfade.aws.tables import understood

_FOLDER = Path(__file__).parent / "rules"


class Severity(IntEnum):
    """How bad: what `--fail-on` compares."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def read(cls, word: str) -> Self:
        return cls[word.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRule:
    """One thing that can be wrong, whoever finds it and wherever.

    `elsewhere` is the severity outside of production; None is no finding there.
    """

    id: str
    title: str
    severity: Severity
    elsewhere: Severity | None
    why: str
    mend: str
    source: str

    def weight(self, *, production: bool) -> Severity | None:
        """How bad it is in production, or elsewhere."""
        return self.severity if production else self.elsewhere


@cache
def rules() -> Mapping[str, AuditRule]:
    """All of them by id, in the order of their files."""
    found: dict[str, AuditRule] = {}
    for file in sorted(_FOLDER.glob("*.yaml")):
        read = understood(file.read_text(encoding="utf-8"))
        found |= {id_: _rule(id_, words) for id_, words in read.items()}
    return found


def _rule(id_: str, words: Mapping[str, str]) -> AuditRule:
    severity = Severity.read(words["severity"])
    elsewhere = words.get("elsewhere")
    return AuditRule(
        id=id_,
        title=words["title"],
        severity=severity,
        elsewhere=severity if elsewhere is None else None if elsewhere == "none" else Severity.read(elsewhere),
        why=words["why"],
        mend=words["mend"],
        source=words["source"],
    )
