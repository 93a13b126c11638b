"""A migration that changed nothing is none: what a command writes before and after it is compared."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.controller.site import KIM, Control, Site, service, within

from crossfade.core.errors import RefusedError
from crossfade.core.service import Hooks, Service
from crossfade.engine.dry.behaviour import Behaviour

HOOKS = Hooks(migrate="./migrate", schema="./schema")


def migrating(site: Site, *changes: bool) -> Service:
    """A service whose n-th migration changes the schema, or does not; the schema command says what was done so far."""
    done: list[bool] = []

    def migrate(_: Any) -> list[str]:
        done.append(changes[len(done)])
        return ["done"]

    site.programs = {"./migrate": Behaviour(says=migrate), "./schema": Behaviour(says=lambda _: [str(sum(done))])}
    return service(hooks=HOOKS)


async def released(control: Control, web: Service, times: int) -> Any:
    for n in range(times):
        loop = await control.deploy(replace(web, env=(("N", str(n)),)))
    return loop


async def test_a_migration_that_changed_nothing_lets_a_rollback_past(site: Site) -> None:
    """The first made the tables; the next two found nothing to do."""
    async with site.controller() as control:
        loop = await released(control, migrating(site, True, False, False), 3)
        assert [release.migrated for release in loop.ledger.releases] == [True, False, False]
        await control.orders.rollback(loop, "1", KIM)
        await within(loop.until(lambda loop: loop.ledger.active is None))
        assert loop.ledger.current == 1


async def test_one_that_moved_the_schema_does_not(site: Site) -> None:
    """From before it to after it, and not between those after it."""
    async with site.controller() as control:
        loop = await released(control, migrating(site, False, True, False), 3)
        assert [release.migrated for release in loop.ledger.releases] == [False, True, False]
        with pytest.raises(RefusedError, match=r"release 2 .* migrated the database"):
            await control.orders.rollback(loop, "1", KIM)
        await control.orders.rollback(loop, "2", KIM)


async def test_where_the_command_cannot_say_everything_may_have_changed(site: Site) -> None:
    """It is told, and the release counts as one that migrated."""
    async with site.controller() as control:
        web = migrating(site, False)
        site.programs["./schema"] = Behaviour(says=lambda _: ["no such table"], code=1)
        loop = await released(control, web, 1)
        assert loop.ledger.releases[0].migrated
        assert any("no such table" in event.data.get("error", "") for event in control.told)
