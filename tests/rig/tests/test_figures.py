"""What CloudWatch tells of requests."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.rig.balancer.access import read
from tests.rig.cloudwatch.expression import evaluate
from tests.rig.cloudwatch.minutes import BALANCERS, Minutes, Request, statistic
from tests.rig.knobs import Knobs
from tests.rig.tests.site import Site
from tests.rig.wire import AwsError, Json

from crossfade.load import LoadGenerator

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=30)
OF_GROUP = frozenset([("LoadBalancer", "app/shop/1"), ("TargetGroup", "targetgroup/web/1")])
OF_BALANCER = frozenset([("LoadBalancer", "app/shop/1")])


class Watch:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


def counted(*requests: Request, pace: float = 1) -> tuple[Minutes, Watch]:
    watch = Watch()
    minutes = Minutes(Knobs(pace=pace, metrics_after=5), watch)
    for request in requests:
        minutes.count(request)
    return minutes, watch


def answer(status: int = 200, seconds: float = 0.1, **other: object) -> Request:
    made: Json = {"by_target": True, "seconds": seconds, **other}
    return Request("app/shop/1", "targetgroup/web/1", status, **made)


def value(minutes: Minutes, name: str, how: str = "Sum", of: frozenset[tuple[str, str]] = OF_GROUP) -> float | None:
    found = dict(minutes.read((BALANCERS, name, of), NOON, LATER, 60))
    return statistic(how, found[NOON]) if found else None


def test_what_a_target_answers_is_counted_for_it_and_for_its_balancer() -> None:
    minutes, watch = counted(answer(), answer(204), answer(500), answer(404))
    watch.moment = LATER
    assert value(minutes, "RequestCount") == 4
    assert value(minutes, "RequestCount", of=OF_BALANCER) == 4
    assert value(minutes, "HTTPCode_Target_2XX_Count") == 2
    assert value(minutes, "HTTPCode_Target_5XX_Count") == 1
    assert value(minutes, "HTTPCode_ELB_5XX_Count", of=OF_BALANCER) is None


def test_what_the_balancer_answers_itself_is_its_own() -> None:
    refused = answer(502, by_target=False, connected=False)
    nowhere = Request("app/shop/1", "", 503, by_target=False, seconds=None)
    minutes, watch = counted(refused, nowhere, answer(0, by_target=False))
    watch.moment = LATER
    assert value(minutes, "HTTPCode_ELB_5XX_Count", of=OF_BALANCER) == 2
    assert value(minutes, "HTTPCode_ELB_503_Count", of=OF_BALANCER) == 1
    assert value(minutes, "HTTPCode_ELB_4XX_Count", of=OF_BALANCER) == 1
    assert value(minutes, "TargetConnectionErrorCount") == 1
    assert value(minutes, "RequestCount") == 2  # those for which a target was chosen


def test_a_percentile_is_of_the_requests_of_its_minute() -> None:
    minutes, watch = counted(*(answer(seconds=ms / 1000) for ms in range(1, 101)))
    watch.moment = LATER
    assert value(minutes, "TargetResponseTime", "p50") == 0.05
    assert value(minutes, "TargetResponseTime", "p95") == 0.095
    assert value(minutes, "TargetResponseTime", "Maximum") == 0.1


def test_a_statistic_that_is_not_known_is_refused() -> None:
    with pytest.raises(AwsError, match="tm90"):
        statistic("tm90", [1.0])


def test_a_minute_is_told_when_it_is_over_and_a_little_later() -> None:
    minutes, watch = counted(answer())
    watch.moment = NOON + timedelta(seconds=64)
    assert value(minutes, "RequestCount") is None
    watch.moment = NOON + timedelta(seconds=65)
    assert value(minutes, "RequestCount") == 1


def test_at_a_pace_of_ten_a_minute_lasts_six_seconds() -> None:
    minutes, watch = counted(answer(), pace=10)
    watch.moment = NOON + timedelta(seconds=7)
    assert value(minutes, "RequestCount") == 1
    minutes.count(answer())
    watch.moment = NOON + timedelta(seconds=20)
    points = dict(minutes.read((BALANCERS, "RequestCount", OF_GROUP), NOON, LATER, 60))
    assert sorted(points) == [NOON, NOON + timedelta(seconds=6)]
    [(_, both)] = minutes.read((BALANCERS, "RequestCount", OF_GROUP), NOON, LATER, 300)
    assert both == [1, 1]


@pytest.mark.parametrize(
    ("line", "status", "by_target", "connected"),
    [
        ("1.0\t8000\ttargetgroup/web/1\t200\t-\t127.0.0.1:9\t1500", 200, True, True),
        ("1.0\t8000\ttargetgroup/web/1\t502\tUC\t127.0.0.1:9\t-", 502, False, True),
        ("1.0\t8000\ttargetgroup/web/1\t502\tUF\t127.0.0.1:9\t-", 502, False, False),
        ("1.0\t8000\ttargetgroup/web/1\t503\tUH\t-\t-", 503, False, True),
    ],
)
def test_a_line_of_the_log_says_who_answered(line: str, status: int, *, by_target: bool, connected: bool) -> None:
    request = read(line, {8000: "app/shop/1"}, lambda _: 4)
    assert request is not None
    assert (request.status, request.by_target, request.connected) == (status, by_target, connected)
    assert request.share == 0.25


def test_expressions_are_of_points_in_time() -> None:
    later = NOON + timedelta(minutes=1)
    known = {"errors": {NOON: 5.0}, "all": {NOON: 50.0, later: 10.0}}
    assert evaluate("100 * FILL(errors, 0) / all", known) == {NOON: 10.0, later: 0.0}
    assert evaluate("IF(all > 20, errors, 0)", known) == {NOON: 5.0, later: 0.0}
    assert evaluate("errors / (all - all)", known) == {}


@pytest.mark.parametrize("expression", ["ANOMALY_DETECTION_BAND(errors)", "nobody + 1", "1 +", "errors.x"])
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(AwsError, match="Error in expression"):
        evaluate(expression, {"errors": {NOON: 1.0}})


@pytest.mark.long
async def test_the_figures_are_those_of_the_client(site: Site) -> None:
    await site.until_healthy("blue", 2)
    await site.until_answered_by("1")
    began = datetime.now(UTC)
    report = await LoadGenerator(f"{site.url}/", clients=4, requests=400).run()
    assert not report.failed
    cloudwatch = site.rig.client("cloudwatch")
    dimensions = [
        {"Name": "LoadBalancer", "Value": site.place.load_balancer.partition(":loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": site.place.target_groups["blue"].rpartition(":")[2]},
    ]

    def ask(metric: str, stat: str) -> Json:
        named = {"Namespace": BALANCERS, "MetricName": metric, "Dimensions": dimensions}
        return {"Id": metric.lower(), "MetricStat": {"Metric": named, "Period": 60, "Stat": stat}}

    queries = [ask("RequestCount", "Sum"), ask("TargetResponseTime", "p95"), ask("HealthyHostCount", "Maximum")]

    def told() -> dict[str, list[float]]:
        end = datetime.now(UTC) + timedelta(minutes=1)
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=began - timedelta(minutes=1), EndTime=end
        )
        return {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}

    await site.until(lambda: sum(told()["requestcount"]) >= 400)
    found = told()
    assert sum(found["requestcount"]) <= 400 + 200  # what was asked before, until the data plane was ready
    assert all(0 < seconds < 60 for seconds in found["targetresponsetime"])
    await site.until(lambda: max(told()["healthyhostcount"]) == 2)
