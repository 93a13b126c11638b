"""The watch sees what it is there for: an engine that broke a promise would be caught."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.property.history import KEY, History, history, together
from tests.property.invariants import BrokenPromiseError
from tests.property.rest import Rest
from tests.property.simulation import Simulation

from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service, StrategyName
from crossfade.engine.dry.platform import Life


class Sabotaged(Simulation):
    """A history in which something is done behind the controller's back, through its own connections."""

    def __init__(self, told: History, deed: Callable[["Sabotaged"], Any]) -> None:
        super().__init__(told)
        self._deed = deed

    async def _deploy(self) -> None:
        await self._deed(self)


def calm(make: Callable[[int], History] = history, *strategies: StrategyName) -> History:
    """A history of two instances with nothing in its way, by one of these strategies or by any."""
    return next(
        told
        for told in map(make, range(2000))
        if told.old and told.old.replicas == 2 and not told.troubles and told.sound and told.clients and not told.cloud
        if not strategies or (told.new.strategy.name in strategies and told.new.replicas == 2)
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


async def let_a_canary_have_all(simulation: Sabotaged) -> None:
    await Simulation._deploy(simulation)
    platform, new = simulation.platform, list[Life]()
    while len(new) < 2:
        await asyncio.sleep(0.5)
        new = [one for one in platform.of(KEY) if one.release.number == 2 and one.was_healthy(platform.clock.now())]
    names = tuple(sorted(life.id for life in new))
    routing = Routing(groups=(TargetGroup(release=2, registered=names),), weights=((2, 100),))
    assert simulation.control is not None
    addresses = {life.id: life.address for life in new}
    await simulation.control.world.balancer.apply(simulation.history.new, routing, addresses, 1)


def test_a_canary_that_gets_too_much_is_seen() -> None:
    """All traffic before its first step is over."""
    with pytest.raises(BrokenPromiseError, match="release 2 gets 100 % in a step of"):
        Sabotaged(calm(history, "canary", "linear"), let_a_canary_have_all).run()


def test_services_that_end_apart_are_seen() -> None:
    """One of two is at its old release when all is over."""
    simulation = Simulation(calm(together)).run()
    assert simulation.control is not None
    scribe = simulation.control.registry.loops["shop/api"]._scribe
    scribe.ledger = replace(scribe.ledger, current=1)
    with pytest.raises(BrokenPromiseError, match="are at their new releases"):
        Rest(simulation).several_services_end_together()


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
        simulation.platform.launch("orphan", replace(release, number=99, service=other), {})
        await Simulation._deploy(simulation)
        simulation.platform.launch("late", replace(release, number=98, service=other), {})

    simulation = Sabotaged(calm(), orphan)
    simulation.run()  # the controller finds it and ends it
    assert all(life.release.number == simulation.ledger.current for life in simulation.platform.of(KEY))
