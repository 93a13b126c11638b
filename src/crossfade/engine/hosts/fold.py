"""The journeys of an environment on hosts, as their events left them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from crossfade.core.hosts import HostPhase, HostsLedger, HostsRollout, HostStage
from crossfade.core.rollout import State
from crossfade.engine.ports.journal import Event

BEGAN = "hosts rollout began"
TAKEN_UP = "hosts rollout taken up"
GOES_BACK = "hosts rollout goes back"
ENDED = "hosts rollout ended"
DOWN = "hosts taken down"
HOST_BEGUN = "host begun"
HOST_DONE = "host done"
HOST_FAILED = "host failed"
HOST_BACK = "host back"
HOST_LOST = "host lost"

Data = Mapping[str, Any]


def ledger_of(events: Iterable[Event]) -> HostsLedger:
    """What these events, oldest first, add up to. Kinds that are not known change nothing."""
    ledger = HostsLedger()
    for event in events:
        ledger = grown(ledger, event)
    return ledger


def grown(ledger: HostsLedger, event: Event) -> HostsLedger:
    """The ledger with one more event."""
    if event.kind == BEGAN:
        return replace(ledger, rollouts=(*ledger.rollouts, _begun(event)))
    if event.kind == DOWN:
        return replace(ledger, down=len(ledger.rollouts))
    change = _CHANGES.get(event.kind)
    if change is None or ledger.active is None:
        return ledger
    changed = change(ledger.active, event.data)
    if event.kind == ENDED:
        changed = replace(changed, finished_at=event.at)
    return replace(ledger, rollouts=(*ledger.rollouts[:-1], changed))


def _begun(event: Event) -> HostsRollout:
    data = event.data
    return HostsRollout(
        id=data["id"],
        hosts=tuple(HostStage(name=name, before=data["before"][name]) for name in data["hosts"]),
        what=data["what"],
        version=data["version"],
        to=data["to"],
        by=data["by"],
        started_at=event.at,
    )


def _staged(rollout: HostsRollout, data: Data, stage: HostPhase) -> HostsRollout:
    def after(host: HostStage) -> HostStage:
        if host.name != data["host"]:
            return host
        return replace(host, stage=stage, after=data.get("after", host.after), why=data.get("why", ""))

    return replace(rollout, hosts=tuple(map(after, rollout.hosts)))


def _taken_up(rollout: HostsRollout, data: Data) -> HostsRollout:
    """What was lost is tried again; a host that is no longer in the file is none of ours any more."""
    there = [host for host in rollout.hosts if host.name in data["hosts"]]
    hosts = [replace(host, stage=HostPhase.BEGUN, why="") if host.stage is HostPhase.LOST else host for host in there]
    return replace(rollout, hosts=tuple(hosts))


def _goes_back(rollout: HostsRollout, data: Data) -> HostsRollout:
    return replace(rollout, state=State.ROLLING_BACK, ending=State(data["ending"]), reason=data["reason"])


def _ended(rollout: HostsRollout, data: Data) -> HostsRollout:
    return replace(rollout, state=State(data["state"]), reason=data["reason"])


_CHANGES: Mapping[str, Callable[[HostsRollout, Data], HostsRollout]] = {
    TAKEN_UP: _taken_up,
    GOES_BACK: _goes_back,
    ENDED: _ended,
    HOST_BEGUN: lambda rollout, data: _staged(rollout, data, HostPhase.BEGUN),
    HOST_DONE: lambda rollout, data: _staged(rollout, data, HostPhase.DONE),
    HOST_FAILED: lambda rollout, data: _staged(rollout, data, HostPhase.FAILED),
    HOST_BACK: lambda rollout, data: _staged(rollout, data, HostPhase.BACK),
    HOST_LOST: lambda rollout, data: _staged(rollout, data, HostPhase.LOST),
}
