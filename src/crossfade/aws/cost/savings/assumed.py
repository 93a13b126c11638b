"""A team's own assumptions about savings: rates instead of ours, and proposals of its own for each environment."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

from pydantic import Field

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.check.money import Dollars, Money
from crossfade.aws.cost.check.table import WORDS
from crossfade.aws.cost.money import cents, exact, plain
from crossfade.aws.cost.savings.ground import RATES, Rate
from crossfade.aws.cost.savings.savings import LineChange, Proposal
from crossfade.core.errors import WrongInputError
from crossfade.file.part import Clash, Part
from crossfade.file.parts.service import NAME
from crossfade.file.reading.problem import nearest
from crossfade.file.reading.sheet import read_sheet
from crossfade.file.units import Percent


class Assumed(Part):
    """One proposal: some lines of the bill come to an amount, or to less."""

    name: Annotated[str, WORDS] = Field(description="What is done.", examples=["NAT instance"])
    lines: tuple[Annotated[str, WORDS], ...] = Field(
        description="Lines that change: their names or price keys, `*` stands for anything.",
        examples=[["NAT gateway*"]],
    )
    to: Annotated[Money, Dollars()] | None = Field(
        default=None, description="What they come to together.", examples=["3.00"]
    )
    less: Annotated[float, Percent()] | None = Field(
        default=None, description="How much less they come to.", examples=["31%"]
    )
    takes: str = Field(default="", description="What has to be done for it.", examples=["network: {nat: instance}"])

    def impossible(self) -> Iterator[Clash]:
        if not self.lines:
            yield Clash(("lines",), "no lines", "names of lines such as [NAT gateway*]")
        if (self.to is None) == (self.less is None):
            found = "neither to nor less" if self.to is None else "both to and less"
            yield Clash((), found, "either to: 3.00, or less: 31%")
        if self.to is not None and not self.to.exact:
            yield Clash(("to",), f"the range {self.to}", "one amount")


class EnvironmentSavings(Part):
    """What a team wants to save in one environment."""

    says: Annotated[Money, Dollars()] | None = Field(
        default=None, description="What the team says it comes to.", examples=["138.55"]
    )
    proposals: tuple[Assumed, ...] = Field(
        description="In turn, each on what is left.", examples=[[{"name": "logs", "lines": ["Logs*"], "to": "1.50"}]]
    )


class Assumptions(Part):
    """The file."""

    rates: dict[str, Annotated[float, Percent()]] = Field(
        default={}, description="Rates instead of crossfade's own.", examples=[{"reserved-database": "31%"}]
    )
    environments: dict[Annotated[str, NAME], EnvironmentSavings] = Field(
        default={}, description="Proposals of the team.", examples=[{"dev": {"proposals": []}}]
    )

    def impossible(self) -> Iterator[Clash]:
        for name in self.rates:
            if name not in RATES:
                yield Clash(("rates", name), f'"{name}"', f"one of {', '.join(RATES)}", nearest(name, list(RATES)))

    def over(self, file: str) -> Mapping[str, Rate]:
        """Our rates with the team's laid over them."""
        return {
            **RATES,
            **{name: Rate(exact(percent), f"the team's, in {file}") for name, percent in self.rates.items()},
        }


def read_assumptions(path: Path) -> Assumptions:
    """Raises WrongInputError for what are no such assumptions."""
    return read_sheet(Assumptions, path, lambda keys: keys[-1] in {"to", "says"})


def proposed(stage: EnvironmentSavings, bill: Bill, file: str) -> tuple[Proposal, ...]:
    """The team's proposals on a bill. WrongInputError for one that is about no line of it."""
    return tuple(_proposal(assumed, index, bill, file) for index, assumed in enumerate(stage.proposals))


def _proposal(assumed: Assumed, index: int, bill: Bill, file: str) -> Proposal:
    lines = [line for line in bill.lines if line.monthly is not None and any(_is(line, name) for name in assumed.lines)]
    for name in assumed.lines:
        if not any(_is(line, name) for line in bill.lines):
            raise _no_line(name, assumed, bill, file)
    now = sum((line.monthly.expected for line in lines if line.monthly), Decimal(0))
    then = assumed.to.low if assumed.to is not None else cents(now * (1 - exact(assumed.less or 0) / 100))
    told = " + ".join(f"{line.monthly.expected:,.2f}" for line in lines if line.monthly)
    how = f"{plain(exact(assumed.less))} % off" if assumed.less is not None else "the team's figure"
    return Proposal(
        id=f"{index + 1}",
        title=assumed.name,
        changes=tuple(
            LineChange(
                line=line, now=line.monthly.expected, then=line.monthly.expected * then / now if now else Decimal(0)
            )
            for line in lines
            if line.monthly
        ),
        arithmetic=(f"{told}{f' = {now:,.2f}' if len(lines) > 1 else ''} -> {then:,.2f}, {how}",),
        takes=assumed.takes,
        source=f"the team's, in {file}",
    )


def _is(line: Line, name: str) -> bool:
    return any(fnmatch(text.casefold(), name.casefold()) for text in (line.item, *line.keys))


def _no_line(name: str, assumed: Assumed, bill: Bill, file: str) -> WrongInputError:
    items = [line.item for line in bill.lines]
    meant = nearest(name, items)
    return WrongInputError(
        f'{file}: "{assumed.name}" is about "{name}", which is not a line of {bill.title}',
        f"did you mean {meant}?" if meant else f"its lines: {', '.join(items)}",
    )
