"""Runs of jobs that are over, as EventBridge keeps them in a log: ECS forgets a task an hour after its end."""

import json
import math
from collections.abc import Mapping

from crossfade.aws.places import Places
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.following import MS
from crossfade.platforms.aws.refusals import AwsError

LATE = 300.0  # seconds by which an end may come into the log after the fact: EventBridge promises no time


class PastRuns:
    """The past runs of jobs of one environment.

    What was read is not read again: an end takes kilobytes, and a page of a log is small.
    """

    def __init__(self, clients: Clients, places: Places) -> None:
        self._clients, self._places = clients, places
        self._newest: dict[str, tuple[float, Answer]] = {}  # by group: when it ended, and the task as ECS told it
        self._from, self._until = math.inf, -math.inf  # what of the log was read

    async def newest(self, since: float, now: float) -> Mapping[str, Answer]:
        """By group of tasks that which ended last, if it was after `since`."""
        start = since if since < self._from else self._until - LATE
        asked = {"logGroupName": self._places.jobs_log_group, "startTime": round(start * MS)}
        try:
            events = await self._clients.all("logs", "filter_log_events", "events", **asked)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return {}
        for event in events:
            task, at = json.loads(event["message"])["detail"], event["timestamp"] / MS
            known = self._newest.get(task["group"])
            if known is None or known[0] <= at:
                self._newest[task["group"]] = at, task
        self._from, self._until = min(self._from, since), now
        return {group: task for group, (at, task) in self._newest.items() if at >= since}
