"""Actions: what a decision asks for. Effects change the world, waits say what is waited for, moves change the rollout.

All are frozen values that travel as JSON: the journal holds them, `plan` prints them, the engine performs them.
"""

from dataclasses import dataclass

from crossfade.core.rollout import Hook, State
from crossfade.core.routing import Routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Start `count` more instances of `release`."""

    release: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Let the platform keep `count` instances of `release`, where it chooses ids and victims itself.

    Absolute: done twice it changes nothing the second time.
    """

    release: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Give the balancer this routing and wait until it confirms that it runs it.

    `lead` is the release whose settings (listener, routes, timeouts) expose the service; 0: the newest one's.
    """

    routing: Routing
    lead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """SIGTERM, grace, SIGKILL; for one that exited: clear away what is left of it."""

    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHook:
    """Run the user's command once and remember how it ended."""

    hook: Hook
    release: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Send `count` synthetic requests through the preview route: there was too little traffic to judge by."""

    release: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitHealthy:
    """Instances of `release` are starting: `ready` of `wanted` count as capacity; `until` they have to, if ever."""

    release: int
    ready: int
    wanted: int
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Instances that finish what they hold; at `until` the next of them may be stopped even so."""

    instances: tuple[str, ...]
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bake:
    """The step holds and is watched `until` then."""

    step: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitApproval:
    """A person has to say `promote`; `why` says what for."""

    step: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing may be decided yet; `why` says what is missing."""

    why: str
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandBy:
    """`release` is kept warm for a rollback `until` then. Nothing moves meanwhile, and nobody has to see to it."""

    release: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBake:
    """The step's goal is reached: its bake begins."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Go on to the next step."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """The target is bad, or no longer wanted: take it back. Without `blame` the platform failed, not the release.

    `inconclusive`: neither did, as far as anybody can say.
    """

    reason: str
    blame: bool = True
    inconclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """It is over: a rollout, a release group, or a release's way over hosts."""

    state: State
    reason: str


Effect = Launch | Resize | Shift | Stop | RunHook | Probe
Wait = AwaitHealthy | Drain | Bake | AwaitApproval | Hold | StandBy
Move = StartBake | Advance | RollBack | Finish
Action = Effect | Wait | Move
