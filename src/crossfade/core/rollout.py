"""A rollout: one journey of a service from release to release, its states, and how an event moves it."""

from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.core.counters import NOTHING, Counters
from crossfade.core.service import Kind, Strategy


class State(StrEnum):
    """Where a rollout is. The last four are terminal."""

    RUNNING = "running"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def terminal(self) -> bool:
        return self is not State.RUNNING and self is not State.ROLLING_BACK


class Hook(StrEnum):
    """A command of the user's that a rollout waits for."""

    MIGRATE = "migrate"
    SMOKE = "smoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout as its events left it. `source` None is a first deploy: there is nothing to go back to."""

    id: int
    service: str  # app/service
    source: int | None
    target: int
    strategy: Strategy
    replicas: int
    drain: float
    kind: Kind = "web"
    pins: bool = False  # visitors stay with their release while it runs
    back: bool = False  # a rollback: who ordered it leaves the source for bad
    group: int = 0  # the release group that it belongs to; 0: none
    source_replicas: int | None = None  # None: as many as the target is to have
    by: str = ""
    started_at: float = 0.0
    hooks: tuple[Hook, ...] = ()  # still to run
    state: State = State.RUNNING
    step: int = 0
    step_since: float = 0.0
    holding_since: float | None = None  # the step's goal is reached and its bake runs
    baseline: tuple[tuple[int, Counters], ...] = ()  # counters by release when the step began
    usual: Counters = field(default_factory=Counters)  # what the source's clients got in the minutes before
    approved: int = -1  # the last step that was approved
    paused: bool = False
    ending: State = State.ROLLED_BACK  # what a rollback under way ends as
    reason: str = ""
    blamed: bool = True  # False: it is taken back through no fault of its target
    denied: bool = False  # the platform refused something, such as a right or a quota that is missing
    finished_at: float | None = None

    @property
    def before(self) -> int:
        """Instances the source has when it is whole; 0 when there is no source."""
        if self.source is None:
            return 0
        return self.replicas if self.source_replicas is None else self.source_replicas

    def base(self, release: int) -> Counters:
        return dict(self.baseline).get(release, NOTHING)

    @property
    def releases(self) -> tuple[int, ...]:
        """Target first, then source if there is one."""
        return (self.target,) if self.source is None else (self.target, self.source)
