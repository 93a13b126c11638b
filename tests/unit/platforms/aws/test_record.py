"""The record of what is done over hosts, and the lease on it."""

from typing import Any, cast

from tests.adapters.until import until

from crossfade.engine.ports.journal import Lease
from crossfade.platforms.aws.servers.record import HolderRecord


class Failing:
    """A journal whose lease cannot be renewed, for a reason that nobody thought of."""

    def __init__(self) -> None:
        self.renewals = 0
        self.released: list[Lease] = []

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        return Lease(service=service, holder=holder, token=1, since=0.0, expires=ttl)

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        self.renewals += 1
        raise RuntimeError("unexpected")

    async def release(self, lease: Lease) -> None:
        self.released.append(lease)

    async def read(self, **_: Any) -> list[Any]:
        return []


async def test_the_lease_is_given_back_however_its_renewal_ended() -> None:
    """Nobody else would get in for a minute, and the command that is over would end with a traceback."""
    journal = Failing()
    record = HolderRecord(cast("Any", journal), "me", 0.01)
    await record.take()
    await until(lambda: journal.renewals, 60)
    await record.leave()
    assert [one.token for one in journal.released] == [1]
