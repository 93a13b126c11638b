"""The journal that the engine writes, and the fence around what it does.

Every adapter passes the contract suite in `tests/contract/test_journals.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from crossfade.core.errors import RefusedError, StaleTokenError

RESTORE = "restore it from a backup, or move it away and deploy again"  # a journal that is damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal. `seq` and `at` are given by the journal; `rollout` 0 is none; `data` is JSON."""

    kind: str
    service: str
    rollout: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may act on a service, and the token that proves it. Times are by the journal's clock.

    `expires` is for the holder, who renews it before; nobody else judges by it (see `Journal.acquire`).
    """

    service: str
    holder: str
    token: int
    since: float
    expires: float
    vacant_since: float = 0.0  # when it was last renewed before this holder got it: nobody worked since then


class Waiting:
    """Leases of others that one waits for: how each was seen last, and since when by one's own clock."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, float]] = {}

    def has_lapsed(self, service: str, seen: object, now: float, ttl: float) -> bool:
        """It has looked the same for `ttl` seconds in which we looked: nobody renewed it."""
        known, since = self._seen.get(service, (seen, now))
        if known != seen:
            since = now
        self._seen[service] = (seen, since)
        return now - since >= ttl

    def over(self, service: str) -> None:
        """One waits no more."""
        self._seen.pop(service, None)


class HeldError(RefusedError):
    """Somebody else has the lease."""

    def __init__(self, held: Lease, ttl: float) -> None:
        super().__init__(
            f"{held.service} has been held by {held.holder} since {_clock_face(held.since)}",
            f"wait until it is done; a holder that died loses the lease once it was not renewed for {ttl:g} s",
        )
        self.held = held


def stale(service: str, token: int, held: Lease | None) -> StaleTokenError:
    """The refusal of `token`; `held` is the newest lease, if there ever was one."""
    if held is None:
        return StaleTokenError(f"no lease was ever granted on {service}, so token {token} proves nothing")
    return StaleTokenError(
        f"{held.holder} took over {service} at {_clock_face(held.since)} (token {held.token}; ours is {token})",
        f"see what it does with: crossfade status {service.partition('/')[2]}",
    )


def _clock_face(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


class Journal(Protocol):
    """Append-only record of everything; state is a fold of it. The lines of one service are numbered as written."""

    @property
    def called(self) -> str:
        """What messages call it: the path of a file, a table."""
        ...

    async def append(self, event: Event, token: int) -> Event:
        """Write durably and return it with seq and time; StaleTokenError when `token` is not the service's newest."""
        ...

    async def read(
        self,
        *,
        after: int = 0,
        service: str | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> Sequence[Event]:
        """Events with seq > `after`, oldest first; of these kinds only when some are named.

        Of more than `limit` the oldest ones, or with `newest` those.
        """
        ...

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        """Take the lease, or keep it when `holder` has it; RefusedError names another holder and since when.

        One that was given back is free at once. Another's can be taken when it was not renewed for `ttl` seconds of the
        caller's own clock, in which the caller has asked again and again: clocks of two machines are never compared.
        A new holder gets a token higher than any before. Taking it is no work yet: it expires as if it had last been
        renewed by the one before, so that who dies before its first `renew` leaves the same `vacant_since` behind.
        """
        ...

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        """Move the expiry on; StaleTokenError when somebody else took it."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back; nothing happens when it is no longer held."""
        ...

    async def token(self, service: str) -> int:
        """The newest token granted for the service, 0 when none: adapters compare theirs with it."""
        ...

    async def lease(self, service: str) -> Lease | None:
        """The lease as it stands, whether its holder lives or not; None when nobody has it."""
        ...

    async def close(self) -> None: ...


class Fence(Protocol):
    """The fence of tokens, which adapters ask before they act."""

    async def check(self, service: str, token: int) -> None:
        """StaleTokenError when a newer token was granted."""
        ...
