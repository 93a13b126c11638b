"""The quiet of tasks: only while some come or go is it worth two calls, of which run and which were told to stop."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer

_SELDOM = 15  # times as long as lists may be late: a task that nobody told of is found after a minute all the same


@dataclass(slots=True)
class Quiet:
    """What ECS told of one service at the last look, and since when. `late` is by how many seconds its lists may be so.

    `tasks` are those of both colours that are known. Each is asked for at every look, so that one that falls ill or
    stops is seen without a list.
    """

    late: float
    tasks: Collection[str] = field(default_factory=frozenset)
    _last: object = None
    _since: float = 0.0
    _listed: float = -math.inf

    def moves(self, services: Mapping[str, Answer], now: float) -> bool:
        """False when no task can have come since tasks were listed last."""
        seen = _seen(services)
        if seen != self._last:
            self._last, self._since = seen, now
        if self._listed >= self._since + self.late and now < self._listed + _SELDOM * self.late:
            return False
        self._listed = now
        return True


def primary_of(service: Answer) -> Answer:
    """The deployment that counts: another one that ends is a past one's end.

    PlatformError for a service that has none, as those have that CodeDeploy or another tool deploys.
    """
    for one in service.get("deployments", ()):
        if one["status"] == "PRIMARY":
            primary: Answer = one
            return primary
    raise PlatformError(
        f"service {service['serviceName']} has no deployment", "`crossfade infra plan` shows what is missing"
    )


def _seen(services: Mapping[str, Answer]) -> object:
    """The same at two looks when no task was begun or ended between them.

    ECS tells of each that it starts or stops by an event, the newest first; one that began and ended between two looks
    is in the deployment's count of failed ones as well.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html
    """
    return tuple(
        (
            name,
            primary_of(one)["id"],
            one["desiredCount"],
            one["runningCount"],
            one["pendingCount"],
            sum(deployment.get("failedTasks", 0) for deployment in one["deployments"]),
            next((event["id"] for event in one.get("events", ())), ""),
        )
        for name, one in sorted(services.items())
    )
