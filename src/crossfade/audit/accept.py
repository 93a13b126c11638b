"""Findings that a team lives with do not count, until the day it named."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from pydantic import Field

from crossfade.audit.finding import Finding
from crossfade.audit.rule import rules
from crossfade.spec.cloud.accept import Acceptance
from crossfade.spec.load import Loaded
from crossfade.spec.part import Clash, Part
from crossfade.spec.problem import Problem, WrongFileError, nearest


class Accepted(Part):
    """A file of acceptances, for plans that have no crossfade.yaml."""

    accept: tuple[Acceptance, ...] = Field(
        description="Findings that do not count for a while.",
        examples=[[{"id": "CF-NET-001", "reason": "A firewall stands before it", "until": "2027-03-31"}]],
    )

    def impossible(self) -> Iterator[Clash]:
        yield from (
            Clash(("accept", *clash.key), clash.found, clash.allowed, clash.meant) for clash in _unknown(self.accept)
        )


def of_file(loaded: Loaded) -> tuple[Acceptance, ...]:
    """Those of an environment. WrongFileError names each rule that there is not."""
    accept = loaded.app.cloud.accept
    found = [
        Problem(
            loaded.document.at(("cloud", "accept", *clash.key)).place,
            f"found {clash.found}",
            clash.allowed,
            clash.meant,
        )
        for clash in _unknown(accept)
    ]
    if found:
        raise WrongFileError(found[0].place.file, found)
    return accept


def _unknown(acceptances: Sequence[Acceptance]) -> Iterator[Clash]:
    for index, one in enumerate(acceptances):
        if one.id not in rules():
            yield Clash(
                (index, "id"), f'"{one.id}"', "the id of a rule, as `audit` shows it", nearest(one.id, list(rules()))
            )


def judged(findings: Iterable[Finding], acceptances: Sequence[Acceptance], today: date) -> list[Finding]:
    """The findings, the worst first, each with the acceptance that covers it today, or else the one that lapsed."""
    by_id: dict[str, list[Acceptance]] = {}
    for one in acceptances:
        by_id.setdefault(one.id, []).append(one)
    found = (_judged(finding, by_id.get(finding.rule.id, []), today) for finding in findings)
    return sorted(found, key=lambda finding: finding.order)


def _judged(finding: Finding, acceptances: Sequence[Acceptance], today: date) -> Finding:
    covering = [one for one in acceptances if one.where is None or matches(one.where, finding.where)]
    if not covering:
        return finding
    longest = max(covering, key=lambda one: one.until)
    return replace(finding, accepted=longest) if today <= longest.until else replace(finding, lapsed=longest)


def matches(pattern: str, where: str) -> bool:
    """Only `*` is special: the [0] of an address is itself."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), where, re.DOTALL) is not None
