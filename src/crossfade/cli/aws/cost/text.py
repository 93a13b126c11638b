"""Bills for people and for programs."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.money import plain
from crossfade.telling.text import table

_MARK = "~"  # of a line that depends on use
_NUMBERS = {2, 4, 5}  # columns of `_rows`: quantity, unit price, a month


def text(bill: Bill) -> str:
    """One bill: its lines by area, the total, what it rests on, and who says the prices."""
    sources = list(dict.fromkeys(line.source for line in bill.lines if line.price is not None))
    rows = list(_rows(bill, sources))
    title = f"{bill.title}, {bill.region or 'region unknown'}: {bill.book}, US dollars a month"
    parts = [
        [title],
        [table(rows, numbers=_NUMBERS)] if len(rows) > 1 else ["  Nothing in it has a fixed price"],
        list(_totals(bill)),
        [f"  Not all of the truth: {each}" for each in bill.lacks],
        _unsaid(bill),
        ["Billed when somebody does it, and in no line", *(f"  {each}" for each in bill.acts)] if bill.acts else [],
        _assumptions(bill),
        _notes(bill),
        ["Prices", *(f"  [{index}] {source}" for index, source in enumerate(sources, start=1))] if sources else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def as_json(bill: Bill) -> dict[str, Any]:
    """The stable shape of a bill."""
    return {
        "title": bill.title,
        "region": bill.region,
        "prices": bill.book,
        "currency": "USD",
        "total": ends(bill.total),
        "by_usage": ends(bill.by_usage),
        "both_fleets_hour": float(bill.beside),
        "unknown": len(bill.unknown),
        "incomplete": list(bill.lacks),
        "billed_when_done": list(bill.acts),
        "lines": [_line(line) for line in bill.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "area": line.area,
        "item": line.item,
        "quantity": ends(line.quantity),
        "unit": line.unit,
        "unit_price": None if line.price is None else float(line.price),
        "monthly": None if line.monthly is None else ends(line.monthly),
        "source": line.source,
        "keys": list(line.keys),
        "addresses": list(line.addresses),
        "depends_on_use": line.by_usage,
        "assumes": line.assumes,
        "changed_by": f"cloud.usage.{line.usage}" if line.usage else None,
        "note": line.note,
        "region": line.region,
    }


def ends(amount: Amount) -> dict[str, float]:
    """An amount in JSON: from what to what it may be."""
    return {"min": float(amount.least), "expected": float(amount.expected), "max": float(amount.most)}


def _rows(bill: Bill, sources: list[str]) -> Iterator[tuple[str, ...]]:
    """Cells: what, mark, quantity, unit, unit price, monthly, range, source."""
    yield ("", "", "quantity", "", "unit price", "a month", "", "")
    shown = (line for line in bill.lines if not line.unsaid)
    for area, lines in groupby(shown, key=lambda line: line.area):
        yield (f"{area}", *[""] * 7)
        for line in lines:
            yield (
                f"  {line.item}",
                _MARK if line.by_usage else "",
                plain(line.quantity.expected, 2),
                line.unit,
                "unknown" if line.price is None else plain(line.price),
                "unknown" if line.monthly is None else f"{line.monthly.expected:,.2f}",
                _range(line.monthly),
                f"[{sources.index(line.source) + 1}]" if line.price is not None else "",
            )


def _range(monthly: Amount | None) -> str:
    return f"{monthly.least:,.2f} to {monthly.most:,.2f}" if monthly is not None and monthly.varies else ""


def _totals(bill: Bill) -> Iterator[str]:
    total = bill.total
    between = f", from {total.least:,.2f} to {total.most:,.2f} as it scales" if total.varies else ""
    fixed = total.expected - bill.by_usage.expected
    yield f"  Total {total.expected:,.2f}{between}"
    yield f"  of which {fixed:,.2f} is fixed and {bill.by_usage.expected:,.2f} depends on use ({_MARK})"
    if bill.beside:
        yield f"  {bill.beside:,.2f} more for each hour in which a release is changed, and both fleets run"
    unknown = [line for line in bill.unknown if not line.unsaid]
    if unknown:
        yield f"  {_of(len(unknown), len(bill.lines))} not in the total: {', '.join(line.item for line in unknown)}"
    if unsaid := len(bill.unknown) - len(unknown):
        verb = "is" if unsaid == 1 else "are"
        yield f"  {unsaid} of {len(bill.lines)} lines {verb} paid by use that nobody has told, and no part of the total"


def _of(unknown: int, all_lines: int) -> str:
    verbs = ("has", "is") if unknown == 1 else ("have", "are")
    return f"{unknown} of {all_lines} lines {verbs[0]} no known price and {verbs[1]}"


def _unsaid(bill: Bill) -> list[str]:
    """What is paid by use of which nobody has said how much."""
    lines = [line for line in bill.lines if line.unsaid]
    rows = [(line.item, f"{_each(line)}; cloud.usage.units: {{{line.keys[0]}: ...}}") for line in lines]
    return ["Paid by use, and nobody has said how much", table(rows)] if rows else []


def _each(line: Line) -> str:
    each = line.unit.removesuffix("s") if line.unit[:1].isalpha() else line.unit
    return f"{'at an unknown price' if line.price is None else plain(line.price, 10)} for each {each}"


def _assumptions(bill: Bill) -> list[str]:
    rests = [line for line in bill.lines if line.by_usage and not line.unsaid]
    rows = [(line.item, f"{line.assumes}; cloud.usage.{line.usage} changes it") for line in rests]
    return [f"{_MARK} rests on", table(rows)] if rows else []


def _notes(bill: Bill) -> list[str]:
    notes = [f"  {line.item}: {line.note}" for line in bill.lines if line.note and not line.unsaid]
    return ["Notes", *notes] if notes else []
