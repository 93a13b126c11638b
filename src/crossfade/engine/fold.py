"""Folding: from the journal's events, one after the other, to the ledgers of all services."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from crossfade.core.actions import Advance, Finish, Move, RollBack
from crossfade.core.counters import Counters
from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Exit
from crossfade.core.job import Run, Timetable
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.service import KEEPING
from crossfade.core.wire import decode, decode_action
from crossfade.engine.ledger import Freeze, Ledger, Record, read_release
from crossfade.engine.ports.journal import RESTORE, Event
from crossfade.strategies.moves import Counted, abort, apply, hook_ended, overslept, pause, promote, resume
from crossfade.strategies.next import Refused

EXITS_KEPT = 50  # more than any back-off or verdict looks at
RECORDS_KEPT = 100  # older ones stay in the journal


def fold(events: Iterable[Event], since: Mapping[str, Ledger] | None = None) -> dict[str, Ledger]:
    """All services' ledgers, by `app/service`; `since` is what all lines before these add up to."""
    drafts = {service: _Draft.of(ledger) for service, ledger in (since or {}).items()}
    for event in events:
        draft = drafts.get(event.service)
        if draft is None:
            draft = drafts[event.service] = _Draft.of(Ledger(service=event.service))
        draft.take(event)
    return {service: draft.ledger() for service, draft in drafts.items()}


def advance(ledger: Ledger, event: Event) -> Ledger:
    """The ledger after one more event; kinds that only tell move it on by their line alone."""
    if event.kind not in TELLING:
        return Ledger(**{**dict(zip(_NAMES, _values(ledger), strict=True)), "seq": max(ledger.seq, event.seq)})
    draft = _Draft.of(ledger)
    draft.take(event)
    return draft.ledger()


