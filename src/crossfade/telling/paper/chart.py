"""Pictures of an account as SVG in a page: shares, requests and latency over the time of the rollout."""

from collections.abc import Callable, Iterator

from crossfade.core.counters import Counters
from crossfade.telling.account import ReleaseAccount, Stretch
from crossfade.telling.paper.svg import Points, chart

KINDS = ("old", "new")  # a release's class in the page's style; a first release is new


def shares(account: ReleaseAccount) -> str:
    """Who had how much of the traffic, as it was switched."""
    lines = []
    for number, kind in kinds(account):
        points: Points = []
        for at, routed in [*account.routed, (account.known_until, account.routed[-1][1])]:
            points += [(at, points[-1][1])] if points else []
            points.append((at, routed.get(number, 0.0)))
        lines.append((kind, points))
    return chart("Share of the traffic in percent", lines, within(account), most=100.0, unit="%")


def requests(account: ReleaseAccount) -> str:
    """Requests a second of each release, in each stretch."""
    return _by_stretch(
        account, "Requests a second", "/s", lambda one, counted: counted.requests / max(one.seconds, 0.001)
    )


def failures(account: ReleaseAccount) -> str:
    """Failed requests of each release in percent, in each stretch."""
    return _by_stretch(account, "Failed in percent", "%", lambda _, counted: 100 * counted.error_rate)


def latency(account: ReleaseAccount) -> str:
    """p95 of each release in each stretch; nothing where nothing was timed."""

    def p95(_: Stretch, counted: Counters) -> float | None:
        return counted.quantile_ms(0.95) if counted.latency and counted.latency[-1][1] else None

    return _by_stretch(account, "95 % within, in ms", "ms", p95)


def _by_stretch(
    account: ReleaseAccount, name: str, unit: str, read: Callable[[Stretch, Counters], float | None]
) -> str:
    lines = [(kind, list(_flats(account, number, read))) for number, kind in kinds(account)]
    most = max((value for _, points in lines for _, value in points), default=0.0)
    return chart(name, lines, within(account), most=most * 1.1 or 1.0, unit=unit)


def _flats(
    account: ReleaseAccount, number: int, read: Callable[[Stretch, Counters], float | None]
) -> Iterator[tuple[float, float]]:
    for one in account.stretches:
        counted = one.counted.get(number)
        value = read(one, counted) if counted and counted.requests else None
        if value is not None:
            yield from ((one.since, value), (one.until, value))


def kinds(account: ReleaseAccount) -> Iterator[tuple[int, str]]:
    return zip(account.releases, KINDS[-len(account.releases) :], strict=True)


def within(account: ReleaseAccount) -> tuple[float, float]:
    return account.began, account.known_until
