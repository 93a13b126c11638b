"""A restart replaces the instances of the release that runs; nothing else changes."""

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Site, service, within

from crossfade.core.errors import RefusedError


def ids(site: Site) -> set[str]:
    return set(site.platform.lives)


async def test_all_instances_are_new_ones_of_the_same_release(site: Site) -> None:
    """At every routing on the way as many served as before; the release and its numbers stay."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        before, changes = ids(site), len(control.balancer.applied)
        await control.orders.restart(loop, KIM)
        assert await within(control.orders.restarted(loop)) == ""
        assert not before & ids(site)
        assert len(ids(site)) == 2
        assert (loop.ledger.current, len(loop.ledger.releases), loop.ledger.rollouts) == (1, 1, 1)
        assert all(len(routing.serving()) >= 2 for routing in control.balancer.applied[changes:])


async def test_a_restart_goes_on_under_the_next_controller(site: Site) -> None:
    """Killed right after it was ordered."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        before = ids(site)
        await loop.record("service restarted", {"instances": sorted(before), "by": "kim"})
    async with site.controller() as control:
        await until(lambda: len(ids(site)) == 2 and not before & ids(site))


async def test_new_ones_that_exit_end_it_and_the_old_ones_stay(site: Site) -> None:
    """It is said what they died of."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=1))
        (old,) = ids(site)
        await control.orders.restart(loop, KIM)

        def crash() -> bool:
            for name in ids(site) - {old}:
                if not site.exited(name):
                    site.crash(name, "cannot log in")
                    loop.wake()
            return sum(e.instance != old for e in loop.ledger.exits) >= 3

        site.sick.add(("shop/web", 1))  # none of the new ones gets healthy before it dies
        task = asyncio.create_task(control.orders.restarted(loop))
        await until(crash, seconds=20)
        assert "exited 3 times: cannot log in" in await within(task)


async def test_new_ones_that_never_get_healthy_end_it_too(site: Site) -> None:
    """Nobody waits for ever, and those that are left are to be replaced no more."""
    async with site.controller() as control:
        loop = await control.deploy(service(strategy=replace(QUICK, timeout=0.5), drain=0.0))
        site.sick.add(("shop/web", 1))
        await control.orders.restart(loop, KIM)
        said = await within(control.orders.restarted(loop))
        assert said == "new instances of shop/web were not all healthy within 0.5 s"
        assert not loop.ledger.outdated


async def test_a_restart_of_what_is_taken_down_meanwhile_ends(site: Site) -> None:
    """Whoever waits for it is told why: there is nothing left that could become new."""
    async with site.controller() as control:
        loop = await control.deploy(service())
        await control.orders.restart(loop, KIM)
        task = asyncio.create_task(control.orders.restarted(loop))
        await within(control.orders.down("shop", "web", KIM))
        assert await within(task) == "shop/web was taken down meanwhile"


async def test_it_is_refused_in_the_middle_of_a_rollout(site: Site) -> None:
    """Which replaces them anyway."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        loop = await control.deploy(service())
        await control.orders.deploy([service(command="other")], KIM, control.shell)
        with pytest.raises(RefusedError, match="rollout 2 of shop/web"):
            await control.orders.restart(loop, KIM)


async def test_a_service_of_no_instances_is_not_restarted(site: Site) -> None:
    """There is nothing to replace, and nothing to be put on record as a restart."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=0))
        with pytest.raises(RefusedError, match="has no instances to restart"):
            await control.orders.restart(loop, KIM)
