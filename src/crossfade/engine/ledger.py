"""The ledger of a service: its releases and what runs, folded from the journal's events and from nothing else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crossfade.core.actions import Finish, Move
from crossfade.core.counters import Counters
from crossfade.core.errors import WrongInputError
from crossfade.core.fleet import Exit
from crossfade.core.moves import abort, apply, hook_ended, pause, promote, resume
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.wire import decode, decode_action
from crossfade.engine.ports import Event

EXITS_KEPT = 50  # more than any back-off or verdict looks at
RECORDS_KEPT = 100  # older ones stay in the journal


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
    """Everything on record of one service. `rollout` is the newest one, finished or not."""

    service: str
    releases: tuple[Release, ...] = ()
    current: int | None = None
    replicas: int | None = None
    warm: Mapping[int, float] = field(default_factory=dict)  # release -> kept ready until
    rollout: Rollout | None = None
    rollouts: int = 0
    began: int = 0  # the journal's line on which `rollout` began
    records: tuple[Record, ...] = ()  # finished rollouts, oldest first
    exits: tuple[Exit, ...] = ()
    draining: Mapping[str, float] = field(default_factory=dict)  # instance -> since
    tags: Mapping[str, int] = field(default_factory=dict)
    freeze: Freeze | None = None
    removed_artifacts: frozenset[int] = frozenset()
    removed: bool = False

    def release(self, number: int) -> Release:
        return next(r for r in self.releases if r.number == number)

    @property
    def active(self) -> Rollout | None:
        """The rollout under way."""
        return None if self.rollout is None or self.rollout.state.terminal else self.rollout

    @property
    def wanted(self) -> int:
        """Instances the service is to have: as scaled, else as the current release's file says."""
        if self.replicas is not None:
            return self.replicas
        return self.release(self.current).service.replicas if self.current is not None else 0

    @property
    def previous(self) -> Release | None:
        """The newest good release that is not the current one and still has its files: where a bare rollback goes."""
        gone = {self.current, *self.removed_artifacts}
        good = [r for r in self.releases if r.outcome is Outcome.GOOD and r.number not in gone]
        return max(good, key=lambda r: r.number, default=None)

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
        needed = {(r.service.runtime, r.digest) for r in self.releases if r.number in kept}
        return tuple(
            r
            for r in self.releases
            if r.number not in self.removed_artifacts and (r.service.runtime, r.digest) not in needed
        )

    def retained(self) -> frozenset[int]:
        """Releases that must keep their artifact: current, warm, under way, tagged, previous, and the newest few.

        The newest few good ones, whatever came after them; and the newest few of any outcome, since a release that
        was rolled back by mistake is to be had again.
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


def fold(events: Iterable[Event]) -> dict[str, Ledger]:
    """All services' ledgers, by `app/service`."""
    ledgers: dict[str, Ledger] = {}
    for event in events:
        ledgers[event.service] = advance(ledgers.get(event.service, Ledger(service=event.service)), event)
    return ledgers


def advance(ledger: Ledger, event: Event) -> Ledger:
    """The ledger after one more event; kinds that only tell leave it as it is."""
    rule = _RULES.get(event.kind)
    return ledger if rule is None else rule(ledger, event)


def _created(ledger: Ledger, event: Event) -> Ledger:
    release = decode(Release, event.data["release"])
    return replace(ledger, releases=(*ledger.releases, replace(release, at=event.at)), removed=False)


def _tagged(ledger: Ledger, event: Event) -> Ledger:
    return replace(ledger, tags={**ledger.tags, event.data["tag"]: event.data["release"]})


def _started(ledger: Ledger, event: Event) -> Ledger:
    rollout = decode(Rollout, event.data["rollout"])
    return replace(ledger, rollout=rollout, rollouts=max(ledger.rollouts, rollout.id), began=event.seq, removed=False)


def _moved(ledger: Ledger, event: Event) -> Ledger:
    if ledger.rollout is None:
        return ledger
    move: Move = decode_action(event.data["action"])  # type: ignore[assignment]  # only moves are written as moves
    counters = tuple((release, decode(Counters, c)) for release, c in event.data.get("counters", ()))
    ledger = replace(ledger, rollout=apply(ledger.rollout, move, counters, event.at))
    if not isinstance(move, Finish) or ledger.rollout is None:
        return ledger
    record = Record(rollout=ledger.rollout, proof=event.data.get("proof", {}))
    ledger = replace(ledger, records=(*ledger.records, record)[-RECORDS_KEPT:])
    return _finished(ledger, record.rollout, event.at)


