"""The load balancer's counts, as CloudWatch has them: by minute and target group, a minute or two late.

Totals of a release are those of its colour's target group since its deployment began, so that every process that asks
comes to the same. There are no retries (an ALB makes none), nobody counts clients that left, and no histogram is told:
only percentiles by minute, of which one is made.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

from crossfade.core.counters import Counters
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.place import Place, suffix
from crossfade.platforms.aws.sight import Sight

NAMESPACE = "AWS/ApplicationELB"
MINUTE, HOUR = 60, 3600
LATE = 3  # minutes after which a minute's figures change no more
RECENT = 3  # hours: what lies further back is read by the hour
PERCENTILES = (50, 95, 99)
BALANCER = "balancer"
FROM_TARGET, FROM_BALANCER = "5xx from instance", "5xx from the load balancer itself"
# Upper bounds in ms, each a tenth more than the one before: 1, 1.1, 1.21 ... 62,000.
BOUNDS = tuple(round(1.1**n, 3) for n in range(117))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One target group in one period. Times in ms; percentiles that were not told are None."""

    at: float  # when it began
    requests: int = 0
    errors: int = 0  # answers of 500 and above
    refused: int = 0  # connections that failed
    percentiles: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of one service: by release, and for its clients altogether."""

    groups: Mapping[int, Counters] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)


class Counts:
    """The counts of CloudWatch, read and added up.

    It asks CloudWatch at most twice a minute for each service, which lasts `minute` seconds.
    """

    def __init__(self, clients: Clients, clock: Clock, minute: float = MINUTE) -> None:
        self._clients, self._clock, self._minute = clients, clock, minute
        self._asked: dict[str, float] = {}
        self._minutes: dict[tuple[str, str], dict[float, Minute]] = {}  # by service and colour, by when they began
        self._read: dict[str, float] = {}  # by service: up to when nothing will change any more

    async def of(self, sight: Sight) -> Counted:
        key, now = sight.place.key, self._clock.now()
        if now - self._asked.get(key, -math.inf) >= self._minute / 2:
            await self._go_on(sight, now)
            self._asked[key] = now
        return self._summed(sight)

    async def catch_up(self) -> None:
        """The next question is asked of CloudWatch anew."""
        self._asked.clear()

    async def _go_on(self, sight: Sight, now: float) -> None:
        key = sight.place.key
        since = self._read.get(key)
        minute, hour = self._minute, 60 * self._minute
        if since is None:
            recent = (now // hour - RECENT) * hour
            if sight.born < recent:
                await self._read_in(sight.place, sight.born // hour * hour, recent, HOUR)
            since = max(recent, sight.born // minute * minute)
        await self._read_in(sight.place, since, (now // minute + 1) * minute, MINUTE)
        self._read[key] = max(since, (now // minute - LATE) * minute)

    async def _read_in(self, place: Place, since: float, until: float, period: int) -> None:
        queries = _queries(place, period)
        asked = {
            "MetricDataQueries": queries,
            "StartTime": datetime.fromtimestamp(since, UTC),
            "EndTime": datetime.fromtimestamp(until, UTC),
        }
        found: defaultdict[str, defaultdict[float, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for one in await self._clients.all("cloudwatch", "get_metric_data", "MetricDataResults", **asked):
            colour, _, what = one["Id"].partition("_")
            for at, value in zip(one["Timestamps"], one["Values"], strict=True):
                found[colour][at.timestamp()][what] = value
        for name, minutes in found.items():
            known = self._minutes.setdefault((place.key, name), {})
            known.update({at: _minute(at, values) for at, values in minutes.items()})

    def _summed(self, sight: Sight) -> Counted:
        """The proof takes the balancer's own failures from itself: it counts for all that is behind it."""
        groups: dict[int, Counters] = {}
        total, answered = Counters(), 0
        for side in sight.sides.values():
            minutes = list(self._minutes.get((sight.place.key, side.colour), {}).values())
            # The minute in which its deployment began may have another release's requests in it.
            counted = added([minute for minute in minutes if minute.at >= side.since])
            groups[side.number] = groups.get(side.number, Counters()) + counted
            answered += sum(minute.errors for minute in minutes)
            total += replace(added(minutes), errors=0)
        own = self._minutes.get((sight.place.key, BALANCER), {}).values()
        failed = {FROM_TARGET: answered, FROM_BALANCER: sum(minute.errors for minute in own)}
        total = replace(total, requests=total.requests + sum(minute.requests for minute in own))
        return Counted(
            groups={number: counted for number, counted in groups.items() if number},
            traffic=Traffic(
                total=replace(total, errors=sum(failed.values())),
                failed=tuple(pair for pair in failed.items() if pair[1]),
                uncounted=("client_closed", "retried"),  # CloudWatch has no metric of either for one service
            ),
        )


