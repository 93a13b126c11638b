"""A release group: releases of several services that end together, all of them out or all of them back."""

from dataclasses import dataclass

from crossfade.core.rollout import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One service of a group. `source` None is a first deploy: going back means that nothing of it runs."""

    service: str  # app/service
    source: int | None
    target: int
    after: tuple[str, ...] = ()  # members that have to be out before this one begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group as its events left it. Members in the order in which they begin; `ending` as in a rollout."""

    id: int
    app: str
    members: tuple[Member, ...]
    by: str = ""
    started_at: float = 0.0
    state: State = State.RUNNING
    ending: State = State.ROLLED_BACK
    reason: str = ""
    finished_at: float | None = None

    def member(self, service: str) -> Member | None:
        return next((m for m in self.members if m.service == service), None)
