"""The next step of a release on its way over hosts: how the hosts stand goes in, the next action comes out."""

from collections.abc import Collection, Container
from dataclasses import dataclass

from crossfade.core.actions import Finish
from crossfade.core.hosts import HostPhase, HostsRollout, HostStage
from crossfade.core.rollout import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Bring:
    """Let a host have the release, by its own controller."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnHost:
    """Let a host have back what it ran before."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBack:
    """From here on the journey goes back."""

    reason: str
    ending: State = State.ROLLED_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A journey that cannot end now: these hosts are to go back and cannot be told. The next command tries again."""

    hosts: tuple[str, ...]


HostsAction = Bring | ReturnHost | GoBack | Finish | Leave

_CHANGED = frozenset({HostPhase.BEGUN, HostPhase.DONE, HostPhase.FAILED})


def next_over_hosts(rollout: HostsRollout, serving: Container[str]) -> HostsAction | None:
    """The one next action; None when the journey is over. `serving` are hosts whose doors answer just now.

    One host changes at a time and, where there are more, only while another one serves. What fails on one is met
    before those after it are touched; on the way back the last one goes first.
    """
    if rollout.state.terminal:
        return None
    return _backward(rollout) if rollout.reason else _forward(rollout, serving)


def _forward(rollout: HostsRollout, serving: Container[str]) -> HostsAction:
    for host in rollout.hosts:
        if host.stage in {HostPhase.FAILED, HostPhase.LOST, HostPhase.BACK}:
            return GoBack(reason=host.why or f"{host.name} went back")
    coming = [host for host in rollout.hosts if host.stage in {HostPhase.BEGUN, HostPhase.WAITING}]
    if not coming:
        return Finish(state=State.SUCCEEDED, reason="")
    if alone := _would_be_last(rollout, coming[0], serving):
        return GoBack(reason=alone)
    return Bring(host=coming[0].name)


def _would_be_last(rollout: HostsRollout, coming: HostStage, serving: Container[str]) -> str:
    """Why a host must not change now: none of the others that have something to serve does. Empty when it may."""
    others = [host.name for host in rollout.hosts if host is not coming and _has_something(host)]
    if not others or any(name in serving for name in others):
        return ""
    return f"{coming.name} would be the last host that serves: {', '.join(others)} {_do(others)} not answer"


def _has_something(host: HostStage) -> bool:
    runs = host.after if host.stage is HostPhase.DONE else host.before
    return any(number is not None for number in runs.values())


def _do(names: Collection[str]) -> str:
    return "does" if len(names) == 1 else "do"


def _backward(rollout: HostsRollout) -> HostsAction:
    for host in reversed(rollout.hosts):
        if host.stage in _CHANGED:
            return ReturnHost(host=host.name)
    if lost := rollout.reached(HostPhase.LOST):
        return Leave(hosts=tuple(lost))
    return Finish(state=rollout.ending, reason=rollout.reason)
