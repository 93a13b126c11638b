"""`crossfade cost --save`: proposals for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.aws.cost.check.money import Money
from crossfade.aws.cost.file import book
from crossfade.aws.cost.savings.assumed import Assumptions, proposed, read_assumptions
from crossfade.aws.cost.savings.ground import Ground, of_file
from crossfade.aws.cost.savings.savings import Combined, Proposal, not_combined, proposals, together, unreckoned
from crossfade.cli.aws.cost.source import BillOf
from crossfade.core.errors import WrongInputError
from crossfade.telling.text import table


@dataclass(frozen=True)
class Savings:
    """What is proposed for one bill, and what a team says it comes to."""

    title: str
    proposals: Sequence[Proposal]
    together: Combined
    unreckoned: Sequence[str] = ()
    says: Money | None = None

    @property
    def as_said(self) -> bool:
        """The team's figure, as exactly as it was written."""
        return self.says is not None and not self.says.off(self.together.then)


def savings(
    bills: Sequence[BillOf], environment: str | None, prices: Path | None, assume: Path | None
) -> list[Savings]:
    """For each bill: the team's own proposals where it has some, and else ours."""
    assumed = read_assumptions(assume) if assume else Assumptions()
    named = str(assume or "")
    answers = []
    for bill, app in bills:
        known = Ground(book=book(bill.region, prices), rates=assumed.over(named))
        stage = assumed.environments.get(app.environment if app else _stage(environment, assumed, named))
        found = proposed(stage, bill, named) if stage else proposals(bill, of_file(app, known) if app else known)
        answers.append(
            Savings(bill.title, found, together(bill, found), says=stage.says)
            if stage
            else Savings(bill.title, found, together(bill, found), unreckoned(bill, known))
        )
    return answers


def _stage(environment: str | None, assumed: Assumptions, named: str) -> str:
    """A table or a plan belongs to no environment: it is said, or there is only one."""
    names = list(assumed.environments)
    if environment is None and len(names) > 1:
        raise WrongInputError(f"{named} has the environments {', '.join(names)}", "say which with -e")
    return environment or next(iter(names), "")


def text(saved: Savings) -> str:
    """Each proposal with its arithmetic, and all of them together."""
    if not saved.proposals:
        return f"{saved.title}: nothing that crossfade knows would save anything"
    combined = saved.together
    lines = [f"{saved.title}: {combined.now:,.2f} US dollars a month now"]
    for proposal in saved.proposals:
        lines += ["", *_told(proposal)]
    lines += ["", "Together, in turn, each on what is left:"]
    figures = (f"{step.now:>10,.2f} -> {step.then:>9,.2f}  saves {step.saved:>9,.2f}" for step in combined.steps)
    lines.append(table(zip((step.proposal.title for step in combined.steps), figures, strict=True)))
    lines += [f"  without {each.title}, which another one excludes" for each in not_combined(saved.proposals, combined)]
    lines.append(f"  {combined.now:,.2f} -> {combined.then:,.2f}, {combined.percent} % saved")
    lines += [f"  not reckoned: {each}" for each in saved.unreckoned]
    return "\n".join([*lines, *_said(saved)])


def _told(proposal: Proposal) -> Iterator[str]:
    yield f"{proposal.title}: saves {proposal.saved:,.2f} ({proposal.now:,.2f} -> {proposal.then:,.2f})"
    yield from (f"  {how}" for how in proposal.arithmetic)
    if proposal.takes:
        yield f"  takes {proposal.takes}"
    yield f"  source: {proposal.source}"


def _said(saved: Savings) -> Iterator[str]:
    if saved.says is None:
        return
    off, exactly = saved.says.off(saved.together.then), saved.says.low <= saved.together.then <= saved.says.high
    right = ", and it is so." if exactly else ", which is this, rounded."
    yield f"  The team says {saved.says}" + (right if saved.as_said else f": this is {off:+,.2f} off.")


def as_json(saved: Savings) -> dict[str, Any]:
    """The stable shape of proposals."""
    left_out = not_combined(saved.proposals, saved.together)
    return {
        "title": saved.title,
        "proposals": [
            {
                "id": proposal.id,
                "title": proposal.title,
                "now": float(proposal.now),
                "then": float(proposal.then),
                "saved": float(proposal.saved),
                "lines": [change.line.item for change in proposal.changes],
                "arithmetic": list(proposal.arithmetic),
                "takes": proposal.takes,
                "source": proposal.source,
                "combined": proposal not in left_out,
            }
            for proposal in saved.proposals
        ],
        "together": {
            "now": float(saved.together.now),
            "then": float(saved.together.then),
            "saved": float(saved.together.now - saved.together.then),
            "percent": float(saved.together.percent),
        },
        "not_reckoned": list(saved.unreckoned),
        "says": float(saved.says.low) if saved.says else None,
        "says_at_most": float(saved.says.high) if saved.says else None,
        "as_said": saved.as_said if saved.says else None,
    }
