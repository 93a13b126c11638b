"""A restart where the platform chooses who goes: it replaces them itself, and is waited for."""

import asyncio

import pytest
from tests.property.control import Secrets
from tests.unit.controller.site import KIM
from tests.unit.engine.in_cloud import InCloud

from crossfade.controller.orders import Orders
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.release import Release
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.cloud import CloudRuntime


def test_all_are_new_ones_and_none_was_missed() -> None:
    """New ones come beside the old ones, which go once they serve."""
    here = InCloud()

    async def restart() -> None:
        orders, before = Orders(here.world, "the controller", Secrets()), here.ids()
        await orders.restart(here.loop, KIM)
        assert await orders.restarted(here.loop) == ""
        assert not before & here.ids()
        assert len(here.loop.at_work) == len(here.ids()) == 2
        assert here.loop.ledger.rollouts == 1

    here.deploy(restart)


def never_served(here: InCloud) -> None:
    """Nothing that is launched from now on gets healthy."""
    here.platform.behaves = lambda _, __: Behaviour(life=())


def test_what_is_given_up_ends_on_the_platform_too() -> None:
    """The old ones serve on, and nobody comes beside them any more."""
    here = InCloud(timeout=10.0)

    async def restart() -> None:
        orders, before = Orders(here.world, "the controller", Secrets()), here.ids()
        never_served(here)
        await orders.restart(here.loop, KIM)
        assert "were not all healthy within" in await orders.restarted(here.loop)
        assert not here.loop.ledger.outdated
        assert here.ids() == before
        await here.world.clock.sleep(200.0)
        assert here.ids() == before

    here.deploy(restart)


class Stubborn(CloudRuntime):
    """Lets nobody end what it was told once."""

    async def break_off(self, release: Release, token: int) -> None:
        raise PlatformError("these credentials may not end it")


def test_what_the_platform_cannot_be_told_to_stop_stays_on_record() -> None:
    """It goes on there, and the answer says so and why."""
    here = InCloud(Stubborn, timeout=10.0)

    async def restart() -> None:
        orders = Orders(here.world, "the controller", Secrets())
        never_served(here)
        await orders.restart(here.loop, KIM)
        said = await orders.restarted(here.loop)
        assert said.endswith(
            "the platform goes on trying, because it could not be told to stop: these credentials may not end it"
        )
        assert here.loop.ledger.outdated

    here.deploy(restart)


class Slow(CloudRuntime):
    """Takes long to be told."""

    async def break_off(self, release: Release, token: int) -> None:
        await super().break_off(release, token)
        await self._platform.clock.sleep(5.0)


def test_another_restart_that_began_meanwhile_stays_on_record() -> None:
    """While the platform is told to end the first one, somebody may ask for it again."""
    here = InCloud(Slow, timeout=10.0)

    async def restart() -> None:
        orders, behaves = Orders(here.world, "the controller", Secrets()), here.platform.behaves
        never_served(here)
        await orders.restart(here.loop, KIM)
        giving_up = asyncio.create_task(orders.restarted(here.loop))
        cloud = here.cloud
        while cloud.renews(here.loop.key):
            await here.world.clock.sleep(1.0)
        here.platform.behaves = behaves
        await orders.restart(here.loop, KIM)
        again = here.loop.ledger.outdated
        assert "were not all healthy within" in await giving_up
        assert here.loop.ledger.outdated == again != frozenset()
        assert await orders.restarted(here.loop) == ""

    here.deploy(restart)


class Files(CloudRuntime):
    """Has nothing that runs."""

    async def renew(self, release: Release, token: int) -> None:
        raise RefusedError("files cannot be restarted")


def test_what_cannot_be_replaced_is_left_as_it_is() -> None:
    """Nobody goes on waiting for it."""
    here = InCloud(Files)

    async def restart() -> None:
        orders = Orders(here.world, "the controller", Secrets())
        with pytest.raises(RefusedError, match="files cannot be restarted"):
            await orders.restart(here.loop, KIM)
        assert not here.loop.ledger.outdated

    here.deploy(restart)
