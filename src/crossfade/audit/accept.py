"""Findings that a team lives with do not count, until the day it named."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from crossfade.audit.finding import Finding, Keys
from crossfade.audit.rule import rules
from crossfade.spec.cloud.accept import Acceptance
from crossfade.spec.document import Written
from crossfade.spec.problem import Problem, nearest


def judged(findings: Iterable[Finding], acceptances: Sequence[Acceptance], today: date) -> list[Finding]:
    """The findings, each with the acceptance that covers it today, or else the one that lapsed."""
    return [_judged(found, [one for one in acceptances if _covers(one, found)], today) for found in findings]


def _judged(found: Finding, covering: Sequence[Acceptance], today: date) -> Finding:
    if not covering:
        return found
    longest = max(covering, key=lambda one: one.until)
    return replace(found, accepted=longest) if today <= longest.until else replace(found, lapsed=longest)


def _covers(acceptance: Acceptance, found: Finding) -> bool:
    if acceptance.id != found.rule.id:
        return False
    return acceptance.where is None or _matches(acceptance.where, found.where)


def _matches(pattern: str, where: str) -> bool:
    """Only `*` is special: the [0] of an address is itself."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), where) is not None


def unknown(acceptances: Sequence[Acceptance], document: Written, at: Keys) -> Iterator[Problem]:
    """Acceptances of rules that there are not; they stand in the document's list `at`."""
    for index, one in enumerate(acceptances):
        if one.id not in rules():
            place = document.at((*at, index, "id")).place
            yield Problem(place, f'found "{one.id}"', "the id of a rule, as `audit` shows it", nearest(one.id, list(rules())))
