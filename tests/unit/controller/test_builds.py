"""Deploys that meet while one of them builds: what was begun for one is not taken from the other."""

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Control, Site, service, within

from crossfade.controller.order import Shell
from crossfade.core.errors import CrossfadeError, RefusedError

LEE = replace(KIM, by="lee", supersede=True)
LONG = service(build="long", strategy=QUICK)


async def building(control: Control) -> "asyncio.Task[object]":
    """A deploy whose build does not end."""
    deploy = asyncio.create_task(control.orders.deploy([LONG], KIM, Shell()))
    await until(control.orders.deploys.builds.under_way, 60)
    return deploy


async def test_a_first_deploy_that_is_superseded_in_its_build_leaves_the_service_to_the_next(site: Site) -> None:
    """It has no release, and is somebody's all the same."""
    site.endless.add("long")
    async with site.controller() as control:
        first = await building(control)
        with pytest.raises(RefusedError, match="has been building"):
            control.orders.may_deploy([service()], KIM)
        control.orders.may_deploy([service()], LEE)
        await within(control.deploy(service(), LEE))
        with pytest.raises(RefusedError, match="superseded by lee"):
            await first
        assert site.serves("shop/web") == 1


async def test_a_deploy_that_is_refused_beside_a_first_build_takes_nothing_from_it(site: Site) -> None:
    """Who builds goes on, and is at work still."""
    site.endless.add("long")
    async with site.controller() as control:
        first = await building(control)
        with pytest.raises(RefusedError, match="has been building"):
            await control.orders.deploy([service()], KIM, Shell())
        assert control.registry.holds("shop/web")
        await control.orders.abort("shop", "web", KIM)
        with pytest.raises(CrossfadeError, match="was stopped"):
            await first
        assert not control.registry.loops  # of a first build that was stopped nothing is left by then


async def test_a_deploy_that_comes_while_a_refused_one_leaves_has_a_service_that_is_looked_after(site: Site) -> None:
    """It waits until the care for the service has ended, and begins it anew."""
    async with site.controller() as control:
        loop = await control.registry.take_up("shop/web")
        leaving = asyncio.create_task(control.registry.drop(loop))
        await asyncio.sleep(0)
        taken = await within(control.registry.take_up("shop/web"))
        await leaving
        assert control.registry.loops["shop/web"] is taken
        assert control.registry.holds("shop/web")


async def test_a_service_that_is_taken_down_while_its_next_release_is_built_is_gone(site: Site) -> None:
    """With its instances and its routes: the build ends before that is on record."""
    site.endless.add("long")
    async with site.controller() as control:
        await control.deploy(service())
        await building(control)
        with pytest.raises(RefusedError, match="has been building") as refused:
            await control.orders.restart(control.registry.loops["shop/web"], KIM)
        assert refused.value.way_out == "wait for it, or `crossfade abort` it"  # there is no `restart --supersede`
        await within(control.orders.down("shop", "web", KIM))
        assert not site.running("shop/web")
        assert "shop/web" not in site.platform.exposed


@pytest.mark.parametrize("verb", ["deploy", "rollback"])
async def test_who_waits_for_the_same_rollout_as_a_down_begins_none_in_its_middle(site: Site, verb: str) -> None:
    """Whichever comes first: both end, and in the end nothing runs."""
    site.sick.add(("shop/web", 3))
    async with site.controller() as control:
        await control.deploy(service())
        loop = await control.deploy(service(command="second"))
        await control.orders.deploy([service(command="sick")], KIM, Shell())
        if verb == "deploy":
            other = control.orders.deploy([service(command="fourth")], LEE, Shell())
        else:
            other = control.orders.rollback(loop, "previous", LEE)
        waits = asyncio.create_task(other)
        down = control.orders.down("shop", "web", replace(KIM, force=True))
        await within(asyncio.gather(waits, down, return_exceptions=True))
        assert not site.running("shop/web")
        assert not control.registry.loops


async def test_a_rollback_that_waited_while_its_service_was_taken_down_is_refused(site: Site) -> None:
    """It began when the service was there, and nothing looks after that any more."""
    async with site.controller() as control:
        for version in ("1", "2"):
            await control.deploy(service(env=(("V", version),)))
        loop = control.registry.loops["shop/web"]
        async with loop.artifacts:
            back = asyncio.create_task(control.orders.rollback(loop, "previous", KIM))
            await asyncio.sleep(0)
            await within(control.registry.drop(loop))
        with pytest.raises(RefusedError, match="was taken down meanwhile"):
            await within(back)


async def test_a_rollback_that_had_to_wait_takes_nothing_back_unasked(site: Site) -> None:
    """Of two at once the second is refused, as it would have been a moment later."""
    async with site.controller() as control:
        await control.deploy(service())
        loop = await control.deploy(service(command="second"))
        both = [control.orders.rollback(loop, "previous", KIM) for _ in range(2)]
        first, second = await within(asyncio.gather(*both, return_exceptions=True))
        assert not isinstance(first, BaseException)
        assert isinstance(second, RefusedError)
        await within(loop.until(lambda loop: loop.ledger.active is None))
        assert site.serves("shop/web") == 1
