"""The behaviour of programs on the platform in memory: how they boot, fail and end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crossfade.core.fleet import Health


def _silent(_: Mapping[str, str]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One instance, or one command. All times are seconds; `life` is (after its launch, what it is from then on)."""

    life: tuple[tuple[float, Health], ...] = ((0.0, Health.HEALTHY),)
    detail: str = ""  # how it ended, where its life has an end
    probe: float = 0.0  # until it answers a health check
    answer: float = 0.02  # until it answers a request
    error_rate: float = 0.0  # the share of requests that it answers with 500
    streams: int = 0  # long connections it holds once it served
    grace: float = 0.0  # from SIGTERM to its end
    says: Callable[[Mapping[str, str]], Sequence[str]] = _silent  # what it writes, given its environment
    parting: str = ""  # what it writes on SIGTERM
    code: int = 0  # as a command: how it ends
    seconds: float = 0.0  # as a command: when
