"""A bill as a picture."""

from collections.abc import Sequence
from decimal import Decimal

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.show.chart import Bar, chart

_MOST = 12  # bars that are read at a glance; the rest is one


def drawn(bill: Bill) -> str:
    """The largest lines as bars, what is unknown below."""
    bars = sorted((_bar(line, line.monthly) for line in bill.lines if line.monthly), key=lambda bar: -bar.whole)
    bars = [bar for bar in bars if bar.whole]
    shown, rest = (bars, []) if len(bars) <= _MOST + 1 else (bars[:_MOST], bars[_MOST:])
    total = bill.total
    between = f", {total.least:,.2f} to {total.most:,.2f} as it scales" if total.varies else ""
    unknown = ", ".join(line.item for line in bill.unknown if not line.unsaid)
    return chart(
        f"{bill.title}: {total.expected:,.2f} USD a month",
        f"{bill.region}{between}; {bill.book}",
        shown,
        _together(rest) if rest else None,
        [f"No known price, not in the total: {unknown}"] if unknown else [],
    )


def _bar(line: Line, monthly: Amount) -> Bar:
    nothing = Decimal(0)
    return Bar(line.item, nothing, monthly.expected) if line.by_usage else Bar(line.item, monthly.expected, nothing)


def _together(bars: Sequence[Bar]) -> Bar:
    fixed, usage = (sum((getattr(bar, part) for bar in bars), Decimal(0)) for part in ("fixed", "usage"))
    return Bar(f"{len(bars)} smaller lines", fixed, usage)
