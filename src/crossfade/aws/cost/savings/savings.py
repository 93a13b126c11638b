"""Savings: what could be cheaper, by how much, how that is reckoned, and what it takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.money import cents, exact
from crossfade.aws.cost.savings.ground import Ground
from crossfade.aws.cost.savings.rules import RULES, Cheaper, SavingsRule, Unpriced


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """One line of the bill, now and then."""

    line: Line
    now: Decimal
    then: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One thing to do, by itself: what the other proposals do to the same lines is not in its figures."""

    id: str
    title: str
    changes: tuple[LineChange, ...]
    arithmetic: tuple[str, ...]
    takes: str
    source: str
    instead_of: str = ""  # proposals with the same word here exclude each other

    @property
    def now(self) -> Decimal:
        return cents(sum((change.now for change in self.changes), Decimal(0)))

    @property
    def then(self) -> Decimal:
        return cents(sum((change.then for change in self.changes), Decimal(0)))

    @property
    def saved(self) -> Decimal:
        return self.now - self.then


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsStep:
    """A proposal at its turn: `now` is what the ones before it left of its lines."""

    proposal: Proposal
    now: Decimal
    then: Decimal

    @property
    def saved(self) -> Decimal:
        return self.now - self.then


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Several proposals one after the other."""

    now: Decimal
    steps: tuple[SavingsStep, ...]

    @property
    def then(self) -> Decimal:
        return self.now - sum((step.saved for step in self.steps), Decimal(0))

    @property
    def percent(self) -> Decimal:
        """How much of the bill is saved, to a tenth of a percent."""
        return exact(round(100 * (self.now - self.then) / self.now, 1)) if self.now else Decimal(0)


def proposals(bill: Bill, ground: Ground) -> tuple[Proposal, ...]:
    """Every rule that saves something, the largest saving first."""
    found = [proposal for rule in RULES if (proposal := _proposed(rule, bill, ground)).saved > 0]
    return tuple(sorted(found, key=lambda proposal: (-proposal.saved, proposal.id)))


def unreckoned(bill: Bill, ground: Ground) -> tuple[str, ...]:
    """What might save something, if somebody knew its price."""
    lacking = [
        f"{rule.title}: nobody here knows the price of {found.key}"
        for rule in RULES
        for _, found in _found(rule, bill, ground)
        if isinstance(found, Unpriced)
    ]
    return tuple(dict.fromkeys(lacking))


def _found(rule: SavingsRule, bill: Bill, ground: Ground) -> Iterator[tuple[Line, Cheaper | Unpriced]]:
    for line in bill.lines if rule.fits(ground) else ():
        found = rule.then(line, ground, ground.rate(rule.id)) if line.monthly is not None else None
        if found is not None:
            yield line, found


def _proposed(rule: SavingsRule, bill: Bill, ground: Ground) -> Proposal:
    changes, arithmetic = [], []
    for line, found in _found(rule, bill, ground):
        now = line.monthly.expected if line.monthly is not None else Decimal(0)
        if isinstance(found, Unpriced) or now == (then := cents(found.monthly)):
            continue
        changes.append(LineChange(line=line, now=now, then=then))
        arithmetic.append(f"{line.item}: {now:,.2f} -> {then:,.2f}, {found.how}")
    return Proposal(
        id=rule.id,
        title=rule.title,
        changes=tuple(changes),
        arithmetic=tuple(arithmetic),
        takes=rule.takes,
        source=ground.source(rule.id, rule.source),
        instead_of=rule.instead_of,
    )


def together(bill: Bill, wanted: Iterable[Proposal]) -> Combined:
    """The proposals in turn, each on what is left; of those that exclude each other the first. A share of a line stays
    the same share: 30 % off what a night schedule left of it.
    """
    left = {line: line.monthly.expected for line in bill.lines if line.monthly is not None}
    steps: list[SavingsStep] = []
    taken: set[str] = set()
    for proposal in wanted:
        if proposal.instead_of and proposal.instead_of in taken:
            continue
        taken.add(proposal.instead_of)
        now = cents(sum((left[change.line] for change in proposal.changes), Decimal(0)))
        for change in proposal.changes:
            left[change.line] = left[change.line] * change.then / change.now if change.now else Decimal(0)
        then = cents(sum((left[change.line] for change in proposal.changes), Decimal(0)))
        steps.append(SavingsStep(proposal=proposal, now=now, then=then))
    return Combined(now=bill.total.expected, steps=tuple(steps))


def not_combined(proposed: Sequence[Proposal], combined: Combined) -> tuple[Proposal, ...]:
    """What was left out because something that excludes it saves more."""
    taken = {step.proposal for step in combined.steps}
    return tuple(proposal for proposal in proposed if proposal not in taken)
