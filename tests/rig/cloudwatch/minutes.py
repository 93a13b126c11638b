"""Figures of each minute: what the load balancer counts, and what anybody puts.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.rig.knobs import Knobs
from tests.rig.wire import AwsError

Dimensions = frozenset[tuple[str, str]]
Series = tuple[str, str, Dimensions]  # namespace, a metric's name, and of what
BALANCERS = "AWS/ApplicationELB"
MINUTE = 60  # of AWS's seconds
_KEPT = 2_000  # minutes


@dataclass(frozen=True, slots=True)
class Request:
    """One that was answered. `group` is where it was sent, if anywhere; `seconds` until the target began to answer.

    `status` 0: the client left before there was an answer. `share` is one by the number of targets that there were.
    """

    balancer: str
    group: str
    status: int
    by_target: bool
    seconds: float | None
    connected: bool = True
    share: float = 1.0

    def figures(self) -> Iterator[tuple[str, bool, float]]:
        """Metric, whether it is counted for the target group too, and value."""
        if self.group:  # "only incremented for requests where the load balancer node was able to choose a target"
            yield "RequestCount", True, 1
            yield "RequestCountPerTarget", True, self.share
        if not self.connected:
            yield "TargetConnectionErrorCount", True, 1
        if self.by_target:
            yield f"HTTPCode_Target_{self.status // 100}XX_Count", True, 1
            if self.seconds is not None:
                yield "TargetResponseTime", True, self.seconds
            return
        if self.status == 0:  # 460
            yield "HTTPCode_ELB_4XX_Count", False, 1
        elif self.status >= 400:
            yield f"HTTPCode_ELB_{self.status // 100}XX_Count", False, 1
            if self.status in (500, 502, 503, 504):
                yield f"HTTPCode_ELB_{self.status}_Count", False, 1


class Minutes:
    """Values by minute and series. A minute is 60 s divided by the pace, on this machine's clock."""

    def __init__(self, knobs: Knobs, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._knobs, self._now = knobs, now
        self._minutes: OrderedDict[int, dict[Series, list[float]]] = OrderedDict()

    @property
    def length(self) -> float:
        """Seconds of this machine that a minute lasts."""
        return self._knobs.real(MINUTE)

    def count(self, request: Request) -> None:
        balancer, group = ("LoadBalancer", request.balancer), ("TargetGroup", request.group)
        for name, grouped, value in request.figures():
            self.put((BALANCERS, name, frozenset([balancer])), value)
            if grouped and request.group:
                self.put((BALANCERS, name, frozenset([balancer, group])), value)
                self.put((BALANCERS, name, frozenset([group])), value)

    def weigh(self, balancer: str, group: str, healthy: int, unhealthy: int) -> None:
        """How many targets a group has at this moment."""
        of = frozenset([("LoadBalancer", balancer), ("TargetGroup", group)])
        self.put((BALANCERS, "HealthyHostCount", of), healthy)
        self.put((BALANCERS, "UnHealthyHostCount", of), unhealthy)

    def put(self, series: Series, *values: float, at: datetime | None = None) -> None:
        """Now, or when it was."""
        number = math.floor((at or self._now()).timestamp() / self.length)
        if number not in self._minutes:
            self._minutes[number] = {}
            while len(self._minutes) > _KEPT:
                self._minutes.popitem(last=False)
        self._minutes[number].setdefault(series, []).extend(values)

    def read(
        self, series: Series, start: datetime, end: datetime, period: int
    ) -> Iterator[tuple[datetime, list[float]]]:
        """Begin and values of each period that has any: "Elastic Load Balancing reports metrics only when requests are
        flowing". A period is of AWS's seconds; one that is not over yet, or was only just, is not told.
        """
        known = (self._now().timestamp() - self._knobs.real(self._knobs.metrics_after)) / self.length
        wide = max(1, period // MINUTE)
        first = math.floor(start.timestamp() / self.length / wide) * wide
        found: dict[int, list[float]] = {}
        for number, values in self._minutes.items():
            if first <= number and number * self.length < end.timestamp() and number + 1 <= known:
                found.setdefault(number // wide, []).extend(values.get(series, ()))
        for number, values in sorted(found.items()):
            if values:
                yield datetime.fromtimestamp(number * wide * self.length, UTC), values

    def known(self) -> set[Series]:
        """All of which there is any figure."""
        return {series for values in self._minutes.values() for series in values}


def statistic(name: str, values: list[float]) -> float:
    """Sum, Average, Minimum, Maximum, SampleCount, or a percentile as p95 or p99.9."""
    match name:
        case "Sum":
            return math.fsum(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return float(len(values))
    if not re.fullmatch(r"p\d+(\.\d+)?", name):
        raise AwsError("ValidationError", f"The rig does not know the statistic {name}")
    ordered = sorted(values)
    rank = math.ceil(float(name.removeprefix("p")) / 100 * len(ordered))
    return ordered[max(0, rank - 1)]
