"""One that its platform replaces is told of at once, and runs until it has answered its last requests."""

from dataclasses import replace

from tests.unit.engine.in_cloud import InCloud

from crossfade.core.fleet import Health, Instance
from crossfade.engine.dry.behaviour import Behaviour

FAILS = 200.0  # seconds after its start
DRAIN = 60.0
ILL = Behaviour(life=((0.0, Health.HEALTHY), (FAILS, Health.UNHEALTHY)))


def test_one_that_is_replaced_is_told_of_at_once_and_runs_until_it_is_drained() -> None:
    """Its end is on record once, as that of one that was healthy; nothing else may take its place meanwhile."""
    here = InCloud()
    here.service = replace(here.service, drain=DRAIN)
    here.platform.behaves = lambda _, nth: Behaviour() if nth else ILL

    def of_the_ill_one() -> list[Instance]:
        exits = {one.instance for one in here.loop.ledger.exits}
        return [one for one in here.loop.fleet.instances if one.id in exits]

    async def afterwards() -> None:
        await here.loop.until(lambda loop: bool(loop.ledger.exits) and bool(of_the_ill_one()))
        (one,) = of_the_ill_one()
        assert (one.stopping, one.health, one.holds_requests) == (True, Health.UNHEALTHY, True)
        await here.world.clock.sleep(DRAIN + 20.0)
        assert not of_the_ill_one()  # the platform does not list it any more
        (told,) = here.loop.ledger.exits
        assert told.was_healthy

    here.deploy(afterwards)