def added(minutes: Sequence[Minute]) -> Counters:
    """The totals of minutes, with a histogram that has about the percentiles that were told."""
    below = [0.0] * len(BOUNDS)
    for minute in minutes:
        for place, share in enumerate(_shares(minute.percentiles)):
            below[place] += share * minute.requests
    latency = tuple((bound, round(count)) for bound, count in zip(BOUNDS, below, strict=True))
    return Counters(
        requests=sum(minute.requests for minute in minutes),
        errors=sum(minute.errors + minute.refused for minute in minutes),
        latency=latency if any(below) else (),
    )


def _shares(percentiles: Sequence[float | None]) -> Sequence[float]:
    """The share of requests at or below each bound: straight lines between the percentiles.

    Told p50 = 20 and p95 = 110 ms, half lie below 20 ms and at 65 ms it is 0.5 + 0.45 / 2. All of what is slower than
    the last percentile lies below a bound that is twice as far.
    """
    known = [(ms, share / 100) for share, ms in zip(PERCENTILES, percentiles, strict=False) if ms is not None]
    if not known:
        return ()
    points = [(0.0, 0.0)]
    for ms, share in [*known, (2 * known[-1][0], 1.0)]:
        points.append((max(ms, points[-1][0] + 1e-6), share))
    shares = [1.0] * len(BOUNDS)
    for (low, from_), (high, to) in pairwise(points):
        for place in range(bisect_left(BOUNDS, low), bisect_left(BOUNDS, high)):
            shares[place] = from_ + (to - from_) * (BOUNDS[place] - low) / (high - low)
    return shares


def _minute(at: float, values: Mapping[str, float]) -> Minute:
    percentiles = tuple(None if (said := values.get(f"p{one}")) is None else 1000 * said for one in PERCENTILES)
    counts = {name: int(values.get(name, 0)) for name in ("requests", "errors", "refused")}
    return Minute(at=at, percentiles=percentiles, **counts)


def _queries(place: Place, period: int) -> list[Answer]:
    """Ids begin with the colour, or with `balancer`."""
    balancer = {"Name": "LoadBalancer", "Value": suffix(place.balancer)}
    wanted = [
        (f"{BALANCER}_errors", "HTTPCode_ELB_5XX_Count", "Sum", [balancer]),
        (
            f"{BALANCER}_requests",
            "HTTPCode_ELB_503_Count",
            "Sum",
            [balancer],
        ),  # no target took them: in no RequestCount
    ]
    for colour in place.colours:
        both = [balancer, {"Name": "TargetGroup", "Value": suffix(colour.group)}]
        wanted += [
            (f"{colour.name}_requests", "RequestCount", "Sum", both),
            (f"{colour.name}_errors", "HTTPCode_Target_5XX_Count", "Sum", both),
            (f"{colour.name}_refused", "TargetConnectionErrorCount", "Sum", both),
            *((f"{colour.name}_p{one}", "TargetResponseTime", f"p{one}", both) for one in PERCENTILES),
        ]
    return [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions},
                "Period": period,
                "Stat": stat,
            },
        }
        for name, metric, stat, dimensions in wanted
    ]
