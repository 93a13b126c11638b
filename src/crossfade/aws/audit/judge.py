"""The judgement of findings: those that a team lives with do not count, until the day it named."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from crossfade.aws.audit.finding import Finding

if TYPE_CHECKING:
    from crossfade.file.cloud.accept import Acceptance  # brings pydantic, which a plan alone does not need


def judged(findings: Iterable[Finding], acceptances: Sequence["Acceptance"], today: date) -> list[Finding]:
    """The findings, the worst first, each with the acceptance that covers it today, or else the one that lapsed."""
    by_id: dict[str, list[Acceptance]] = {}
    for one in acceptances:
        by_id.setdefault(one.id, []).append(one)
    found = (_judged(finding, by_id.get(finding.rule.id, []), today) for finding in findings)
    return sorted(found, key=lambda finding: finding.order)


def _judged(finding: Finding, acceptances: Sequence["Acceptance"], today: date) -> Finding:
    covering = [one for one in acceptances if one.where is None or matches(one.where, finding.where)]
    if not covering:
        return finding
    longest = max(covering, key=lambda one: one.until)
    return replace(finding, accepted=longest) if today <= longest.until else replace(finding, lapsed=longest)


def matches(pattern: str, where: str) -> bool:
    """Only `*` is special: the [0] of an address is itself."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), where, re.DOTALL) is not None
