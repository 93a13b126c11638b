"""`crossfade cost --compare` and `--diff`: two bills for people and for programs."""

from typing import TYPE_CHECKING, Any

from crossfade.aws.cost.compare.compare import Comparison, Row, shown

if TYPE_CHECKING:
    from crossfade.aws.cost.bill.charge import Amount


def text(comparison: Comparison) -> str:
    """What changes, line by line, and what that makes of the total."""
    before, after = comparison.before, comparison.after
    rows = [("", "", "before", "after", "difference"), *(_cells(row) for row in comparison.changed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{before.title} -> {after.title}, US dollars a month", ""]
    if comparison.changed:
        lines += [*(_aligned(row, widths) for row in rows), ""]
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
        "before": {"title": comparison.before.title, "total": _ends(comparison.before.total)},
        "after": {"title": comparison.after.title, "total": _ends(comparison.after.total)},
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


def _ends(amount: "Amount") -> dict[str, float]:
    return {"min": float(amount.least), "expected": float(amount.expected), "max": float(amount.most)}


def _cells(row: Row) -> tuple[str, ...]:
    difference = "unknown" if row.difference is None else f"{row.difference:+,.2f}"
    return (row.sign, row.item, shown(row.before), shown(row.after), difference)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.ljust(width) if index < 2 else cell.rjust(width)  # noqa: PLR2004  sign and item are words
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return ("  " + "  ".join(cells)).rstrip()
