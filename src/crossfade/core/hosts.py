"""A release on its way over hosts: which ones have it, which had what before, and which way the journey goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.core.rollout import State

Releases = Mapping[str, int | None]
"""By service, the number of the release that runs on a host; None where nothing of it does."""


class HostPhase(StrEnum):
    """How far one host is."""

    WAITING = "waiting"  # untouched
    BEGUN = "begun"  # told to change; how that ended is not on record
    DONE = "done"  # it has the release, and answers
    FAILED = "failed"  # it could not take it, or does not answer with it
    BACK = "back"  # it runs what it ran before
    LOST = "lost"  # it is to go back, and could not be told


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStage:
    """One host of the journey. `before` and `after` are what ran there; `why` says how it failed or was lost."""

    name: str
    stage: HostPhase = HostPhase.WAITING
    before: Releases = field(default_factory=dict)
    after: Releases = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsRollout:
    """One journey over hosts, in the order in which they are reached.

    `what` tells two deploys apart: files, settings and order of services. With `to`, a rollback, it is the number of
    the journey whose releases come back. `reason` is why it goes back; empty while it goes on.
    """

    id: int
    hosts: tuple[HostStage, ...]
    what: str
    version: str = ""
    to: int | None = None
    by: str = ""
    started_at: float = 0.0
    state: State = State.RUNNING
    ending: State = State.ROLLED_BACK
    reason: str = ""
    finished_at: float | None = None

    def host(self, name: str) -> HostStage:
        """KeyError for one that is not on this journey."""
        return {host.name: host for host in self.hosts}[name]

    @property
    def changed(self) -> bool:
        """Some host runs something else than before."""
        return any(host.after and host.after != host.before for host in self.hosts)

    def reached(self, stage: HostPhase) -> list[str]:
        """Names of the hosts at a stage."""
        return [host.name for host in self.hosts if host.stage is stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsLedger:
    """All journeys of one environment, oldest first. `down` is how many there were when the app was taken down."""

    rollouts: tuple[HostsRollout, ...] = ()
    down: int = 0

    @property
    def active(self) -> HostsRollout | None:
        """The one that is under way, or was left."""
        newest = self.rollouts[-1] if self.rollouts else None
        return newest if newest and not newest.state.terminal else None

    @property
    def good(self) -> tuple[HostsRollout, ...]:
        """Deploys that arrived everywhere: the releases that can come back."""
        return tuple(one for one in self.rollouts if one.state is State.SUCCEEDED and one.to is None and one.changed)

    @property
    def current(self) -> int | None:
        """The number of the deploy whose release runs; None before the first good one, and once it was taken down."""
        arrived = [
            one for one in self.rollouts[self.down :] if one.state is State.SUCCEEDED and (one.changed or one.to)
        ]
        if not arrived:
            return None
        return arrived[-1].id if arrived[-1].to is None else arrived[-1].to

    @property
    def previous(self) -> HostsRollout | None:
        """Where a bare rollback goes: the last good release before the one that runs."""
        current = self.current
        earlier = [one for one in self.good if current is not None and one.id < current]
        return earlier[-1] if earlier else None