def _finished(ledger: Ledger, rollout: Rollout, now: float) -> Ledger:
    """What a rollout's end means for its releases: only success makes one good, and an abort does not make it bad."""
    outcomes: dict[int, tuple[Outcome, str]] = {}
    current = ledger.current
    warm: dict[int, float] = {}  # a rollout has no room for older standbys: it sent them home when it began
    if rollout.state is State.SUCCEEDED:
        current = rollout.target
        outcomes[rollout.target] = (Outcome.GOOD, "")
        if rollout.source is not None and rollout.strategy.name == "rollback":
            outcomes[rollout.source] = (Outcome.BAD, f"rolled back by {rollout.by or 'a person'}")
        elif rollout.source is not None and rollout.strategy.keep_previous and rollout.strategy.name in _STANDBY:
            warm[rollout.source] = now + rollout.strategy.keep_previous
    elif ledger.release(rollout.target).outcome is not Outcome.GOOD:
        bad = Outcome.ABORTED if rollout.ending is State.ABORTED else Outcome.BAD
        outcomes[rollout.target] = (bad, rollout.reason)
    releases = tuple(
        replace(r, outcome=outcomes[r.number][0], why=outcomes[r.number][1]) if r.number in outcomes else r
        for r in ledger.releases
    )
    return replace(ledger, releases=releases, current=current, warm=warm)


_STANDBY = {"blue-green", "canary", "linear"}


def _hooked(ledger: Ledger, event: Event) -> Ledger:
    if ledger.rollout is None:
        return ledger
    hook, complaint, target = Hook(event.data["hook"]), event.data["complaint"], ledger.rollout.target
    releases = ledger.releases
    if hook is Hook.MIGRATE and not complaint:
        schema = str(event.data.get("schema", ""))
        releases = tuple(replace(r, migrated=True, schema=schema) if r.number == target else r for r in releases)
    return replace(ledger, releases=releases, rollout=hook_ended(ledger.rollout, hook, complaint, event.at))


def _adopted(ledger: Ledger, event: Event) -> Ledger:
    """Found running by the marks it carries: what it serves is good, and its numbers go on from there."""
    found = [replace(decode(Release, data), at=event.at) for data in event.data["releases"]]
    current = event.data["current"]
    releases = tuple(replace(r, outcome=Outcome.GOOD if r.number == current else r.outcome) for r in found)
    return replace(ledger, releases=releases, current=current, removed=False)


def _routed(ledger: Ledger, event: Event) -> Ledger:
    return replace(ledger, draining={**event.data["draining"]})


def _exited(ledger: Ledger, event: Event) -> Ledger:
    entry = decode(Exit, {**event.data, "at": event.at})
    return replace(ledger, exits=(*ledger.exits, entry)[-EXITS_KEPT:])


def _on_rollout(change: Callable[[Rollout, Event], Rollout]) -> Callable[[Ledger, Event], Ledger]:
    def rule(ledger: Ledger, event: Event) -> Ledger:
        return ledger if ledger.rollout is None else replace(ledger, rollout=change(ledger.rollout, event))

    return rule


def _discarded(ledger: Ledger, event: Event) -> Ledger:
    return replace(ledger, removed_artifacts=ledger.removed_artifacts | {event.data["release"]})


def _scaled(ledger: Ledger, event: Event) -> Ledger:
    return replace(ledger, replicas=event.data["replicas"])


def _frozen(ledger: Ledger, event: Event) -> Ledger:
    return replace(ledger, freeze=Freeze(by=event.data["by"], since=event.at, reason=event.data["reason"]))


def _thawed(ledger: Ledger, _: Event) -> Ledger:
    return replace(ledger, freeze=None)


def _removed(ledger: Ledger, _: Event) -> Ledger:
    return replace(ledger, current=None, warm={}, draining={}, replicas=None, removed=True)


_RULES: dict[str, Callable[[Ledger, Event], Ledger]] = {
    "release created": _created,
    "release tagged": _tagged,
    "rollout started": _started,
    "move": _moved,
    "hook ended": _hooked,
    "routed": _routed,
    "instance exited": _exited,
    "rollout paused": _on_rollout(lambda rollout, _: pause(rollout)),
    "rollout resumed": _on_rollout(lambda rollout, event: resume(rollout, event.at)),
    "rollout promoted": _on_rollout(lambda rollout, _: promote(rollout)),
    "rollout aborted": _on_rollout(lambda rollout, event: abort(rollout, event.data["reason"], event.at)),
    "artifact removed": _discarded,
    "service scaled": _scaled,
    "service locked": _frozen,
    "service unlocked": _thawed,
    "service removed": _removed,
    "service adopted": _adopted,
}
TELLING = frozenset(_RULES)  # the kinds of events that a ledger is made of; the others are for people
