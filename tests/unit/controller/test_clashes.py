"""What cannot be reached beside another service is refused before anything is built."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Site, over, service

from crossfade.controller.order import Shell
from crossfade.core.errors import RefusedError
from crossfade.core.release import Outcome
from crossfade.core.service import Rule, Service

ALL = (Rule(),)


async def test_a_renamed_service_is_refused_and_leaves_nothing(site: Site) -> None:
    """With the other's name, and how to end it when it is no longer in the file."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        with pytest.raises(RefusedError) as refused:
            await control.deploy(service("site", routes=ALL))
        assert refused.value.cause == "shop/site and shop/web both ask for host * path /* on port 8080"
        assert "`crossfade down shop/web` ends it" in refused.value.way_out
        assert "`was: web` lets site take its place" in refused.value.way_out
        assert "shop/site" not in control.registry.loops
        assert site.kinds("shop/site") == []
        assert (site.serves("shop/web"), site.running("shop/site")) == (1, {})


async def test_a_renamed_service_takes_the_place_of_the_old_one_which_ends(site: Site) -> None:
    """One deploy, and no `down` before it; the old one is not touched before the new one is good."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        await control.deploy(service("site", routes=ALL, was="web"))
        await until(lambda: "shop/web" not in control.registry.loops and not control.registry.leaves("shop/web"))
        assert (site.serves("shop/site"), site.running("shop/web"), site.serves("shop/web")) == (1, {}, None)
        await control.deploy(service("web", routes=(Rule(path="/other/*"),)))  # a new one of the old name is its own
        await control.deploy(service("web", routes=(Rule(path="/others/*"),)))
        assert site.serves("shop/web") == 3


async def test_a_renamed_service_that_is_bad_leaves_the_old_one(site: Site) -> None:
    """It goes on as if nothing had been."""
    site.sick.add(("shop/site", 1))
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        quick = replace(QUICK, timeout=0.3)
        await control.deploy(service("site", routes=ALL, was="web", strategy=quick))
        assert (site.serves("shop/web"), site.serves("shop/site")) == (1, None)
        assert site.running("shop/web") == {1: 1}


async def test_an_heir_that_a_crash_left_with_the_old_one_still_ends_it(site: Site) -> None:
    """The controller died between the heir's success and the end of the other."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        await control.registry.supervisor.stop("the end of what was succeeded")
        await control.deploy(service("site", routes=ALL, was="web"))
        assert "shop/web" in control.registry.loops
    async with site.controller() as control:
        await until(lambda: "shop/web" not in control.registry.loops)
        assert site.running("shop/site") == {1: 1}


async def test_nobody_takes_the_place_of_one_that_is_locked(site: Site) -> None:
    """A lock is on all that would change it."""
    async with site.controller() as control:
        loop = await control.deploy(service("web", routes=ALL))
        await control.orders.lock(loop, "a sale", KIM)
        with pytest.raises(RefusedError, match="shop/web has been locked by kim"):
            await control.deploy(service("site", routes=ALL, was="web"))


async def test_another_app_on_the_same_port_is_refused(site: Site) -> None:
    """It is not ours to end: the routes or the port have to change."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        with pytest.raises(RefusedError, match="blog/web and shop/web both ask") as refused:
            await control.deploy(service("web", app="blog", routes=ALL))
        assert refused.value.way_out == "narrow the routes of one, or give it another port"


async def test_a_service_may_take_the_place_of_one_that_was_taken_down(site: Site) -> None:
    """The way out leads out."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        await control.orders.down("shop", "web", KIM)
        await control.deploy(service("site", routes=ALL))
        assert site.serves("shop/site") == 1


async def test_routes_that_go_from_one_to_the_other_in_one_deploy_are_no_clash(site: Site) -> None:
    """What changes with it does not count as it is."""
    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
        moved = service("site", routes=ALL)
        await control.orders.deploys.require_apart([moved], ["shop/web"])
        await control.orders.deploys.require_apart([service("web"), moved])
        with pytest.raises(RefusedError, match="both ask"):
            await control.orders.deploys.require_apart([service("web", routes=ALL), moved], ["shop/web"])


async def test_a_deploy_whose_ports_cannot_all_be_open_is_refused_before_it_begins(site: Site) -> None:
    """It was begun, and taken back once its instances were ready and the balancer refused the port."""

    def one_more(wanted: Iterable[Service], beside: Iterable[Service]) -> None:
        raise RefusedError(f"no port for {[s.key for s in wanted]} beside {[s.key for s in beside]}")

    async with site.controller() as control:
        await control.deploy(service("web", routes=ALL))
    site.openable = one_more
    async with site.controller() as control:
        with pytest.raises(RefusedError, match=r"no port for \['shop/site'\] beside \['shop/web'\]"):
            await control.deploy(service("site"))
        assert site.kinds("shop/site") == []


async def test_a_rollback_to_routes_that_another_has_now_is_refused(site: Site) -> None:
    """Nothing begins."""
    async with site.controller() as control:
        loop = await control.deploy(service("web", routes=ALL))
        await control.deploy(service("web"))
        await control.deploy(service("site", routes=ALL))
        with pytest.raises(RefusedError, match="shop/web and shop/site both ask"):
            await control.orders.rollback(loop, "previous", KIM)


async def test_a_clash_that_comes_up_meanwhile_is_held_against_no_release(site: Site) -> None:
    """Of two that are let in at once the balancer refuses the later: that one goes back, and is not called bad."""
    async with site.controller() as control:
        both = [service("web", app=app, routes=ALL) for app in ("blog", "shop")]
        begun = await asyncio.gather(*(control.orders.deploy([one], KIM, Shell()) for one in both))
        loops = [control.registry.loops[one.key] for one in both]
        for loop, one in zip(loops, begun, strict=True):
            assert one.rollout is not None
            await over(loop, one.rollout.id)
        releases = [loop.ledger.release(1) for loop in loops]
        assert {release.outcome for release in releases} == {Outcome.GOOD, Outcome.ABORTED}
        assert "both ask for host * path /* on port 8080" in "".join(release.why for release in releases)
