"""What a benchmark hands back: figures with their targets, tables, and what a reader should know about them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number. It is met when it is within `most` and `least`; without either it only informs."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool | None:
        if self.most is None and self.least is None:
            return None
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"≤ {number(self.most)} {self.unit}".strip() if self.most else "0"
        return f"≥ {number(self.least)} {self.unit}".strip() if self.least is not None else ""

    @property
    def measured(self) -> str:
        return f"{number(self.value)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "NO", None: ""}[self.met]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, what: str, taken: Mapping[str, Sequence[float]]) -> Self:
        """A row for each thing that was measured again and again."""
        rows = [(name, *map(number, (median(values), min(values), max(values)))) for name, values in taken.items()]
        return cls(head=(what, "median", "least", "most"), rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One benchmark. `how` is a paragraph; `because` says why a target is missed, and is shown only then."""

    noun: str
    title: str
    how: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    because: str = ""
    broken: Mapping[str, str] = field(default_factory=dict)  # parts that could not be measured, and why
    data: Mapping[str, Any] = field(default_factory=dict)  # more, for --json

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "figures": [{**asdict(figure), "met": figure.met} for figure in self.figures],
            "notes": list(self.notes),
            **self.data,
        }


def number(value: float) -> str:
    """As many digits as say something: 1,000,000, 208, 12.3, 1.08."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def summary(results: Sequence[Result]) -> Table:
    """All figures that have a target."""
    rows = [
        (result.noun, figure.name, figure.target, figure.measured, figure.verdict)
        for result in results
        for figure in result.figures
        if figure.met is not None
    ]
    return Table(head=("benchmark", "figure", "target", "measured", "met"), rows=rows)
