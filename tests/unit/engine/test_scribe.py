"""The lease that a scribe holds: when it is renewed, and how its loss is met."""

from dataclasses import replace

import pytest
from tests.unit.engine.in_cloud import InCloud
from tests.unit.engine.test_loop import SERVICE

from crossfade.core.errors import StaleTokenError
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Lease
from crossfade.engine.scribe import Scribe

AHEAD = 3600.0  # seconds by which another's clock is ahead


def test_a_lease_that_was_given_back_in_the_future_is_renewed_at_once() -> None:
    """By a clock that is ahead: otherwise nobody would renew it for that long, nor see that somebody took it."""
    here = InCloud()
    key, ttl = SERVICE.key, here.world.pace.lease
    scribe = Scribe(Ledger(service=key), here.world, "we")

    async def hold() -> None:
        leases = here.journal.paper.leases
        leases[key] = Lease(service=key, holder="", token=3, since=0.0, expires=AHEAD)
        await scribe.acquire()
        await scribe.renew()
        assert leases[key].expires == here.timeline.time() + ttl
        leases[key] = replace(leases[key], holder="somebody else", token=5)
        await here.world.clock.sleep(here.world.pace.beat + 1.0)
        with pytest.raises(StaleTokenError):
            await scribe.renew()
        assert not scribe.token

    here.timeline.run(hold())
