"""The quiet of tasks: only while some come or go is it worth a call to ask which were told to stop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer

STEADY = 2  # looks: the first one after a change may be older than it, as ECS's lists are


@dataclass(slots=True)
class Quiet:
    """One service's looks in a row at which the same tasks ran. `stopped` is what was listed at the last that moved."""

    stopped: list[str] = field(default_factory=list)
    _last: object = None
    _looks: int = 0

    def moves(self, services: Mapping[str, Answer], running: Iterable[str]) -> bool:
        """False when no task can have come or gone since tasks that stop were listed last."""
        seen = _seen(services, running)
        self._looks = self._looks + 1 if seen and seen == self._last else 0
        self._last = seen
        return self._looks < STEADY


def primary_of(service: Answer) -> Answer:
    """The deployment that counts: another one that ends is a past one's end."""
    for one in service["deployments"]:
        if one["status"] == "PRIMARY":
            primary: Answer = one
            return primary
    raise PlatformError(
        f"service {service['serviceName']} has no deployment", "`crossfade infra plan` shows what is missing"
    )


def _seen(services: Mapping[str, Answer], running: Iterable[str]) -> object:
    """The same at two looks when nothing happened between them; None while a task is on its way in.

    A task that began and ended between two looks is in the deployment's count of failed ones. One on its way out is
    known since it went from those that run.
    """
    told = []
    for name, one in sorted(services.items()):
        if one["pendingCount"] or one["runningCount"] < one["desiredCount"]:
            return None
        failed = sum(deployment.get("failedTasks", 0) for deployment in one["deployments"])
        told.append((name, primary_of(one)["id"], failed))
    return frozenset(running), tuple(told)
