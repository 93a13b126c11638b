"""What is asked of a service that nothing runs of, or that was taken down, is answered with what is true of it."""

from dataclasses import replace
from datetime import datetime

import pytest
from tests.unit.controller.site import KIM, QUICK, Site, service, within

from crossfade.controller import admission
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.engine.ledger import Freeze, Ledger

IMPATIENT = replace(QUICK, timeout=0.3)


async def test_what_never_became_good_is_neither_scaled_nor_restarted(site: Site) -> None:
    """Nothing would ever have that size: it is refused, and nothing is written down."""
    site.sick.add(("shop/web", 1))
    async with site.controller() as control:
        loop = await control.deploy(service(strategy=IMPATIENT))
        assert loop.ledger.current is None
        for order in (control.orders.scale(loop, 2, KIM), control.orders.restart(loop, KIM)):
            with pytest.raises(RefusedError, match="nothing of shop/web runs") as refused:
                await within(order)
            assert "crossfade deploy" in refused.value.way_out
        assert "service scaled" not in site.kinds("shop/web")


@pytest.mark.parametrize("named", [None, "web"])
async def test_what_was_taken_down_is_not_called_unknown(site: Site, named: str | None) -> None:
    """Also by the next controller; its history is still found, and the way out names it."""
    async with site.controller() as control:
        await control.deploy(service())
        await within(control.orders.down("shop", None, KIM))
    async with site.controller() as control:
        with pytest.raises(WrongInputError, match=r"^shop(/web)? was taken down") as gone:
            control.registry.find("shop", named)
        assert "crossfade releases" in gone.value.way_out
        assert control.registry.key("shop", named) == "shop/web"
        assert control.registry.taken_down == ["shop/web"]
        with pytest.raises(WrongInputError, match="was taken down"):
            await control.orders.down("shop", named, KIM)


async def test_of_several_services_the_one_that_was_taken_down_is_told_from_one_that_never_was(site: Site) -> None:
    """The app goes on with the others."""
    async with site.controller() as control:
        await control.deploy(service("web"))
        await control.deploy(service("api"))
        await within(control.orders.down("shop", "api", KIM))
        with pytest.raises(WrongInputError, match="shop/api was taken down"):
            control.registry.find("shop", "api")
        with pytest.raises(WrongInputError, match="nothing called shop/old was deployed here"):
            control.registry.find("shop", "old")
        with pytest.raises(WrongInputError, match="nothing called shop/shop was deployed here") as refused:
            control.registry.find("shop", "shop")
        assert refused.value.way_out == "shop is an app, with shop/web; --app shop names it"
        assert control.registry.find("shop").key == "shop/web"


async def test_a_tag_that_moves_says_from_where(site: Site) -> None:
    """A new one comes from nowhere."""
    async with site.controller() as control:
        await control.deploy(service())
        loop = await control.deploy(service(command="serve better"))
        release, before = await control.orders.tag(loop, "2", "stable", KIM)
        assert (release.number, before) == (2, None)
        release, before = await control.orders.tag(loop, "1", "stable", KIM)
        assert (release.number, before) == (1, 2)


def test_a_lock_of_another_day_says_which_day() -> None:
    """A time of day alone would pass for today's."""
    since = 1_700_000_000.0
    ledger = Ledger(service="shop/web", freeze=Freeze(by="kim@laptop", since=since, reason="holiday"))
    with pytest.raises(RefusedError) as refused:
        admission.thawed(ledger, KIM)
    day = datetime.fromtimestamp(since).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert refused.value.cause == f"shop/web has been locked by kim@laptop since {day}: holiday"
