"""Tasks of a service as ECS lists and describes them: of both colours, and those that were run once."""

from collections.abc import Sequence
from typing import Any

from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.place import Place

AT_ONCE = 100  # tasks that DescribeTasks takes


class Tasks:
    """The tasks of one environment; all of a service share the family of their definitions."""

    def __init__(self, clients: Clients, definitions: Definitions) -> None:
        self._clients, self._definitions = clients, definitions

    async def listed(self, place: Place, status: str) -> list[str]:
        """ARNs of those that are to be RUNNING, or STOPPED, which ECS knows for an hour."""
        family = self._definitions.family(place.key)
        asked: dict[str, Any] = {"cluster": place.cluster, "family": family, "desiredStatus": status}
        return await self._clients.all("ecs", "list_tasks", "taskArns", **asked)

    async def described(self, place: Place, arns: Sequence[str]) -> list[Answer]:
        found: list[Answer] = []
        for start in range(0, len(arns), AT_ONCE):
            some = list(arns[start : start + AT_ONCE])
            found += (await self._clients.call("ecs", "describe_tasks", cluster=place.cluster, tasks=some))["tasks"]
        return found
