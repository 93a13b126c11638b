"""Acceptances as they are written: in the file, or in one beside a plan."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from crossfade.aws.audit.rule import rules
from crossfade.file.cloud.accept import Acceptance
from crossfade.file.load import Loaded
from crossfade.file.part import Clash, Part
from crossfade.file.reading.problem import Problem, WrongFileError, nearest


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
