"""What a release brings with it and leaves behind: hooks, a warm predecessor, the way back, what is kept."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.crowd import Crowd, agree, loses_nothing
from tests.support.machine import App

from crossfade.core.service import Hooks, RollbackOn, Service, Strategy

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))
# Asks the release that only the preview reaches, as a user's own script would.
SMOKE = """
import os, urllib.request
name, _, value = os.environ["CROSSFADE_HEADER"].partition(": ")
request = urllib.request.Request(os.environ["CROSSFADE_URL"] + "/who", headers={name: value})
with urllib.request.urlopen(request) as answer:
    print(answer.headers["X-Release"], answer.status)
"""


def _source(service: Service) -> Path:
    return Path(service.source)


async def test_the_old_fleet_stands_by_for_its_time(shop: App) -> None:
    """It is warm and gets nothing, and it goes by itself when its time is over."""
    strategy = replace(QUICK, keep_previous=2.0)
    await shop.deploy(shop.service(strategy=strategy))
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=strategy, tag="2"))
        status = await shop.status()
        warm = [i for i in status["instances"] if i["release"] == 1]
        assert [(i["state"], i["weight"]) for i in warm] == [("warm", 0), ("warm", 0)]
        assert 0 < status["warm"]["1"] <= 2.0
        await asyncio.sleep(0.5)
        assert len(shop.processes()) == 4
        await shop.settled(2)
    assert len(shop.processes()) == 2
    loses_nothing(crowd.report, result)


async def test_a_migration_runs_once_and_before_any_traffic(shop: App) -> None:
    """However many instances there are; no instance of the release starts before it is done."""
    ran = shop.machine.root / f"{shop.name}-ran"
    hooks = Hooks(migrate=f"echo release $CROSSFADE_RELEASE >> {ran} && sleep 0.5")
    await shop.deploy(shop.service(strategy=QUICK, replicas=3))
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=QUICK, hooks=hooks, replicas=3, tag="2"))
    assert result["rollout"]["state"] == "succeeded", result
    assert ran.read_text() == "release 2\n"
    (ended,) = await shop.events("hook ended")
    report = crowd.report
    assert report.wall(report.releases["2"].first_seen) > ended["at"]
    loses_nothing(report, result)


async def test_a_migration_that_fails_stops_the_deploy(shop: App) -> None:
    """Its last words are the reason, and no client ever sees the release."""
    await shop.deploy(shop.service(strategy=QUICK))
    hooks = Hooks(migrate="echo there is no table rating; exit 3")
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=QUICK, hooks=hooks, tag="2"))
        await shop.settled(1)
    assert result["rollout"]["state"] == "rolled_back"
    assert "failed with code 3: there is no table rating" in result["rollout"]["reason"]
    assert "2" not in crowd.report.releases
    loses_nothing(crowd.report, result)


@pytest.mark.parametrize("name", ["blue-green", pytest.param("rolling", marks=pytest.mark.long)])
async def test_a_smoke_test_reaches_the_release_before_anybody_else(shop: App, name: str) -> None:
    """$CROSSFADE_URL and $CROSSFADE_HEADER lead to the release that has no traffic yet."""
    strategy = replace(QUICK, name=name, max_surge=50)
    await shop.deploy(shop.service(strategy=QUICK))
    service = shop.service(strategy=strategy, hooks=Hooks(smoke="python3 smoke.py && sleep 0.3"), tag="2")
    (_source(service) / "smoke.py").write_text(SMOKE)
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(service)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    (ended,) = await shop.events("hook ended")
    assert ended["data"]["output"].strip() == "2 200"
    report = crowd.report
    assert report.wall(report.releases["2"].first_seen) > ended["at"] - 0.1
    loses_nothing(report, result)


@pytest.mark.parametrize(
    "name", ["rolling", *(pytest.param(name, marks=pytest.mark.long) for name in ("blue-green", "canary"))]
)
async def test_a_smoke_test_that_fails_takes_the_release_back_unseen(shop: App, name: str) -> None:
    """A release that would answer 500 never answers a client."""
    strategy = replace(QUICK, name=name, max_surge=50, bake=0.2)
    await shop.deploy(shop.service(strategy=QUICK))
    service = shop.service(strategy=strategy, fault="errors", hooks=Hooks(smoke="python3 smoke.py"))
    (_source(service) / "smoke.py").write_text(SMOKE)
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(service)
        await shop.settled(1)
    assert result["rollout"]["state"] == "rolled_back"
    assert "the smoke hook" in result["rollout"]["reason"]
    assert "HTTP Error 500" in result["rollout"]["reason"]
    assert "2" not in crowd.report.releases
    loses_nothing(crowd.report, result)


async def test_a_rollback_past_a_later_migration_has_to_be_forced(shop: App) -> None:
    """The older code may not understand the database: refused with that reason, and done when a person insists."""
    strategy = replace(QUICK, keep_previous=60.0)
    await shop.deploy(shop.service(strategy=strategy))
    await shop.deploy(shop.service(strategy=strategy, hooks=Hooks(migrate="true"), tag="2"))
    async with Crowd(shop.url) as crowd:
        error = await shop.rollback_refused()
        assert error["exit_code"] == 3
        assert "migrated the database after release 1" in error["cause"]
        assert "--force" in error["way_out"]
        result = await shop.rollback(force=True)
    assert result["rollout"]["to"] == 1
    loses_nothing(crowd.report, result)


async def test_a_rollback_never_goes_to_a_bad_release_by_itself(shop: App) -> None:
    """v1, a bad v2, v3: back from v3 is v1. The bad one has to be named, and forced."""
    strategy = replace(QUICK, bake=1.0, rollback_on=RollbackOn(min_requests=20, inconclusive="probe"))
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        bad = await shop.deploy(shop.service(strategy=strategy, fault="errors"))
        good = await shop.deploy(shop.service(strategy=QUICK, tag="3"))
        error = await shop.rollback_refused(to="2")
        back = await shop.rollback()
        await shop.settled(1)
    assert [r["rollout"]["state"] for r in (bad, good, back)] == ["rolled_back", "succeeded", "succeeded"]
    assert "release 2 (r2) is bad: release 2 failed" in error["cause"]
    assert (back["rollout"]["from"], back["rollout"]["to"]) == (3, 1)
    assert good["traffic"]["failed"] == back["traffic"]["failed"] == 0
    agree(crowd.report, bad, good, back)


@pytest.mark.long
async def test_only_what_a_rollback_needs_is_kept(shop: App) -> None:
    """With `retain: 2` the files of older releases go, unless one was given a name."""
    service = shop.service(strategy=QUICK, retain=2)
    await shop.deploy(service)
    await shop.tag("1", "stable")
    async with Crowd(shop.url) as crowd:
        for number in (2, 3, 4, 5):
            (_source(service) / "version.txt").write_text(f"{number}")
            await shop.deploy(service)
        await _removed(shop, {2, 3})
        error = await shop.rollback_refused(to="3")
        releases = await shop.releases()
        back = await shop.rollback(to="stable")
        await shop.settled(1)
    assert {n for n, r in releases.items() if r["kept"]} == {1, 4, 5}
    assert "files of release 3 (r3) were removed" in error["cause"]
    assert back["rollout"]["to"] == 1
    loses_nothing(crowd.report, back)


async def _removed(shop: App, releases: set[int]) -> None:
    """Wait until the files of exactly these are gone."""
    async with asyncio.timeout(60):
        while True:
            if {e["data"]["release"] for e in await shop.events("artifact removed")} == releases:
                return
            await asyncio.sleep(0.05)
