"""Bills and comparisons for a pull request: a line that says it all, what changes, and the whole bill folded away."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from crossfade.aws.cost.bill.bill import Bill
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.compare.compare import Comparison, Row, shown
from crossfade.aws.cost.money import plain

_BILL = ("Line", "Quantity", "Unit price", "A month", "Rests on")
_CHANGES = ("", "Line", "Before", "After", "Difference")


def of_bill(bill: Bill) -> str:
    """Total, largest areas and the whole bill."""
    areas: dict[str, Decimal] = {}
    for line in bill.lines:
        areas[line.area] = areas.get(line.area, Decimal(0)) + (line.monthly.expected if line.monthly else 0)
    largest = sorted(areas.items(), key=lambda area: -area[1])
    rows = [(name, f"{amount:,.2f}") for name, amount in largest if amount]
    title = f"**{_safe(bill.title)}**: {bill.total.expected:,.2f} USD a month{_between(bill.total)}"
    return "\n\n".join([title, _table(("Area", "A month"), rows, right=1), *_unknown(bill), _folded(bill)])


def of_comparison(comparison: Comparison) -> str:
    """What a change costs."""
    before, after = comparison.before, comparison.after
    percent = f", {comparison.percent:+} %" if comparison.percent is not None else ""
    title = (
        f"**{_safe(after.title)}**: {before.total.expected:,.2f} -> {after.total.expected:,.2f} USD a month "
        f"({comparison.difference:+,.2f}{percent}), against {_safe(before.title)}"
    )
    rows = [_change(row) for row in comparison.changed]
    changes = _table(_CHANGES, rows, right=2) if rows else "No line of the bill changes."
    return "\n\n".join([title, changes, *_unknown(after), _folded(after)])


def _change(row: Row) -> Sequence[str]:
    difference = "unknown" if row.difference is None else f"{row.difference:+,.2f}"
    return (f"`{row.sign}`", row.item, shown(row.before), shown(row.after), difference)


def _unknown(bill: Bill) -> list[str]:
    """An unknown price is not 0, and nobody shall think so."""
    names = ", ".join(_safe(line.item) for line in bill.unknown if not line.unsaid)
    by_use = ", ".join(_safe(line.item) for line in bill.unknown if line.unsaid)
    return [
        *([f"Not in the total, because no price is known: {names}."] if names else []),
        *([f"Not in the total, because nobody has said how much it is: {by_use}."] if by_use else []),
        *(f"Not all of the truth: {_safe(each)}." for each in bill.lacks),
    ]


def _folded(bill: Bill) -> str:
    rows = [
        (
            line.item,
            f"{plain(line.quantity.expected, 2)} {line.unit}",
            "unknown" if line.price is None else plain(line.price),
            shown(line),
            line.assumes,
        )
        for line in bill.lines
    ]
    summary = f"<details><summary>The whole bill of {_safe(bill.title)}, {_safe(bill.region)}</summary>"
    done = [f"Billed when somebody does it, and in no line: {_safe('; '.join(bill.acts))}."] if bill.acts else []
    table = _table(_BILL, rows, right=1, left=4)
    return "\n\n".join([summary, table, *done, f"Prices: {_safe(bill.book)}", "</details>"])


def _between(total: Amount) -> str:
    return f", from {total.least:,.2f} to {total.most:,.2f} as it scales" if total.varies else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: int, left: int | None = None) -> str:
    """Columns from `right` on are numbers, until `left`."""
    end = len(head) if left is None else left
    rule = ["---:" if right <= index < end else "---" for index in range(len(head))]
    lines = [head, rule, *([_safe(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _safe(text: str) -> str:
    """Names come from files and plans: none of them ends a cell or opens a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
