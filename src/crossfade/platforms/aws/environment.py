"""An environment on AWS as a process works with it: this module alone makes its clients, adapters and journal."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from crossfade.aws.places import Places
from crossfade.core.errors import WrongInputError
from crossfade.core.service import SITE, HealthCheck
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import RemoteEnvironment, World
from crossfade.platforms.aws.adapters import Adapters, Timing
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.journal import DynamoJournal
from crossfade.platforms.aws.letters import DynamoLetters
from crossfade.platforms.aws.table import Table
from crossfade.platforms.local.probes import HttpProbe

PACE, FASTEST = "CROSSFADE_AWS_PACE", 100.0


@asynccontextmanager
async def environment(
    app: str,
    name: str,
    *,
    region: str,
    account: str | None = None,
    told: Callable[[Event], None],
    compute: str = "fargate",
    host: str = "",
    log_group: str | None = None,
    revision: Mapping[str, str] | None = None,
) -> AsyncIterator[RemoteEnvironment]:
    """Open environment `name` of an app. Raises what AWS says when it cannot be: no credentials, no table, no way.

    `account` is whose it is, where the file says so.
    `host` is the name that its load balancer's certificate is for, which need not lead there yet.

    Time is AWS's, asked once: whoever goes on with a rollout counts its bake as who began it did.
    """
    places, home = Places(app, name), f"{app}@{name}"
    clients, reached_at = Clients(region, account=account), dict[str, str]()
    visitor = HttpProbe(reached_at=reached_at)
    try:
        table = Table(clients, places.journal, home)
        shown = await table.time()
        clock = SystemClock(wall=lambda: shown)
        journal = DynamoJournal(table, clock)
        newest = await journal.read(limit=1, newest=True)
        clock.not_before(newest[0].at if newest else 0.0)
        timing = Timing().faster(pace())
        made = Adapters(
            clients,
            places,
            journal,
            clock,
            timing,
            compute=compute,
            host=host,
            reached_at=reached_at,
            log_group=log_group,
            revision=revision,
        )
        world = World(
            journal=journal,
            runtimes={made.kind: made.runtime, SITE: made.site},
            sizers={made.kind: made.runtime, SITE: made.site},
            schedules=made.schedules,
            balancer=made.balancer,
            ask=_not_asked,
            visit=visitor.visit,
            clock=clock,
            secrets=made.secrets.of,
            told=told,
            pace=made.timing.pace,
        )
        yield RemoteEnvironment(
            home=home, world=world, secrets=made.secrets, letters=DynamoLetters(table), kept=made.pins.current
        )
        await made.runtime.close()
    finally:
        await visitor.close()
        await clients.close()


def pace() -> float:
    """How many times faster than AWS an emulator is that stands in for it."""
    said = os.environ.get(PACE, "1")
    try:
        pace = float(said)
    except ValueError:
        pace = 0.0
    if not 1 <= pace <= FASTEST:
        raise WrongInputError(
            f'{PACE}: found "{said}"', f"a number from 1 to {FASTEST:g}: how much faster than AWS it is"
        )
    return pace


async def _not_asked(_: str, __: HealthCheck) -> str:
    """The load balancer checks its targets, which nobody reaches from outside."""
    return "it is checked by the load balancer"
