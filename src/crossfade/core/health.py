"""Threshold counting: when an instance becomes healthy, and when it stops being it."""

from dataclasses import dataclass, replace

from crossfade.core.fleet import Health
from crossfade.core.service import HealthCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What the probes of one instance add up to. `streak` counts results in a row that speak against `health`."""

    health: Health = Health.STARTING
    streak: int = 0
    healthy_since: float | None = None
    detail: str = ""


def count(seen: Probed, check: HealthCheck, now: float, complaint: str = "") -> Probed:
    """One more probe, passed when `complaint` is empty.

    With healthy 2, a starting instance that passes, fails, passes, passes is healthy at the fourth: a failure starts
    the count anew. With unhealthy 3 a healthy one keeps its traffic through two failures in a row.
    """
    if bool(complaint) is (seen.health is not Health.HEALTHY):
        return seen if (seen.streak, seen.detail) == (0, complaint) else replace(seen, streak=0, detail=complaint)
    streak = seen.streak + 1
    threshold = check.unhealthy if complaint else check.healthy
    if streak < threshold:
        return replace(seen, streak=streak, detail=complaint or seen.detail)
    if complaint:
        return Probed(health=Health.UNHEALTHY, detail=complaint)
    return Probed(health=Health.HEALTHY, healthy_since=now)


def accepts(check: HealthCheck, code: int) -> bool:
    return any(low <= code <= high for low, high in check.codes)
