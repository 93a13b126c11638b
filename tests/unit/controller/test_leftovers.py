"""Nothing runs unknown: removals go on after a kill, and what no journal knows is found by its marks."""

import asyncio
from dataclasses import replace
from typing import Any

from tests.adapters.until import until
from tests.unit.controller.site import KIM, Balancer, Site, service, within

from crossfade.controller.order import Shell
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.ports.balancer import Report
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.runtime import Runtime


async def test_a_removal_that_was_interrupted_goes_on_at_the_next_start(site: Site) -> None:
    """The controller died right after it wrote down that the service is to go."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=2))
        await loop.record("service removed", {"by": "kim"})
    assert site.running("shop/web") == {1: 2}
    async with site.controller() as control:
        await until(lambda: not control.registry.loops)
    assert site.running("shop/web") == {}
    assert site.platform.exposed == {}


async def test_a_service_that_is_being_taken_down_is_not_deployed_meanwhile(site: Site) -> None:
    """It is said why, and afterwards the numbers go on."""
    async with site.controller() as control:
        await control.deploy(service())
        assert await within(control.orders.down("shop", None, KIM)) == ["shop/web"]
        loop = await control.deploy(service())
        assert loop.ledger.current == 2


async def test_a_lost_journal_is_made_up_for_by_what_runs(site: Site) -> None:
    """The release that serves is taken over with its number and its settings, and the next deploy replaces it."""
    async with site.controller() as control:
        await control.deploy(service(replicas=2))
        await control.deploy(service(replicas=2, command="serve better"))
    site.lose_the_journal()
    async with site.controller() as control:
        loop = control.registry.loops["shop/web"]
        assert (loop.ledger.current, loop.ledger.wanted) == (2, 2)
        assert loop.ledger.release(2).service.command == "serve better"
        await loop.until(lambda loop: len(loop.fleet.instances) == 2)
        assert site.serves("shop/web") == 2
        assert control.orders.leftovers.unknown == ()
        loop = await control.deploy(service(replicas=1))
        assert loop.ledger.current == 3
        await until(lambda: site.running("shop/web") == {3: 1})


class SlowJournal(DryJournal):
    """As a disk does, it lets everybody else go on while it writes."""

    async def append(self, event: Event, token: int) -> Event:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().append(event, token)


class SlowerBalancer(Balancer):
    """A look at it takes longer than a write."""

    async def report(self, service: str, age: float = 0.0) -> Report:
        for _ in range(100):
            await asyncio.sleep(0)
        return await super().report(service, age)


async def test_traffic_stays_where_it_is_while_a_service_is_taken_over(site: Site) -> None:
    """What runs is on record before anybody decides by the record: nothing is launched beside it or routed away."""
    async with site.controller() as control:
        await control.deploy(service(replicas=2))
    before = set(site.platform.lives)
    site.journal, site.balancer = SlowJournal(site.clock), SlowerBalancer
    async with site.controller() as control:
        loop = control.registry.loops["shop/web"]
        began = site.clock.now()
        await within(loop.until(lambda loop: loop.observed_at > began))
        assert site.kinds("shop/web")[0] == "service adopted"
        assert set(site.platform.lives) == before
        assert all(len(routing.serving()) == 2 for routing in control.balancer.applied)
        assert site.serves("shop/web") == 1


async def test_a_journal_from_a_backup_is_made_up_for_by_what_runs(site: Site) -> None:
    """It knows of nothing since: what serves stays, nothing is launched or switched, and the next deploy goes on."""
    async with site.controller() as control:
        await control.deploy(service(replicas=2))
        backup = site.backup()
        await control.deploy(service(replicas=2, command="serve better"))
        await until(lambda: site.running("shop/web") == {2: 2})
    before = set(site.platform.lives)
    site.journal, site.balancer = backup, SlowerBalancer
    async with site.controller() as control:
        loop = control.registry.loops["shop/web"]
        began = site.clock.now()
        await within(loop.until(lambda loop: loop.observed_at > began))
        assert set(site.platform.lives) == before
        assert all(routing.weights == ((2, 100.0),) for routing in control.balancer.applied)
        assert loop.ledger.current == 2
        assert loop.ledger.previous
        assert loop.ledger.previous.number == 1
        assert loop.ledger.release(2).service.command == "serve better"
        loop = await control.deploy(service(replicas=1))
        assert loop.ledger.current == 3


async def test_a_backup_from_the_middle_of_a_rollout_does_not_go_on_with_it(site: Site) -> None:
    """What it was under way to may be long gone; what serves now is where it is."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await control.deploy(service())
        await control.orders.deploy([service(command="serve two")], KIM, Shell())
        backup = site.backup()
        await within(control.orders.abort("shop", "web", KIM))
        await until(lambda: control.registry.loops["shop/web"].ledger.active is None)
        await control.deploy(service(command="serve three"))
        await until(lambda: site.running("shop/web") == {3: 1})
    site.journal = backup
    async with site.controller() as control:
        loop = control.registry.loops["shop/web"]
        assert (loop.ledger.current, loop.ledger.active) == (3, None)
        assert (await control.deploy(service())).ledger.current == 4
        await until(lambda: site.running("shop/web") == {4: 1})


