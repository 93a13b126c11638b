"""What a platform says of a release that cannot come up counts, whoever was away when it happened."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tests.unit.engine.in_cloud import InCloud
from tests.unit.engine.test_loop import SERVICE

from crossfade.core.fleet import Health
from crossfade.core.release import Outcome
from crossfade.core.service import RollbackOn
from crossfade.engine.dry.cloud import CloudRuntime
from crossfade.engine.ports.runtime import Running

AWAY = 300.0  # seconds in which nobody looks


class Refusing(CloudRuntime):
    """Instances begin, then nobody looks for minutes, and at the next look each of them has ended."""

    ended, final = False, True

    async def tend(self, service: str, token: int) -> None:
        await super().tend(service, token)
        if not self.ended and await super().instances(service):
            await asyncio.sleep(AWAY)
            self.ended = True

    async def instances(self, service: str) -> Sequence[Running]:
        found = await super().instances(service)
        if self.ended:
            return [replace(one, exited=True, final=self.final, detail="ValidateService failed") for one in found]
        return [replace(one, health=Health.STARTING) for one in found]


def test_a_release_that_could_not_come_up_while_nobody_looked_is_bad() -> None:
    """Another instance of it would end the same way."""
    here = InCloud(Refusing, timeout=600.0)
    here.deploy()
    rollout = here.loop.ledger.records[-1].rollout
    assert "ValidateService failed" in rollout.reason
    assert here.loop.ledger.releases[0].outcome is Outcome.BAD


class Ending(Refusing):
    """What began after them may do better."""

    final = False


def test_a_release_that_ended_while_nobody_looked_is_bad_where_the_platform_says_how() -> None:
    """As often as is too often, by its own fault: on a machine without time each look is the first after a gap."""
    rules = RollbackOn(min_requests=0, crash_loop=2)
    here = InCloud(Ending, timeout=600.0, strategy=replace(SERVICE.strategy, rollback_on=rules))
    here.deploy()
    rollout = here.loop.ledger.records[-1].rollout
    assert "exited 2 times while starting" in rollout.reason
    assert here.loop.ledger.releases[0].outcome is Outcome.BAD
