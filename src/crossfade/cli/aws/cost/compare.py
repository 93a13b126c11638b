"""`crossfade cost --compare` and `--diff`: two bills for people and for programs."""

from typing import Any

from crossfade.aws.cost.compare.compare import Comparison, Row, shown
from crossfade.cli.aws.cost.text import ends
from crossfade.telling.text import table

_NUMBERS = {2, 3, 4}  # columns: before, after, difference


def text(comparison: Comparison) -> str:
    """What changes, line by line, and what that makes of the total."""
    before, after = comparison.before, comparison.after
    rows = [("", "", "before", "after", "difference"), *(_cells(row) for row in comparison.changed)]
    lines = [f"{before.title} -> {after.title}, US dollars a month", ""]
    if comparison.changed:
        lines += [table(rows, numbers=_NUMBERS), ""]
    else:
        lines += ["  No line of the bill changes.", ""]
    percent = f", {comparison.percent:+} %" if comparison.percent is not None else ""
    was, will_be = before.total.expected, after.total.expected
    lines.append(f"  Total {was:,.2f} -> {will_be:,.2f} ({comparison.difference:+,.2f}{percent})")
    if comparison.unknown:
        lines.append(f"  Without a known price: {', '.join(row.item for row in comparison.unknown)}")
    return "\n".join(lines)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The stable shape of a comparison."""
    return {
        "before": {"title": comparison.before.title, "total": ends(comparison.before.total)},
        "after": {"title": comparison.after.title, "total": ends(comparison.after.total)},
        "difference": float(comparison.difference),
        "percent": None if comparison.percent is None else float(comparison.percent),
        "unknown": len(comparison.unknown),
        "lines": [
            {
                "sign": row.sign,
                "area": row.area,
                "item": row.item,
                "before": None if row.was is None else float(row.was),
                "after": None if row.will_be is None else float(row.will_be),
                "difference": None if row.difference is None else float(row.difference),
            }
            for row in comparison.rows
        ],
    }


def _cells(row: Row) -> tuple[str, ...]:
    difference = "unknown" if row.difference is None else f"{row.difference:+,.2f}"
    return (row.sign, row.item, shown(row.before), shown(row.after), difference)
