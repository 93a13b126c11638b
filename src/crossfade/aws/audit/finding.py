"""A finding: what was found where, and whether somebody lives with it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crossfade.aws.audit.rule import AuditRule, Severity
from crossfade.file.reading.problem import Position

if TYPE_CHECKING:
    from crossfade.file.cloud.accept import Acceptance  # brings pydantic, which a plan alone does not need

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """What a check of the file points at: the keys that a person would change, and what is wrong there."""

    keys: Keys
    what: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a check of a plan points at: a resource's address (empty: something the whole plan has not)."""

    address: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`where` is a key of the file, or an address of the plan. `place` is its line: in a plan, which is one line, 1."""

    rule: AuditRule
    severity: Severity
    what: str
    where: str
    place: Position = field(compare=False)
    accepted: "Acceptance | None" = None  # it does not count
    lapsed: "Acceptance | None" = None  # it counts again

    @property
    def order(self) -> tuple[int, str, str, int, str]:
        """The worst first, then by rule and place."""
        return (-self.severity, self.rule.id, self.place.file, self.place.line, self.where)


def counting(findings: Iterable[Finding], least: Severity | None) -> list[Finding]:
    """Those that nobody accepted and that are at least that bad; with None, none are."""
    return [found for found in findings if least is not None and found.accepted is None and found.severity >= least]