async def test_a_backup_from_when_it_was_taken_down_ends_nothing(site: Site) -> None:
    """It was deployed again since."""
    async with site.controller() as control:
        await control.deploy(service())
        await within(control.orders.down("shop", None, KIM))
        backup = site.backup()
        await control.deploy(service(command="serve two"))
    site.journal = backup
    async with site.controller() as control:
        await within(control.registry.loops["shop/web"].until(lambda loop: bool(loop.fleet.instances)))
        assert control.registry.loops["shop/web"].ledger.current == 2
        assert control.registry.taken_down == []
    assert site.serves("shop/web") == 2


async def test_what_cannot_be_taken_over_is_told_and_ended_by_down(site: Site) -> None:
    """Neither journal nor balancer knows the instance: it is left alone until somebody wants it to end."""
    async with site.controller() as control:
        await control.deploy(service())
    site.lose_the_journal()
    site.platform.exposed.clear()
    async with site.controller() as control:
        assert control.registry.loops == {}
        (unknown,) = control.orders.leftovers.unknown
        assert (unknown.service, unknown.app) == ("shop/web", "shop")
        assert site.running("shop/web") == {1: 1}
        ended = await within(control.orders.down(None, None, KIM))
        assert ended == [f"shop/web ({unknown.what})"]
        assert site.running("shop/web") == {}
        assert control.orders.leftovers.unknown == ()


async def test_routes_without_instances_are_told_and_a_deploy_takes_them_over(site: Site) -> None:
    """The balancer remembers tokens higher than those that a new journal grants: the deploy is not refused for it."""
    for _ in range(3):
        async with site.controller() as control:
            await control.deploy(service(), replace(KIM, force=True))
    site.lose_the_journal()
    site.platform.lives.clear()
    async with site.controller() as control:
        assert [(one.service, one.what) for one in control.orders.leftovers.unknown] == [("shop/web", "routes")]
        await control.deploy(service())
        await control.orders.leftovers.look()
        assert control.orders.leftovers.unknown == ()


async def test_one_service_of_an_app_can_be_taken_down(site: Site) -> None:
    """The others go on."""
    async with site.controller() as control:
        await control.deploy(service("web"))
        await control.deploy(service("api"))
        assert await within(control.orders.down("shop", "api", KIM)) == ["shop/api"]
        assert list(control.registry.loops) == ["shop/web"]
    assert list(site.platform.exposed) == ["shop/web"]


async def test_what_comes_and_goes_while_everything_is_asked_is_no_stranger(site: Site) -> None:
    """One that was launched after its service was asked for its own, and one that ended before that."""
    async with site.controller() as control:
        loop = await control.deploy(service(replicas=1))
        leftovers, release = control.orders.leftovers, loop.ledger.release(1)
        (old,), asked = list(site.platform.lives), 0

        class Meanwhile:
            """The runtime, with a fleet that changes between any two questions."""

            def __init__(self, runtime: Runtime) -> None:
                self._runtime = runtime

            def __getattr__(self, name: str) -> Any:
                return getattr(self._runtime, name)

            async def instances(self, of: str) -> Any:
                nonlocal asked
                found = await self._runtime.instances(of)
                asked += 1
                site.platform.launch(f"later-{asked}", release, {})
                return found

            async def found(self) -> Any:
                found = await self._runtime.found()
                site.platform.lives.pop(old, None)
                return found

        leftovers._world = replace(
            leftovers._world, runtimes={"process": Meanwhile(leftovers._world.runtimes["process"])}
        )
        await leftovers.look()
        assert (asked > 0, leftovers.unknown) == (True, ())