_NAMES = tuple(field.name for field in fields(Ledger))
_values = attrgetter(*_NAMES)  # of a ledger or of its draft: both have the same


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A ledger while events are folded into it: 14,000 releases become one table, and not 14,000 tuples.

    The values in it are never changed, only replaced: they may belong to a ledger that somebody reads.
    """

    service: str
    releases: dict[int, Release]
    current: int | None
    replicas: int | None
    warm: Mapping[int, float]
    rollout: Rollout | None
    rollouts: int
    began: int
    recording: bool
    records: list[Record]
    exits: list[Exit]
    draining: Mapping[str, float]
    unshared: Mapping[int, float]
    tags: dict[str, int]
    freeze: Freeze | None
    removed_artifacts: set[int]
    removed: bool
    outdated: frozenset[str]
    jobs: Mapping[str, Timetable]
    refused: Refused
    seq: int

    @classmethod
    def of(cls, ledger: Ledger) -> "_Draft":
        return cls(
            **{
                **dict(zip(_NAMES, _values(ledger), strict=True)),
                "releases": {release.number: release for release in ledger.releases},
                "records": list(ledger.records),
                "exits": list(ledger.exits),
                "tags": dict(ledger.tags),
                "removed_artifacts": set(ledger.removed_artifacts),
            }
        )

    def ledger(self) -> Ledger:
        return Ledger(
            **{
                **dict(zip(_NAMES, _values(self), strict=True)),
                "releases": tuple(self.releases.values()),
                "records": tuple(self.records),
                "exits": tuple(self.exits),
                "removed_artifacts": frozenset(self.removed_artifacts),
            }
        )

    def take(self, event: Event) -> None:
        """PlatformError for a line that lacks what lines of its kind have."""
        rule = _RULES.get(event.kind)
        if rule is not None:
            try:
                rule(self, event)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                line = f"line {event.seq}, `{event.kind}` of {event.service}"
                raise PlatformError(f"the journal is damaged: {line}, cannot be understood", RESTORE) from error
        self.seq = max(self.seq, event.seq)

    def judge(self, release: int, outcome: Outcome, why: str) -> None:
        self.releases[release] = replace(self.releases[release], outcome=outcome, why=why)


def _created(draft: _Draft, event: Event) -> None:
    release = read_release(event.data["release"])
    draft.releases[release.number] = replace(release, at=event.at)
    if draft.removed:  # nobody missed what was to run while it was taken down
        draft.jobs = {name: replace(one, since=max(one.since, event.at)) for name, one in draft.jobs.items()}
    draft.removed = False


def _tagged(draft: _Draft, event: Event) -> None:
    draft.tags[event.data["tag"]] = event.data["release"]


def _started(draft: _Draft, event: Event) -> None:
    rollout = decode(Rollout, event.data["rollout"])
    draft.rollout = replace(rollout, step_since=max(rollout.step_since, event.at))  # its time runs once it is on record
    draft.rollouts = max(draft.rollouts, draft.rollout.id)
    draft.began, draft.recording = event.seq, True
    draft.outdated = frozenset()
    draft.refused = Refused()
    draft.removed = False


def _moved(draft: _Draft, event: Event) -> None:
    if draft.rollout is None:
        return
    move: Move = decode_action(event.data["action"])  # type: ignore[assignment]  # only moves are written as moves
    counters: Counted = ()
    if isinstance(move, Advance):  # the others do not look at them
        counters = tuple((release, decode(Counters, c)) for release, c in event.data.get("counters", ()))
    draft.rollout = apply(draft.rollout, move, counters, event.at)
    if isinstance(move, RollBack):
        draft.refused = Refused()
    if isinstance(move, Finish):
        draft.records.append(Record(rollout=draft.rollout, proof=event.data.get("proof", {})))
        del draft.records[:-RECORDS_KEPT]  # at once: each that is closed later is looked for among them
        draft.recording = event.data.get("open", False)
        _finished(draft, draft.rollout, event.at)


def _finished(draft: _Draft, rollout: Rollout, now: float) -> None:
    """What a rollout's end means for its releases.

    Only success makes one good; an abort, or trouble that was not its own, does not make it bad.
    """
    draft.warm = {}  # a rollout has no room for older standbys: it sent them home when it began
    if rollout.state is State.SUCCEEDED:
        draft.current, draft.outdated = rollout.target, frozenset()  # what a restart left is of the release before
        _keep_timetables(draft)
        draft.judge(rollout.target, Outcome.GOOD, "")
        if rollout.source is not None and (rollout.back or rollout.strategy.name == "rollback"):  # the latter is 0.1's
            draft.judge(rollout.source, *_left(rollout))
        elif rollout.source is not None and rollout.strategy.keep_previous and rollout.strategy.name in KEEPING:
            draft.warm = {rollout.source: now + rollout.strategy.keep_previous}
    elif draft.releases[rollout.target].outcome is not Outcome.GOOD:
        bad = rollout.ending is not State.ABORTED and rollout.blamed
        draft.judge(rollout.target, Outcome.BAD if bad else Outcome.ABORTED, rollout.reason)


def _keep_timetables(draft: _Draft) -> None:
    """A job that the new release does not have, or has otherwise, begins anew should it ever come back."""
    release = draft.releases[draft.current or 0]
    same = {(job.name, job.schedule, job.timezone) for job in release.service.jobs}
    draft.jobs = {
        name: known
        for name, known in draft.jobs.items()
        if (name, known.schedule, known.timezone) in same or (known.run and known.run.under_way)
    }


def _left(rollout: Rollout) -> tuple[Outcome, str]:
    """A release that a person leaves is bad; one that goes back with its group did nothing wrong."""
    if rollout.group:
        return Outcome.ABORTED, f"went back with its {rollout.by}"
    return Outcome.BAD, f"rolled back by {rollout.by or 'a person'}"


def _closed(draft: _Draft, event: Event) -> None:
    """The last old request of a rollout that was over has ended: its record has that too."""
    draft.recording = False
    for place, record in enumerate(draft.records):
        if record.rollout.id == event.data["rollout"]:
            draft.records[place] = replace(record, proof=event.data["proof"])


def _hooked(draft: _Draft, event: Event) -> None:
    if draft.rollout is None:
        return
    hook, complaint, target = Hook(event.data["hook"]), event.data["complaint"], draft.rollout.target
    if hook is Hook.MIGRATE and not complaint:
        schema = str(event.data.get("schema", ""))
        migrated = event.data.get("migrated", True)
        draft.releases[target] = replace(draft.releases[target], migrated=migrated, schema=schema)
    draft.rollout = hook_ended(draft.rollout, hook, complaint, event.at, blame=event.data.get("blame", True))


def _schema_read(draft: _Draft, event: Event) -> None:
    number = event.data["release"]
    draft.releases[number] = replace(draft.releases[number], schema_before=event.data["schema"])


def _adopted(draft: _Draft, event: Event) -> None:
    """Found running by its marks: what it serves is good, its numbers go on, and what was under way is long over."""
    for data in event.data["releases"]:
        _created(draft, replace(event, data={"release": data}))
    draft.current, draft.warm = event.data["current"], {}
    if draft.rollout and not draft.rollout.state.terminal:
        draft.rollout = replace(draft.rollout, state=State.ABORTED, reason="its end was not on record")
    if draft.current is not None:
        draft.judge(draft.current, Outcome.GOOD, "")


def _routed(draft: _Draft, event: Event) -> None:
    draft.draining = {**event.data["draining"]}
    draft.unshared = dict(event.data.get("unshared", ()))
    draft.refused = Refused()


def _failed(draft: _Draft, event: Event) -> None:
    data, shift = event.data, event.data.get("action", {}).get("do") == "Shift"
    if data.get("lasting"):
        why = "; ".join(filter(None, (data["cause"], data["way_out"])))
        draft.refused = Refused(why=why, blame=False, lasting=True)
        if draft.rollout and draft.rollout.state is State.RUNNING:
            draft.rollout = replace(draft.rollout, denied=True)
    elif shift and not draft.refused.lasting:
        blame, why = data.get("blame", True), data.get("cause", data["error"])
        draft.refused = Refused(times=draft.refused.times + 1, why=why, blame=blame)


def _exited(draft: _Draft, event: Event) -> None:
    draft.exits.append(decode(Exit, {**event.data, "at": event.at}))
    del draft.exits[:-EXITS_KEPT]


def _on_rollout(change: Callable[[Rollout, Event], Rollout]) -> Callable[[_Draft, Event], None]:
    def rule(draft: _Draft, event: Event) -> None:
        if draft.rollout is not None:
            draft.rollout = change(draft.rollout, event)

    return rule


def _discarded(draft: _Draft, event: Event) -> None:
    draft.removed_artifacts.add(event.data["release"])


def _scaled(draft: _Draft, event: Event) -> None:
    draft.replicas = event.data["replicas"]


def _restarted(draft: _Draft, event: Event) -> None:
    """These are to be replaced; a second word leaves the rest of them as they are."""
    draft.outdated = frozenset(event.data["instances"])


def _frozen(draft: _Draft, event: Event) -> None:
    draft.freeze = Freeze(by=event.data["by"], since=event.at, reason=event.data["reason"])


def _thawed(draft: _Draft, _: Event) -> None:
    draft.freeze = None


def _scheduled(draft: _Draft, event: Event) -> None:
    """A job's moments count from now on; its run goes on."""
    name, known = event.data["job"], draft.jobs.get(event.data["job"])
    fresh = Timetable(
        schedule=event.data["schedule"],
        timezone=event.data["timezone"],
        since=event.data["since"],
        run=known.run if known else None,
    )
    draft.jobs = {**draft.jobs, name: fresh}


