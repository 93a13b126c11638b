"""An environment on AWS as a process works with it: this module alone makes its clients, adapters and journal."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from crossfade.aws.places import Places
from crossfade.core.service import HealthCheck
from crossfade.engine.clock import SystemClock
from crossfade.engine.journal import Event
from crossfade.engine.world import Environment, World
from crossfade.platforms.aws.adapters import Adapters, Timing
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.journal import DynamoJournal
from crossfade.platforms.aws.letters import DynamoLetters
from crossfade.platforms.aws.table import Table
from crossfade.platforms.local.probes import HttpProbe


@asynccontextmanager
async def environment(
    app: str, name: str, *, region: str, told: Callable[[Event], None], timing: Timing | None = None
) -> AsyncIterator[Environment]:
    """Open environment `name` of an app. Raises what AWS says when it cannot be: no credentials, no table, no way.

    Time is AWS's, asked once: whoever goes on with a rollout counts its bake as who began it did.
    """
    places, home = Places(app, name), f"{app}@{name}"
    clients, visitor = Clients(region), HttpProbe()
    try:
        table = Table(clients, places.journal, home)
        shown = await table.time()
        clock = SystemClock(wall=lambda: shown)
        journal = DynamoJournal(table, clock)
        newest = await journal.read(limit=1, newest=True)
        clock.not_before(newest[0].at if newest else 0.0)
        made = Adapters(clients, places, journal, clock, timing)
        world = World(
            journal=journal,
            runtimes={"ecs": made.runtime},
            sizers={"ecs": made.runtime},
            balancer=made.balancer,
            ask=_not_asked,
            visit=visitor.visit,
            clock=clock,
            secrets=made.secrets.of,
            told=told,
            pace=made.timing.pace,
        )
        yield Environment(
            home=home, world=world, secrets=made.secrets, letters=DynamoLetters(table), kept=made.pins.current
        )
    finally:
        await visitor.close()
        await clients.close()


async def _not_asked(_: str, __: HealthCheck) -> str:
    """The load balancer checks its targets, which nobody reaches from outside."""
    return "it is checked by the load balancer"
