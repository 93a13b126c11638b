"""A restart where the platform chooses who goes: it replaces them itself, and is waited for."""

import pytest
from tests.property.control import Secrets
from tests.unit.controller.site import KIM
from tests.unit.engine.in_cloud import InCloud

from crossfade.controller.orders import Orders
from crossfade.core.errors import RefusedError
from crossfade.core.release import Release
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
