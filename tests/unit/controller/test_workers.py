"""Workers through the controller: deployed, changed and taken down without the balancer."""

from dataclasses import replace

import pytest
from tests.unit.controller.site import KIM, QUICK, Site, within

from crossfade.controller.order import Shell
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.release import Outcome
from crossfade.core.service import HealthCheck, Service

MAILER = Service(
    app="shop",
    name="mailer",
    kind="worker",
    source="/src/one",
    command="work",
    replicas=2,
    health=HealthCheck(after=0.0),
    drain=0.0,
    strategy=QUICK,
)


async def test_a_worker_comes_and_goes_without_the_balancer(site: Site) -> None:
    """Two releases and its end: instances come and go, and no routing is ever made."""
    async with site.controller() as control:
        await control.deploy(MAILER)
        loop = await control.deploy(replace(MAILER, env=(("COLOUR", "blue"),)))
        assert (loop.ledger.current, site.running(MAILER.key)) == (2, {2: 2})
        assert "routed" not in site.kinds(MAILER.key)
        await within(control.orders.down("shop", None, KIM))
        assert (site.running(MAILER.key), site.platform.exposed) == ({}, {})


async def test_a_rollback_leaves_the_release_for_bad(site: Site) -> None:
    """Of a service that is recreated too, whose rollback recreates."""
    async with site.controller() as control:
        alone = replace(MAILER, replicas=1, strategy=replace(QUICK, name="recreate"))
        await control.deploy(alone)
        loop = await control.deploy(replace(alone, env=(("COLOUR", "blue"),)))
        rollout = await control.orders.rollback(loop, "previous", KIM)
        await within(loop.until(lambda loop: loop.ledger.active is None))
        assert (rollout.strategy.name, loop.ledger.current) == ("recreate", 1)
        assert loop.ledger.release(2).outcome is Outcome.BAD


async def test_a_service_does_not_change_its_kind_while_it_runs(site: Site) -> None:
    """Traffic cannot be led from or to a worker; after `down` the name is free."""
    async with site.controller() as control:
        await control.deploy(MAILER)
        web = replace(MAILER, kind="web", health=HealthCheck())
        with pytest.raises(RefusedError, match="shop/mailer runs as a worker and is to be a web service"):
            await control.orders.deploy([web], KIM, Shell())
        assert site.running(MAILER.key) == {1: 2}
        await within(control.orders.down("shop", None, KIM))
        await control.deploy(web)
        assert site.serves(MAILER.key) == 2


async def test_workers_that_no_journal_knows_are_taken_over(site: Site) -> None:
    """They carry their mark; the release that has most of them is the one they are at."""
    async with site.controller() as control:
        await control.deploy(MAILER)
    site.lose_the_journal()
    async with site.controller() as control:
        ledger = control.registry.loops[MAILER.key].ledger
        assert (ledger.current, ledger.kind) == (1, "worker")
        assert site.running(MAILER.key) == {1: 2}


async def test_a_command_of_a_person_gets_what_an_instance_has(site: Site) -> None:
    """Who ran one is on record, and not what they typed; beside an instance it is as that."""
    async with site.controller() as control:
        loop = await control.deploy(MAILER)
        instance = loop.fleet.instances[0].id
        seat = await control.orders.visits.run(loop, ["psql", "-W", "hunter2"], "kim", interactive=False)
        beside = await control.orders.visits.enter(instance, ["sh"], "kim", interactive=True)
        assert (seat.env["CROSSFADE_RELEASE"], beside.env["CROSSFADE_INSTANCE"]) == ("1", instance)
        told = [event.data for event in control.told if event.kind == "command run"]
        assert [(data["by"], data["release"], data["instance"]) for data in told] == [
            ("kim", 1, ""),
            ("kim", 1, instance),
        ]
        assert "hunter2" not in str(site.journal.events)
        with pytest.raises(WrongInputError, match="no instance nobody"):
            await control.orders.visits.enter("nobody", ["sh"], "kim", interactive=False)
        with pytest.raises(WrongInputError) as service_named:
            await control.orders.visits.enter(loop.key.partition("/")[2], ["sh"], "kim", interactive=False)
        assert service_named.value.way_out.startswith("name one of its instances: ")
        assert instance in service_named.value.way_out
