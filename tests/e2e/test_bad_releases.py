"""A bad release takes itself back, to full capacity of the last good one, and says why; clients lose what it broke."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.crowd import Crowd, agree, loses_nothing
from tests.support.machine import App

from crossfade.core.service import HealthCheck, RollbackOn, Strategy
from crossfade.load import LoadReport

pytestmark = pytest.mark.asyncio(loop_scope="session")

RULES = RollbackOn(error_rate=0.05, min_requests=20, unhealthy=1, crash_loop=3)
QUICK = Strategy(name="blue-green", bake=4.0, timeout=8.0, keep_previous=0.0, rollback_on=RULES)
CANARY = replace(QUICK, name="canary", steps=(10, 100))
ROLLING = replace(QUICK, name="rolling", checkpoints=(50, 100), min_healthy=100, max_surge=50)


async def _ships(shop: App, strategy: Strategy, fault: str, **changes: Any) -> tuple[LoadReport, Any]:
    """Deploy a good release and then the bad one under load: what clients saw, and the result."""
    await shop.deploy(shop.service(strategy=replace(strategy, bake=0.0), **changes))
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=strategy, fault=fault, **changes))
        status = await shop.settled(1)
    assert result["rollout"]["state"] == "rolled_back", result
    assert status["release"] == 1
    bad = (await shop.releases())[2]
    assert (bad["outcome"], bad["why"]) == ("bad", result["rollout"]["reason"])
    agree(crowd.report, result)
    return crowd.report, result


async def test_a_canary_that_answers_500_costs_no_more_than_its_share(shop: App) -> None:
    """It is taken back at the first errors too many; every loss is a 500 of its own, and all of them are counted."""
    report, result = await _ships(shop, CANARY, "errors")
    assert "failed" in result["rollout"]["reason"]
    assert set(result["traffic"]["causes"]) == {"500 from instance"}
    assert report.failed == report.releases["2"].requests == report.releases["2"].failed
    assert 1 < report.failed < 0.3 * report.requests


@pytest.mark.parametrize("strategy", [QUICK, pytest.param(ROLLING, marks=pytest.mark.long)], ids=lambda s: s.name)
async def test_errors_are_the_bad_releases_own(shop: App, strategy: Strategy) -> None:
    """Also with all or half of the traffic on it nothing else is lost, on the way there or back."""
    report, result = await _ships(shop, strategy, "errors")
    assert set(result["traffic"]["causes"]) == {"500 from instance"}
    assert report.failed == report.releases["2"].requests > 1


@pytest.mark.parametrize(
    ("strategy", "fault"),
    [
        (replace(QUICK, timeout=1.5), "sick"),
        (replace(ROLLING, timeout=0.5), "deaf"),
        pytest.param(replace(QUICK, timeout=1.5), "deaf", marks=pytest.mark.long),
        pytest.param(replace(ROLLING, timeout=0.5), "sick", marks=pytest.mark.long),
    ],
)
async def test_a_release_that_never_gets_healthy_gets_no_request(shop: App, strategy: Strategy, fault: str) -> None:
    """After its time it is stopped; no client ever saw it."""
    report, result = await _ships(shop, strategy, fault)
    loses_nothing(report, result)
    assert "2" not in report.releases
    assert "became healthy" in result["rollout"]["reason"]
    assert ("answered 503" in result["rollout"]["reason"]) is (fault == "sick")


async def test_a_command_says_whether_a_web_service_is_healthy(shop: App) -> None:
    """In place of a request, and the balancer looks whether somebody listens: what never passes gets no request."""
    asked = HealthCheck(command='test "$TAG" = well', interval=0.2, timeout=1.0, unhealthy=2)
    await shop.deploy(shop.service(health=asked, tag="well", fault="sick", strategy=replace(QUICK, bake=0.0)))
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(health=asked, tag="ill", strategy=replace(QUICK, timeout=1.5)))
        await shop.settled(1)
    loses_nothing(crowd.report, result)
    assert set(crowd.report.releases) == {"1"}
    assert 'test "$TAG" = well' in result["rollout"]["reason"]


async def test_a_release_that_exits_while_it_starts_is_a_verdict_and_not_a_loop(shop: App) -> None:
    """Three exits that it is blamed for and it is over, four where two are seen at once; its last words are told."""
    report, result = await _ships(shop, QUICK, "broken")
    loses_nothing(report, result)
    assert "2" not in report.releases
    assert "exited" in result["rollout"]["reason"]
    assert "no database" in result["rollout"]["reason"]
    exits = await shop.events("instance exited")
    assert 3 <= len([e for e in exits if e["data"]["blamed"]]) <= 4


@pytest.mark.parametrize(
    "strategy",
    [pytest.param(QUICK, marks=pytest.mark.long), replace(CANARY, steps=(50, 100))],
    ids=lambda s: s.name,
)
async def test_a_release_that_dies_under_load_is_taken_back(shop: App, strategy: Strategy) -> None:
    """GETs it leaves unanswered are asked again elsewhere where there is an elsewhere; what is lost is counted."""
    report, result = await _ships(shop, strategy, "dies=30")
    assert "had been healthy" in result["rollout"]["reason"]
    assert "code 3" in result["rollout"]["reason"]
    assert report.failed < 0.2 * report.requests


@pytest.mark.long
async def test_a_release_that_flaps_is_taken_back(shop: App) -> None:
    """Healthy, then not: the traffic leaves it at once, and nothing it could have answered is lost."""
    report, result = await _ships(shop, QUICK, "flaps=12")
    # Our own check and Envoy's run beside each other: whichever fails first says why.
    assert "had been healthy" in result["rollout"]["reason"] or "failed" in result["rollout"]["reason"]
    assert set(result["traffic"]["causes"]) <= {"no healthy instance"}
    assert report.failed < 0.2 * report.requests


@pytest.mark.long
async def test_a_release_that_is_slow_is_taken_back(shop: App) -> None:
    """Nothing is lost by it: it answers, too late for the file's threshold."""
    strategy = replace(CANARY, steps=(50, 100), rollback_on=replace(RULES, p95_ms=150.0))
    report, result = await _ships(shop, strategy, "late=0.3", timeout=5.0)
    loses_nothing(report, result)
    assert "allowed 150 ms" in result["rollout"]["reason"]


async def test_a_release_that_is_slower_than_the_one_before_is_taken_back(shop: App) -> None:
    """Both are measured at the same time; no absolute threshold is needed."""
    strategy = replace(CANARY, steps=(50, 100), rollback_on=replace(RULES, worse_than_previous=3.0))
    report, result = await _ships(shop, strategy, "late=0.9")
    loses_nothing(report, result)
    assert "times the old release's" in result["rollout"]["reason"]


async def test_a_first_deploy_that_fails_leaves_nothing_behind(shop: App) -> None:
    """There is nothing to go back to: it failed, and no instance of it runs."""
    result = await shop.deploy(shop.service(strategy=replace(QUICK, timeout=1.0), fault="sick"))
    assert result["rollout"]["state"] == "failed"
    assert "became healthy" in result["rollout"]["reason"]
    await shop.until(lambda s: not s["instances"])
    assert shop.processes() == []
