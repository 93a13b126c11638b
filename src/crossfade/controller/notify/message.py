"""A message about an event of the journal: a stable JSON for programs, a title and a text for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crossfade.core.actions import Finish
from crossfade.core.rollout import Rollout, State
from crossfade.core.wire import decode_action
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Event
from crossfade.telling.text import release

Sort = Literal["succeeded", "failed", "trouble"]
Ledgers = Callable[[str], Ledger]
VERSION = 1  # of the JSON: fields may come, none goes or changes its meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`id` is the journal's line: the same message has the same one. `sort` is what `on` in the file chooses by."""

    id: int
    at: float
    sort: Sort
    kind: str  # rollout, group, job, backup, store or instance
    key: str  # app/service, the app alone for a group
    state: str  # succeeded, rolled_back, aborted, failed, exited
    title: str
    text: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def json(self, *, again: bool) -> dict[str, Any]:
        """As a webhook gets it. `again`: it may have got it before, for nobody knows how the last try ended."""
        app, _, service = self.key.partition("/")
        return {
            "crossfade": VERSION,
            "id": self.id,
            "at": self.at,
            "again": again,
            "kind": self.kind,
            "state": self.state,
            "app": app,
            "service": service or None,
            "title": self.title,
            "text": self.text,
            **self.more,
        }


def message_of(event: Event, ledgers: Ledgers) -> Message | None:
    """What is told of an event; None where nothing is."""
    if event.kind == "move":
        return _rollout(event, ledgers)
    if event.kind == "group ended":
        return _group(event)
    if event.kind == "instance exited" and ledgers(event.service).active is not None:
        return None  # the rollout tells how it ends
    told = _TROUBLES[event.kind](event.data) if event.kind in _TROUBLES else None
    if told is None:
        return None
    return Message(
        id=event.seq,
        at=event.at,
        sort="trouble",
        kind=event.kind.split()[0],
        key=event.service,
        state=told.state,
        title=f"{event.service}: {told.title}",
        text=told.text,
        more=told.more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    state: str
    title: str
    text: str
    more: Mapping[str, Any] = field(default_factory=dict)


def _job(data: Mapping[str, Any]) -> _Trouble | None:
    if data["code"] == 0:
        return None
    why = data["detail"] or "nobody saw how it ended"
    more = {"job": data["job"], "run": data["run"], "code": data["code"]}
    return _Trouble(state="failed", title=f"job {data['job']} failed", text=why, more=more)


def _backup(data: Mapping[str, Any]) -> _Trouble | None:
    if data["code"] == 0:
        return None
    return _Trouble(state="failed", title="the backup failed", text=data["detail"])


def _store(data: Mapping[str, Any]) -> _Trouble:
    return _Trouble(state="failed", title="the store does not start", text=data["error"])


def _instance(data: Mapping[str, Any]) -> _Trouble:
    more = {"instance": data["instance"], "release": data.get("release")}
    text = f"{data['instance']} {data['detail']}"
    return _Trouble(state="exited", title="an instance ended by itself", text=text, more=more)


_TROUBLES: Mapping[str, Callable[[Mapping[str, Any]], _Trouble | None]] = {
    "job ended": _job,
    "backup ended": _backup,
    "store failed": _store,
    "instance exited": _instance,
}
KINDS = frozenset({"move", "group ended", *_TROUBLES})


def _rollout(event: Event, ledgers: Ledgers) -> Message | None:
    """How a rollout ended; one of a group is told with its group."""
    action = decode_action(event.data["action"])
    if not isinstance(action, Finish):
        return None
    ledger = ledgers(event.service)
    rollout = next((one.rollout for one in ledger.records if one.rollout.id == event.rollout), None)
    if rollout is not None and rollout.group:
        return None
    labels = {one.number: one.version for one in ledger.releases}
    more = {"rollout": _described(rollout, labels), "traffic": event.data.get("proof") or None}
    to = f" of release {release(rollout.target, labels.get(rollout.target))}" if rollout else ""
    return Message(
        id=event.seq,
        at=event.at,
        sort=_sort(action.state),
        kind="rollout",
        key=event.service,
        state=action.state.value,
        title=f"{event.service}: the rollout{to} {_words(action.state)}",
        text=action.reason,
        more=more,
    )


def _described(rollout: Rollout | None, labels: Mapping[int, str]) -> dict[str, Any] | None:
    if rollout is None:  # older than what the ledger keeps
        return None
    return {
        "id": rollout.id,
        "from": rollout.source,
        "to": rollout.target,
        "from_version": labels.get(rollout.source or 0),
        "to_version": labels.get(rollout.target),
        "strategy": rollout.strategy.name,
        "by": rollout.by,
    }


def _group(event: Event) -> Message:
    state = State(event.data["state"])
    return Message(
        id=event.seq,
        at=event.at,
        sort=_sort(state),
        kind="group",
        key=event.service,
        state=state.value,
        title=f"{event.service}: the release of several services {_words(state)}",
        text=event.data["reason"],
    )


def _sort(state: State) -> Sort:
    return "succeeded" if state is State.SUCCEEDED else "failed"


def _words(state: State) -> str:
    said = {State.SUCCEEDED: "succeeded", State.ROLLED_BACK: "was taken back", State.ABORTED: "was aborted"}
    return said.get(state, "failed")
