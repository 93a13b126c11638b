"""What `status` says of what is being done, in words of people."""

import json
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.unit.controller.site import KIM, Control, Site, service, within
from yarl import URL

from crossfade.controller.api.hub import Hub
from crossfade.controller.api.server import Api
from crossfade.controller.api.views import in_preview, status, waiting
from crossfade.core.actions import (
    Action,
    Advance,
    AwaitHealthy,
    Drain,
    Finish,
    Launch,
    Probe,
    Resize,
    RollBack,
    RunHook,
    Shift,
    StartBake,
    Stop,
)
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.rollout import Hook, State
from crossfade.core.routing import Routing, TargetGroup


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Launch(release=2, count=3), "starting 3 of release 2"),
        (Resize(release=2, count=3), "sizing release 2 to 3"),
        (Shift(routing=Routing()), "moving traffic"),
        (Stop(instance="shop-web-1-a1b2"), "stopping shop-web-1-a1b2"),
        (RunHook(hook=Hook.SMOKE, release=2), "running the smoke hook"),
        (Probe(release=2, count=20), "sending 20 requests of our own"),
        (StartBake(step=0), "going on to step 1"),
        (Advance(step=1), "going on to step 2"),
        (RollBack(reason="release 2 exited 3 times"), "release 2 exited 3 times"),
        (Finish(state=State.SUCCEEDED, reason="release 2 has all traffic"), "release 2 has all traffic"),
        (Drain(instances=("a", "b"), until=7.0), "2 draining, at most 5 s more"),
    ],
)
def test_no_step_is_named_by_what_the_code_calls_it(action: Action, said: str) -> None:
    """Waits say what they wait for, everything else what it does."""
    assert waiting(action, Fleet(), 2.0) == said


def test_a_wait_for_instances_says_why_it_lasts() -> None:
    """What the first that is not ready said; one that is says nothing."""
    sound = Instance(id="shop-web-2-a1b2", release=2, health=Health.HEALTHY, detail="answered 200")
    ill = Instance(id="shop-web-2-c3d4", release=2, detail="answered 500 on /up")
    action = AwaitHealthy(release=2, ready=1, wanted=2, until=None)
    said = "1 of 2 instances of release 2 are ready"
    assert waiting(action, Fleet(instances=(sound, ill)), 2.0) == f"{said}; shop-web-2-c3d4 answered 500 on /up"
    assert waiting(action, Fleet(instances=(sound,)), 2.0) == said


def test_a_wait_for_instances_says_how_long_it_may_last() -> None:
    """A release that answers 404 where it is asked is waited for, by default for ten minutes."""
    action = AwaitHealthy(release=2, ready=0, wanted=2, until=600.0)
    assert waiting(action, Fleet(), 20.0) == "0 of 2 instances of release 2 are ready, and have at most 580 s more"


def test_a_wait_for_who_still_reaches_a_release_says_who_that_is() -> None:
    """Visitors who stay with it, or whoever reads a page that it sent."""
    old = Instance(id="shop-web-1-a1b2", release=1, health=Health.HEALTHY)
    group = TargetGroup(release=1, registered=(old.id,))
    action = Drain(instances=(old.id,), until=7.0)
    for pinned, said in (((1,), "visitors who stay with them"), ((), "pages that they sent")):
        seen = Fleet(instances=(old,), routing=Routing(groups=(group,), weights=((2, 100),), pinned=pinned))
        assert waiting(action, seen, 2.0) == f"1 kept for {said}, at most 5 s more"


async def test_who_follows_is_told_of_what_moves_alone(site: Site) -> None:
    """A deploy on a terminal asks five times a second: of hundreds of services those at rest are left out."""

    async def shown(api: Api, **query: str) -> list[str]:
        asked = make_mocked_request("GET", str(URL("/v1/status").with_query(moving=1, **query)))
        answer = await api.looks._status(asked)
        assert isinstance(answer, web.Response)
        told = json.loads(answer.text or "")
        assert told.keys() == {"services"}
        return [one["name"] for one in told["services"]]

    async with site.controller() as control:
        api = Api(control.orders, Hub(), lambda _: None)
        await control.deploy_together(*(service(name) for name in ("api", "docs", "web")))
        assert await shown(api, app="shop") == []
        site.sick.add(("shop/web", 2))
        loop = control.registry.loops["shop/web"]
        await control.orders.deploy([service(env=(("V", "2"),))], KIM, Control.shell)
        await within(loop.until(lambda loop: loop.ledger.active is not None))
        assert await shown(api, app="shop") == await shown(api) == ["web"]
        assert await shown(api, app="shop", service="docs") == ["docs"]


