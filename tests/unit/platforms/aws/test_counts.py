"""What CloudWatch tells by the minute, added up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.platforms.aws.test_weights import PLACE, Rules

from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.alb.counts import Counts, Minute, added
from crossfade.platforms.aws.clients import Answer


def minute(at: float, requests: int, *percentiles: float, errors: int = 0, refused: int = 0) -> Minute:
    return Minute(at=at, requests=requests, errors=errors, refused=refused, percentiles=percentiles)


@pytest.mark.parametrize(("p50", "p95", "p99"), [(20.0, 110.0, 180.0), (3.0, 3.5, 9.0), (900.0, 2500.0, 9000.0)])
def test_the_percentiles_of_a_minute_come_out_as_they_went_in(p50: float, p95: float, p99: float) -> None:
    """Within a tenth, which is how far the bounds are apart."""
    counted = added([minute(0, 1000, p50, p95, p99)])
    assert counted.requests == 1000
    assert counted.latency[-1][1] == 1000
    for share, wanted in ((0.5, p50), (0.95, p95), (0.99, p99)):
        assert counted.quantile_ms(share) == pytest.approx(wanted, rel=0.1)


def test_minutes_count_by_their_requests() -> None:
    """A busy minute weighs more: 900 fast requests and 100 slow ones have a p95 among the slow, and a fast p50."""
    counted = added([minute(0, 900, 10.0, 12.0, 13.0), minute(60, 100, 1000.0, 1200.0, 1300.0)])
    assert counted.quantile_ms(0.5) == pytest.approx(10.0, rel=0.15)
    assert 900 < counted.quantile_ms(0.95) < 1100


def test_totals_grow_and_can_be_compared() -> None:
    """What came since is the difference, percentiles too, whatever came before."""
    before = [minute(0, 5000, 5.0, 6.0, 7.0, errors=1)]
    after = [*before, minute(60, 200, 300.0, 400.0, 500.0, errors=20, refused=2)]
    since = added(after).since(added(before))
    assert (since.requests, since.errors) == (200, 22)
    assert since.quantile_ms(0.95) == pytest.approx(400.0, rel=0.12)


def test_a_minute_without_percentiles_has_no_times() -> None:
    """Nothing is made up for requests that nobody timed."""
    assert added([minute(0, 7)]).latency == ()
    assert added([]).requests == 0


class Told(Rules):
    """CloudWatch as well: one minute's sums by metric, of either colour or of the load balancer."""

    sums = {"RequestCount": 30.0, "HTTPCode_ELB_5XX_Count": 9.0, "HTTPCode_ELB_503_Count": 7.0}  # noqa: RUF012

    async def all(self, service: str, operation: str, result: str, /, **asked: Any) -> list[Answer]:
        assert (service, operation, result) == ("cloudwatch", "get_metric_data", "MetricDataResults")
        at = datetime.fromtimestamp(0, UTC)
        named = {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in asked["MetricDataQueries"]}
        return [{"Id": id_, "Timestamps": [at], "Values": [self.sums.get(name, 0.0)]} for id_, name in named.items()]


async def test_what_no_target_took_was_asked_all_the_same() -> None:
    """60 came to targets, and 7 to none: of 67 failed 9, two of them on their way to a target."""
    clock = SystemClock(wall=lambda: 60.0)
    told = Told(clock, "", PLACE)
    counted = await Counts(told, clock).of(told.sight(clock.now()))
    assert (counted.traffic.total.requests, counted.traffic.total.errors) == (67, 9)
