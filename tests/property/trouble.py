"""What goes wrong in a history, as plain data: a failing one is shown with the few of these that it needs."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Struck:
    """The `nth` call to the platform since the rollout began.

    "refused": not done, and said so. "lost": done, but the answer is an error. "slow": it takes its time and then fails
    unlike "late", which is done after it. "twice": done two times.
    """

    nth: int
    how: Literal["refused", "lost", "slow", "late", "twice"]
    seconds: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Killed:
    """The controller dies at its `nth` journal write, before the line is there or right after; the next one comes."""

    nth: int
    written: bool
    seconds: float = 3.0


@dataclass(frozen=True, kw_only=True)
class LineLost:
    """The `nth` line is written, but the answer is an error."""

    nth: int


@dataclass(frozen=True, kw_only=True)
class DiskFull:
    """From the `nth` journal write on nothing can be written, for so long."""

    nth: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BalancerDead:
    """Nobody can talk to the balancer, for so long; it goes on as it was told."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BalancerGone:
    """The balancer dies with all that it holds, and cannot be started for so long: nobody answers clients."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """The controller is stopped (SIGSTOP, a closed laptop) and goes on later."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ClockSet:
    """Somebody sets the wall clock."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Somebody else takes the lease over, and gives it back later."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Throttled:
    """The platform refuses this share of all calls, for so long."""

    at: float
    seconds: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Denied:
    """Somebody takes away the right to one operation, and gives it back later."""

    at: float
    seconds: float
    what: Literal["balancer.apply", "runtime.launch", "runtime.resize", "runtime.stop", "runtime.run"]


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """The cloud's own scaling gives what serves another size, unless a rollout has suspended it."""

    at: float
    size: int


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """A person interferes. `size` is for who scales."""

    at: float
    verb: Literal["pause", "resume", "promote", "abort", "supersede", "rollback", "scale", "restart", "down"]
    size: int = 0


Timed = BalancerDead | BalancerGone | Frozen | ClockSet | Rival | Throttled | Denied | Scaled | Ordered
Trouble = Struck | Killed | LineLost | DiskFull | Timed