async def test_status_says_how_long_pages_of_the_old_release_are_read(site: Site) -> None:
    """Its last instance is `kept` after the rollout ended, and gone when the time is over."""
    rolling = replace(service().strategy, name="rolling", keep_assets=10.0)
    async with site.controller() as control:
        for version in ("1", "2"):
            await control.deploy(service(strategy=rolling, env=(("V", version),)))
        loop = control.registry.loops["shop/web"]
        told = status(loop, site.clock.now())
        assert (told["release"], told["pages"].keys(), 0 < told["pages"]["1"] <= 10) == (2, {"1"}, True)
        assert {one["state"] for one in told["instances"] if one["release"] == 1} == {"kept"}
        await within(loop.until(lambda loop: {i.release for i in loop.fleet.instances} == {2}))
        assert status(loop, site.clock.now())["pages"] == {}


async def test_a_release_is_kept_warm_until_the_next_rollout_sends_it_home(site: Site) -> None:
    """Its time is told while it stands by, and not by the rollout that has no room for it."""
    kept = replace(service(), strategy=replace(service().strategy, keep_previous=600.0))
    async with site.controller() as control:
        for version in ("1", "2"):
            await control.deploy(replace(kept, env=(("V", version),)))
        loop = control.registry.loops["shop/web"]
        assert status(loop, site.clock.now())["warm"].keys() == {"1"}
        site.sick.add(("shop/web", 3))
        await control.orders.deploy([replace(kept, env=(("V", "3"),))], KIM, Control.shell)
        await within(loop.until(lambda loop: loop.ledger.active is not None))
        assert status(loop, site.clock.now())["warm"] == {}


async def test_a_release_that_stands_in_is_said_and_on_record(site: Site) -> None:
    """`status` names it while it has the traffic, and the line of the journal for which release; then neither does."""

    async def stands_in(api: Api) -> dict[str, object] | None:
        answer = await api.looks._status(make_mocked_request("GET", "/v1/status?app=shop&fresh=1"))
        assert isinstance(answer, web.Response)
        found: dict[str, object] | None = json.loads(answer.text or "")["services"][0]["stands_in"]
        return found

    kept = replace(service(), strategy=replace(service().strategy, keep_previous=600.0))
    async with site.controller() as control:
        api = Api(control.orders, Hub(), lambda _: None)
        for version in ("1", "2"):
            await control.deploy(replace(kept, env=(("V", version),)), replace(KIM, version=f"v{version}"))
        loop = control.registry.loops["shop/web"]
        assert await stands_in(api) is None
        site.sick.add(("shop/web", 2))  # no other one of it gets healthy
        for name in [i.id for i in loop.fleet.instances if i.release == 2]:
            site.crash(name)
        await within(loop.until(lambda loop: loop.fleet.routing.weights == ((1, 100),)))
        assert await stands_in(api) == {"release": 1, "version": "v1"}
        told = [event.data.get("stands_in_for") for event in site.journal.events if event.kind == "routed"]
        assert told[-1] == 2
        assert set(told[:-1]) == {None}
        site.sick.clear()
        await within(loop.until(lambda loop: loop.fleet.routing.weights == ((2, 100),)))
        assert await stands_in(api) is None
        last = [event for event in site.journal.events if event.kind == "routed"][-1]
        assert "stands_in_for" not in last.data


@pytest.mark.parametrize(
    ("weights", "shown"), [((), 2), (((1, 100),), 2), (((1, 90), (2, 10)), 2), (((2, 100),), None)]
)
def test_a_release_that_all_visitors_have_is_not_in_preview(
    weights: tuple[tuple[int, int], ...], shown: int | None
) -> None:
    """Though the way of its preview is taken away a moment later, with nginx by a reload."""
    assert in_preview(Routing(weights=weights, preview=2)) == shown
