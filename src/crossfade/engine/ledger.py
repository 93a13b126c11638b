"""The ledger of a service: its releases and what runs, folded from the journal's events and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.core.fleet import Exit
from crossfade.core.job import Job, Run, Timetable
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.routing import Routing
from crossfade.core.service import Kind, Names
from crossfade.core.wire import decode
from crossfade.strategies.next import Facts, Kept, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A person forbade rollouts of the service."""

    by: str
    since: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A finished rollout with its proof as JSON (see `Proof`)."""

    rollout: Rollout
    proof: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything on record of one service. `rollout` is the newest one, finished or not.

    `seq` is the journal's line that was folded last; what comes after it is not in here yet.
    """

    service: str
    releases: tuple[Release, ...] = ()
    current: int | None = None
    replicas: int | None = None
    warm: Mapping[int, float] = field(default_factory=dict)  # release -> kept ready until
    rollout: Rollout | None = None
    rollouts: int = 0
    began: int = 0  # the journal's line on which `rollout` began
    recording: bool = False  # its record is open: the last request it moved has not ended yet
    records: tuple[Record, ...] = ()  # finished rollouts, oldest first
    exits: tuple[Exit, ...] = ()
    draining: Mapping[str, float] = field(default_factory=dict)  # instance -> since
    unshared: Mapping[int, float] = field(default_factory=dict)  # release -> since when it is kept without a share
    tags: Mapping[str, int] = field(default_factory=dict)
    freeze: Freeze | None = None
    removed_artifacts: frozenset[int] = frozenset()
    removed: bool = False
    outdated: frozenset[str] = frozenset()  # instances that a restart replaces
    jobs: Mapping[str, Timetable] = field(default_factory=dict)  # by name, those that were ever scheduled
    refused: Refused = field(default_factory=Refused)  # routings in a row
    seq: int = 0

    def release(self, number: int) -> Release:
        return next(r for r in reversed(self.releases) if r.number == number)

    @property
    def next_number(self) -> int:
        """What the next release is called by."""
        return max((r.number for r in self.releases), default=0) + 1

    def rollout_to(self, release: Release, by: str = "", now: float = 0.0) -> Rollout:
        """The journey from what runs to `release`, as it begins."""
        service = release.service
        hooks = {Hook.MIGRATE: service.hooks.migrate, Hook.SMOKE: service.hooks.smoke}
        return Rollout(
            id=self.rollouts + 1,
            service=self.service,
            source=self.current,
            target=release.number,
            strategy=service.strategy,
            replicas=service.replicas if self.replicas is None else self.replicas,
            source_replicas=self.wanted if self.current is not None else None,
            drain=service.drain,
            kind=service.kind,
            pins=service.pins,
            by=by,
            started_at=now,
            hooks=tuple(hook for hook, command in hooks.items() if command),
            step_since=now,
        )

    @property
    def facts(self) -> Facts:
        """What the next step is decided by."""
        if self.active:
            return Facts(rollout=self.active, refused=self.refused)
        if not self.releases:
            return Facts()
        at = self.releases[-1] if self.current is None else self.release(self.current)
        kept = Kept(
            current=self.current,
            replicas=self.wanted,
            strategy=at.service.strategy,
            drain=at.service.drain,
            warm=self.warm,
            kind=at.service.kind,
            pins=at.service.pins,
        )
        return Facts(kept=kept)

    @property
    def kind(self) -> Kind:
        """What the service is. It changes only while nothing of it runs."""
        return self.releases[-1].service.kind if self.releases else "web"

    @property
    def active(self) -> Rollout | None:
        """The rollout under way."""
        return None if self.rollout is None or self.rollout.state.terminal else self.rollout

    @property
    def goes_on(self) -> bool:
        """The rollout under way leads to a release of which nobody knows yet whether it is good."""
        return self.active is not None and self.active.state is State.RUNNING and not self.active.back

    @property
    def wanted(self) -> int:
        """Instances the service is to have: as scaled, else as the current release's file says."""
        if self.replicas is not None:
            return self.replicas
        return self.release(self.current).service.replicas if self.current is not None else 0

    @property
    def scheduled(self) -> tuple[Job, ...]:
        """The jobs of the release that runs."""
        return () if self.current is None else self.release(self.current).service.jobs

    @property
    def runs(self) -> tuple[Run, ...]:
        """Runs of jobs that are under way."""
        return tuple(known.run for known in self.jobs.values() if known.run and known.run.under_way)

    @property
    def previous(self) -> Release | None:
        """The newest good release that is not the current one and still has its files: where a bare rollback goes."""
        gone = {self.current, *self.removed_artifacts}
        good = [r for r in self.releases if r.outcome is Outcome.GOOD and r.number not in gone]
        return max(good, key=lambda r: r.number, default=None)

    def stand_in(self, routing: Routing) -> int | None:
        """The release that answers between rollouts in place of the current one; None while that answers, or nobody."""
        if self.active or self.current is None or routing.weight(self.current):
            return None
        return max(dict(routing.weights), default=None)

    def select(self, word: str) -> Release:
        """The release a user means by `word`: latest, previous, a number, sha-…, a tag or a version label."""
        found = self._find(word)
        if found is None:
            known = ", ".join(f"{r.number} ({r.version})" for r in self.releases[-5:]) or "none yet"
            raise WrongInputError(
                f"{self.service} has no release '{word}'",
                f"its newest releases are: {known}; `crossfade releases` lists all, or use latest, previous or sha-…",
            )
        return found

    def _find(self, word: str) -> Release | None:
        if word == "previous":
            return self.previous
        if word == "latest":
            good = [r for r in self.releases if r.outcome is Outcome.GOOD]
            return good[-1] if good else None
        if word in self.tags:
            return self.release(self.tags[word])
        sha = word.removeprefix("sha-")
        for release in reversed(self.releases):
            if word in {str(release.number), release.version}:
                return release
            if word != sha and release.git_sha.startswith(sha):
                return release
        return None

    def discarded(self) -> tuple[Release, ...]:
        """Releases whose artifact nobody needs any more: not retained, nor sharing it with one that is."""
        kept = self.retained()
        there = [r for r in self.releases if r.number not in self.removed_artifacts]  # a few; of all, thousands
        needed = {(r.service.runtime, r.digest) for r in there if r.number in kept}
        return tuple(r for r in there if (r.service.runtime, r.digest) not in needed)

    def retained(self) -> frozenset[int]:
        """Releases that must keep their artifact: current, warm, under way, tagged, previous, and the newest few.

        The newest few good ones, whatever came after them; and the newest few of any outcome, since a release that
        was rolled back by mistake can be brought back.
        """
        keep = {self.current, *self.warm, *self.tags.values()}
        if self.active:
            keep |= set(self.active.releases)
        if self.previous:
            keep.add(self.previous.number)
        retain = max(1, self.releases[-1].service.retain if self.releases else 1)
        good = [r.number for r in self.releases if r.outcome is Outcome.GOOD]
        keep |= {*good[-retain:], *(r.number for r in self.releases[-retain:])}
        return frozenset(n for n in keep if n is not None)


def read_release(data: Mapping[str, Any]) -> Release:
    """A release from a line of the journal; the names of the app's services are one object for all that have the same.

    Of 500 services each has all 500: ten releases of each would be two and a half million of them.
    """
    release = decode(Release, data)
    if not release.service.names.peers:
        return release
    names = _one(release.service.names)
    if names is release.service.names:
        return release
    return replace(release, service=replace(release.service, names=names))


@lru_cache(maxsize=64)
def _one(names: Names) -> Names:
    return names
