"""The watch sees what it is there for: an engine that broke a promise would be caught."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.property.history import History, history
from tests.property.invariants import BrokenPromiseError
from tests.property.simulation import KEY, Simulation

from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service


class Sabotaged(Simulation):
    """A history in which something is done behind the controller's back, through its own connections."""

    def __init__(self, told: History, deed: Callable[["Sabotaged"], Any]) -> None:
        super().__init__(told)
        self._deed = deed

    async def _deploy(self) -> None:
        await self._deed(self)


def calm() -> History:
    """A history of two instances with nothing in its way."""
    return next(
        told
        for told in map(history, range(500))
        if told.old and told.old.replicas == 2 and not told.troubles and told.sound and told.clients and not told.cloud
    )


async def stop_what_serves(simulation: Sabotaged) -> None:
    assert simulation.control is not None
    name = min(simulation.platform.lives)
    await simulation.control.world.runtimes["process"].stop(name, 0.0, 1)


async def send_traffic_to_the_unhealthy(simulation: Sabotaged) -> None:
    control, exposure = simulation.control, simulation.platform.exposed[KEY]
    assert control is not None
    release = next(iter(simulation.platform.lives.values())).release
    simulation.platform.launch("newcomer", release, {})
    routing = Routing(groups=(TargetGroup(release=1, registered=("newcomer",)),), weights=((1, 100),))
    await control.world.balancer.apply(exposure.service, routing, {"newcomer": "127.0.0.1:1"}, 1)


async def take_half_the_capacity(simulation: Sabotaged) -> None:
    control, exposure = simulation.control, simulation.platform.exposed[KEY]
    assert control is not None
    name = min(simulation.platform.lives)
    routing = Routing(groups=(TargetGroup(release=1, registered=(name,)),), weights=((1, 100),))
    await control.world.balancer.apply(exposure.service, routing, exposure.addresses, 1)


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        (stop_what_serves, "is stopped while it gets requests"),
        (send_traffic_to_the_unhealthy, "gets traffic and was never healthy"),
        (take_half_the_capacity, "capacity goes from 2 to 1"),
    ],
)
def test_a_promise_that_is_broken_is_seen(deed: Callable[[Sabotaged], Any], complaint: str) -> None:
    """Each of these deeds is complained of."""
    with pytest.raises(BrokenPromiseError, match=complaint):
        Sabotaged(calm(), deed).run()


def test_an_orphan_is_seen() -> None:
    """An instance that nobody knows is left over at the end."""

    async def orphan(simulation: Sabotaged) -> None:
        release = next(iter(simulation.platform.lives.values())).release
        other = Service(app="shop", name="web", source="/src/other")
        from dataclasses import replace

        simulation.platform.launch("orphan", replace(release, number=99, service=other), {})
        await Simulation._deploy(simulation)
        simulation.platform.launch("late", replace(release, number=98, service=other), {})

    simulation = Sabotaged(calm(), orphan)
    simulation.run()  # the controller finds it and ends it
    assert all(life.release.number == simulation.ledger.current for life in simulation.platform.of(KEY))
