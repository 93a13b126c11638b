"""Lines over time, as SVG in a page whose style knows the classes `grid`, `side`, `span` and those of the lines."""

from collections.abc import Iterable
from html import escape

from crossfade.telling.text import seconds

WIDTH, HEIGHT = 720.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 8.0, 10.0, 22.0
TICKS = 5

Points = list[tuple[float, float]]


def chart(
    name: str,
    lines: Iterable[tuple[str, Points]],
    within: tuple[float, float],
    *,
    most: float,
    unit: str,
    spans: Iterable[tuple[float, float]] = (),
) -> str:
    """A figure: each line's class with its points (time, value), values from 0 to `most`; `spans` are shaded."""
    began, until = within
    span = max(until - began, 0.001)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - began) / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)

    parts = [
        f'<rect class="span" x="{x(first):.1f}" y="{TOP}" width="{x(last) - x(first):.1f}" height="{y(0) - TOP:.1f}"/>'
        for first, last in spans
    ]
    parts += [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text class="side" x="{LEFT - 6}" y="{y(v) + 4:.1f}">{_number(v)} {unit}</text>'
        for v in (0.0, most / 2, most)
    ]
    for tick in range(TICKS + 1):
        at = began + span * tick / TICKS
        anchor = "start" if tick == 0 else "end" if tick == TICKS else "middle"
        said = escape(seconds(span * tick / TICKS)) if tick else "0"
        parts.append(f'<text x="{x(at):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{said}</text>')
    for kind, points in lines:
        drawn = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
        parts.append(f'<polyline class="{kind}" points="{drawn}"/>')
    label = escape(f"{name}; the table says the same in numbers")
    inside = "".join(parts)
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">{inside}</svg></figure>'
    )


def _number(value: float) -> str:
    """Three digits; from a thousand on all of them, and not `1.5e+03`."""
    return f"{value:.3g}" if round(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004