def _begun(draft: _Draft, event: Event) -> None:
    run = replace(decode(Run, event.data["run"]), started_at=event.at)
    known = draft.jobs[run.job]
    draft.jobs = {**draft.jobs, run.job: replace(known, since=max(known.since, run.due), run=run, skipped="")}


def _run_ended(draft: _Draft, event: Event) -> None:
    known = draft.jobs.get(event.data["job"])
    if known is None or known.run is None or known.run.id != event.data["run"]:
        return
    run = replace(known.run, ended_at=event.at, code=event.data["code"], detail=event.data["detail"])
    draft.jobs = {**draft.jobs, run.job: replace(known, run=run)}


def _skipped(draft: _Draft, event: Event) -> None:
    known = draft.jobs[event.data["job"]]
    passed = replace(known, since=max(known.since, event.data["due"]), skipped=event.data["why"])
    draft.jobs = {**draft.jobs, event.data["job"]: passed}


def _removed(draft: _Draft, event: Event) -> None:
    why = event.data.get("taken_back", "")
    if why and draft.current is not None:  # a first release whose group went back
        draft.judge(draft.current, Outcome.ABORTED, why)
    draft.current, draft.warm, draft.draining, draft.unshared = None, {}, {}, {}
    draft.replicas, draft.removed = None, True


_RULES: dict[str, Callable[[_Draft, Event], None]] = {
    "release created": _created,
    "release tagged": _tagged,
    "rollout started": _started,
    "move": _moved,
    "hook ended": _hooked,
    "schema read": _schema_read,
    "routed": _routed,
    "failed": _failed,
    "instance exited": _exited,
    "nobody worked": _on_rollout(lambda rollout, event: overslept(rollout, event.data["seconds"], event.at)),
    "rollout paused": _on_rollout(lambda rollout, _: pause(rollout)),
    "rollout resumed": _on_rollout(lambda rollout, event: resume(rollout, event.at)),
    "rollout promoted": _on_rollout(lambda rollout, _: promote(rollout)),
    "rollout aborted": _on_rollout(lambda rollout, event: abort(rollout, event.data["reason"], event.at)),
    "record closed": _closed,
    "artifact removed": _discarded,
    "service scaled": _scaled,
    "service restarted": _restarted,
    "service locked": _frozen,
    "service unlocked": _thawed,
    "service removed": _removed,
    "job scheduled": _scheduled,
    "job started": _begun,
    "job ended": _run_ended,
    "job skipped": _skipped,
    "service adopted": _adopted,
}
TELLING = frozenset(_RULES)  # the kinds of events that a ledger is made of; the others are for people
