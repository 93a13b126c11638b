"""Pictures of an account as SVG in a page: shares, requests and latency over the time of the rollout."""

from collections.abc import Callable, Iterable, Iterator
from html import escape

from crossfade.core.counters import Counters
from crossfade.telling.account import Account, Stretch
from crossfade.telling.text import seconds

WIDTH, HEIGHT = 720.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 8.0, 10.0, 22.0
TICKS = 5
KINDS = ("old", "new")  # a release's class in the page's style; a first release is new

Points = list[tuple[float, float]]


def shares(account: Account) -> str:
    """Who had how much of the traffic, as it was switched."""
    lines = []
    for number, kind in kinds(account):
        points: Points = []
        for at, routed in [*account.routed, (account.known_until, account.routed[-1][1])]:
            points += [(at, points[-1][1])] if points else []
            points.append((at, routed.get(number, 0.0)))
        lines.append((kind, points))
    return _chart(account, "Share of the traffic in percent", lines, most=100.0, unit="%")


def requests(account: Account) -> str:
    """Requests a second of each release, in each stretch."""
    return _by_stretch(
        account, "Requests a second", "/s", lambda one, counted: counted.requests / max(one.seconds, 0.001)
    )


def failures(account: Account) -> str:
    """Failed requests of each release in percent, in each stretch."""
    return _by_stretch(account, "Failed in percent", "%", lambda _, counted: 100 * counted.error_rate)


def latency(account: Account) -> str:
    """p95 of each release in each stretch; nothing where nothing was timed."""

    def p95(_: Stretch, counted: Counters) -> float | None:
        return counted.quantile_ms(0.95) if counted.latency and counted.latency[-1][1] else None

    return _by_stretch(account, "95 % within, in ms", "ms", p95)


def _by_stretch(account: Account, name: str, unit: str, read: Callable[[Stretch, Counters], float | None]) -> str:
    lines = [(kind, list(_flats(account, number, read))) for number, kind in kinds(account)]
    most = max((value for _, points in lines for _, value in points), default=0.0)
    return _chart(account, name, lines, most=most * 1.1 or 1.0, unit=unit)


def _flats(
    account: Account, number: int, read: Callable[[Stretch, Counters], float | None]
) -> Iterator[tuple[float, float]]:
    for one in account.stretches:
        counted = one.counted.get(number)
        value = read(one, counted) if counted and counted.requests else None
        if value is not None:
            yield from ((one.since, value), (one.until, value))


def kinds(account: Account) -> Iterator[tuple[int, str]]:
    return zip(account.releases, KINDS[-len(account.releases) :], strict=True)


def _chart(account: Account, name: str, lines: Iterable[tuple[str, Points]], *, most: float, unit: str) -> str:
    span = max(account.known_until - account.began, 0.001)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - account.began) / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text class="side" x="{LEFT - 6}" y="{y(v) + 4:.1f}">{v:.3g} {unit}</text>'
        for v in (0.0, most / 2, most)
    ]
    for tick in range(TICKS + 1):
        at = account.began + span * tick / TICKS
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
