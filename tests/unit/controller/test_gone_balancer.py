"""A balancer that is gone and cannot be started: what goes back does so all the same, and what goes on waits."""

from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Site, over, service, within

from crossfade.core.errors import PlatformError
from crossfade.core.rollout import State
from crossfade.core.service import Strategy
from crossfade.engine.loop import Loop

WEB = "shop/web"
CANARY = replace(QUICK, name="canary", steps=(20, 100), bake=600.0)
BAKING = replace(QUICK, name="blue-green", bake=600.0)


async def _in_the_middle(site: Site, loop: Loop, strategy: Strategy) -> None:
    """Release 2 is under way and stays so: never healthy, or in a bake that lasts."""
    assert loop.ledger.active is not None
    if strategy is QUICK:
        await until(lambda: site.running(WEB).get(2))
    else:
        await until(lambda: loop.ledger.active is not None and loop.ledger.active.holding_since is not None)


@pytest.mark.parametrize("strategy", [QUICK, CANARY, BAKING], ids=["before-traffic", "in-a-canary", "in-a-bake"])
async def test_an_abort_is_carried_out_and_holds_when_it_is_back(site: Site, strategy: Strategy) -> None:
    """It begins with the old release, of which all instances are there; nothing of the new one is left."""
    if strategy is QUICK:
        site.sick.add((WEB, 2))
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        await control.orders.deploy([service(replicas=2, command="new", strategy=strategy)], KIM, control.shell)
        await _in_the_middle(site, loop, strategy)
        site.platform.lose_balancer()
        await until(lambda: loop.hopeless)
        await control.orders.abort("shop", "web", KIM)
        await over(loop, 2)
        assert loop.ledger.records[-1].rollout.state is State.ABORTED
        assert (site.running(WEB), site.serves(WEB)) == ({1: 2}, 1)
        await until(lambda: loop.without)  # nobody gets in, and `status` says so
        site.platform.balancer_gone = False
        loop.wake()
        await until(lambda: not loop.without and loop.window is None)
        assert (site.running(WEB), site.serves(WEB)) == ({1: 2}, 1)


async def test_a_release_that_is_on_its_way_waits(site: Site) -> None:
    """While nobody asks it anything nobody can say whether it is good: it goes on once somebody does."""
    async with site.controller() as control:
        loop = await control.deploy(service())
        site.platform.lose_balancer()
        await control.orders.deploy([service(command="new")], replace(KIM, force=True), control.shell)
        await until(lambda: loop.hopeless)
        assert (site.running(WEB), site.serves(WEB)) == ({1: 1}, 1)
        site.platform.balancer_gone = False
        loop.wake()
        await over(loop, 2)
        await until(lambda: site.running(WEB) == {2: 1})
        assert site.serves(WEB) == 2


async def test_a_rollback_at_rest_is_carried_out(site: Site) -> None:
    """Who comes when it is back gets the release that was gone back to, from the first request on."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        await control.deploy(service(replicas=2, command="new"))
        await until(lambda: site.running(WEB) == {2: 2})
        site.platform.lose_balancer()
        await control.orders.rollback(loop, "previous", KIM)
        await over(loop, 3)
        await until(lambda: site.running(WEB) == {1: 2})
        assert (loop.ledger.records[-1].rollout.state, site.serves(WEB)) == (State.SUCCEEDED, 1)


async def test_a_rollout_is_superseded_and_a_service_taken_down_all_the_same(site: Site) -> None:
    """Who waits for what is under way to be taken back does not wait for the balancer."""
    site.sick.add((WEB, 3))
    site.sick.add((WEB, 4))
    async with site.controller() as control:
        loop = await control.deploy(service())
        await control.deploy(service(command="new"))
        await control.orders.deploy([service(command="newer")], KIM, control.shell)
        await until(lambda: site.running(WEB).get(3))
        site.platform.lose_balancer()
        rollout = await within(control.orders.rollback(loop, "1", replace(KIM, supersede=True)))
        await over(loop, rollout.id)
        assert site.serves(WEB) == 1
        site.platform.balancer_gone = False
        loop.wake()
        await until(lambda: not loop.without)
        await control.orders.deploy([service(command="newest")], KIM, control.shell)
        await until(lambda: site.running(WEB).get(4))
        site.platform.lose_balancer()
        assert await within(control.orders.down("shop", "web", replace(KIM, force=True))) == [WEB]
        assert site.running(WEB) == {}


async def test_what_stays_is_looked_after(site: Site) -> None:
    """Whoever comes when it is back finds all instances; a new release waits for it, and is refused in its words."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        site.platform.lose_balancer()
        await until(lambda: loop.without)
        dead = next(iter(site.platform.lives))
        site.crash(dead)
        loop.wake()
        await until(lambda: site.running(WEB) == {1: 2})
        await until(lambda: len(site.platform.exposed[WEB].routing.serving() - {dead}) == 2)
        await control.orders.restart(loop, KIM)
        assert await within(control.orders.restarted(loop)) == ""
        with pytest.raises(PlatformError, match="cannot be started"):
            await control.orders.deploy([service(command="new")], KIM, control.shell)


async def test_what_its_processes_serve_on_by_themselves_stays(site: Site) -> None:
    """As of an nginx whose master was killed: nobody can tell them anything, so nothing is stopped under them, and who
    waits for it is told.
    """
    async with site.controller() as control:
        loop = await control.deploy(service())
        await control.orders.deploy([service(command="new", strategy=BAKING)], KIM, control.shell)
        await _in_the_middle(site, loop, BAKING)
        site.platform.lose_balancer(deserted=True)
        with pytest.raises(PlatformError, match="cannot be started") as said:
            await within(control.orders.down("shop", "web", replace(KIM, force=True)))
        assert "shop/web goes back as soon as that is mended" in said.value.way_out
        assert site.running(WEB).get(2) == 1
        site.platform.balancer_gone = False
        loop.wake()
        await over(loop, 2)
        assert (site.running(WEB), site.serves(WEB)) == ({1: 1}, 1)
