"""A service got another name and is bad: a rollback goes back across the name."""

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Control, Site, over, service

from crossfade.core.errors import RefusedError
from crossfade.core.release import Outcome
from crossfade.core.service import Hooks, Rule

ALL = (Rule(),)


async def renamed(control: Control, **changes: object) -> None:
    """`web` is `site` now, and gone."""
    brief = replace(QUICK, timeout=0.5)
    await control.deploy(service("web", routes=ALL, strategy=brief, secrets=("PASSWORD",)), PASSWORD="old")
    await control.deploy(service("site", routes=ALL, was="web", secrets=("PASSWORD",), **changes), PASSWORD="new")
    await until(lambda: "shop/web" not in control.registry.loops)


async def back(control: Control, name: str = "site") -> None:
    """Roll that service back, and wait for the end."""
    rollout = await control.orders.rollback(control.registry.loops[f"shop/{name}"], "previous", KIM)
    await over(control.registry.loops[rollout.service], rollout.id)


async def test_the_earlier_name_takes_its_place_back(site: Site) -> None:
    """As a release of its own history, with the values of secrets that it had; and the other name ends."""
    async with site.controller() as control:
        await renamed(control)
        await back(control)
        await until(lambda: "shop/site" not in control.registry.loops)
        assert (site.serves("shop/web"), site.running("shop/site")) == (2, {})
        release = control.registry.ledger("shop/web").release(2)
        assert (release.service.was, release.outcome, release.service.routes) == ("site", Outcome.GOOD, ALL)
        assert site.secrets.of(release) == {"PASSWORD": "old"}


async def test_the_new_name_may_come_again(site: Site) -> None:
    """A deploy after the rollback is the later word about who has the routes."""
    async with site.controller() as control:
        await renamed(control)
        await back(control)
        await until(lambda: "shop/site" not in control.registry.loops)
        await control.deploy(service("site", routes=ALL, was="web"))
        await until(lambda: "shop/web" not in control.registry.loops)
        assert (site.serves("shop/site"), site.running("shop/web")) == (2, {})


async def test_a_release_of_the_same_name_comes_first(site: Site) -> None:
    """The last good one is the one before, whatever it was called before that."""
    async with site.controller() as control:
        await renamed(control)
        await control.deploy(service("site", routes=ALL, was="web", env=(("N", "2"),)))
        await back(control)
        assert (site.serves("shop/site"), "shop/web" in control.registry.loops) == (1, False)


async def test_one_that_does_not_start_any_more_leaves_the_new_name(site: Site) -> None:
    """It goes on, and a second try is not refused."""
    async with site.controller() as control:
        await renamed(control)
        site.sick.add(("shop/web", 2))
        ledger = control.registry.ledger("shop/web")
        assert ledger.previous is not None
        await back(control)
        assert (site.serves("shop/site"), site.running("shop/site")) == (1, {1: 1})
        await back(control)
        await until(lambda: "shop/site" not in control.registry.loops)
        assert site.serves("shop/web") == 3


async def test_a_second_order_meets_the_rollout_of_the_first(site: Site) -> None:
    """It is that of the earlier name, and of each name one is under way at most: without --supersede it is refused."""
    async with site.controller() as control:
        await renamed(control)
        heir = control.registry.loops["shop/site"]
        first = await control.orders.rollback(heir, "previous", KIM)
        with pytest.raises(RefusedError, match=f"rollout {first.id} of shop/web"):
            await control.orders.rollback(heir, "previous", KIM)
        await over(control.registry.loops["shop/web"], first.id)
        await until(lambda: "shop/site" not in control.registry.loops)
        assert site.serves("shop/web") == 2


async def test_of_two_orders_at_once_that_supersede_one_is_carried(site: Site) -> None:
    """The later one, when the earlier one was taken back."""
    async with site.controller() as control:
        await renamed(control)
        heir = control.registry.loops["shop/site"]
        both = [control.orders.rollback(heir, "previous", replace(KIM, supersede=True)) for _ in range(2)]
        first, second = await asyncio.gather(*both)
        web = control.registry.loops["shop/web"]
        await over(web, second.id)
        await until(lambda: "shop/site" not in control.registry.loops)
        assert site.serves("shop/web") == 3
        outcomes = [web.ledger.release(number).outcome for number in (2, 3)]
        assert outcomes == [Outcome.ABORTED, Outcome.GOOD]
        assert first.id != second.id


async def test_a_migration_under_the_new_name_is_in_the_way(site: Site) -> None:
    """The older code may not understand the database; whoever knows better says so."""
    async with site.controller() as control:
        await renamed(control, hooks=Hooks(migrate="migrate"))
        loop = control.registry.loops["shop/site"]
        with pytest.raises(RefusedError, match="migrated the database"):
            await control.orders.rollback(loop, "previous", KIM)
        assert "shop/web" not in control.registry.loops
        rollout = await control.orders.rollback(loop, "previous", replace(KIM, force=True))
        assert rollout.service == "shop/web"


async def test_nothing_of_the_earlier_name_was_good(site: Site) -> None:
    """Then there is no way back, as for any other service."""
    async with site.controller() as control:
        loop = await control.deploy(service("site", routes=ALL, was="never", strategy=QUICK))
        with pytest.raises(RefusedError, match="shop/site has no other good release"):
            await control.orders.rollback(loop, "previous", KIM)
