"""Lines of CloudWatch Logs that are followed: once each, and never all of them again."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.logs import LogQuery, Said, Writer
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.following import followed

BEGAN = 1_000_000  # ms


class Still:
    """A clock that nobody waits for."""

    def now(self) -> float:
        return BEGAN / 1000

    async def sleep(self, seconds: float) -> None:
        """At once."""


def said(second: float, line: str) -> Said:
    return Said(at=second, writer="web", line=line)


async def test_each_line_is_told_once_and_each_look_begins_where_the_last_one_ended() -> None:
    """Ten seconds are asked for again, for lines that come late; what is older is neither asked for nor remembered."""
    looks: list[Sequence[Said]] = [
        [said(999, "before"), said(1003, "one")],
        [said(1002, "late"), said(1003, "one"), said(1060, "two")],
        [said(1060, "two"), said(1060, "two again")],
    ]
    asked: list[int] = []

    async def new(since: int) -> Sequence[Said]:
        asked.append(since)
        return looks[len(asked) - 1]

    told: list[str] = []
    async for one in followed([said(999, "before")], BEGAN, new, Still(), 3.0):
        told.append(one.line)
        if one.line == "two again":
            break
    assert told == ["one", "late", "two", "two again"]
    assert asked == [990_000, 993_000, 1_050_000]


async def test_what_writes_no_log_on_hosts_is_refused() -> None:
    """Nothing at all would look as if nothing had been written."""
    logs = HostsLogs(Clients(), cast("Any", None), Still())
    with pytest.raises(WrongInputError, match=r"builds, hooks and jobs of shop@prod/web write no log in AWS"):
        _ = [said async for said in logs.read("shop@prod/web", LogQuery(writers={Writer.HOOK}))]


class Month(Clients):
    """A host that wrote a line each hour for a month; `asked` is how far back somebody looked, in hours."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        since = parameters["startTime"]
        self.asked.append((BEGAN - since) / 3_600_000)
        lines = range(-720, 0)
        told = [{"timestamp": BEGAN + hour * 3_600_000 + 1, "message": str(hour)} for hour in lines]
        return {"events": [one for one in told if one["timestamp"] >= since]}


async def test_the_last_lines_of_a_host_are_not_looked_for_in_all_that_it_ever_wrote() -> None:
    """Further and further back, until there are enough of them; all of it only where there are never enough."""
    clients, lookout = Month(), cast("Any", Logged())
    logs = HostsLogs(clients, lookout, Still())
    assert [said.line for said in await logs._last("i-1", -1e9, 3)] == ["-3", "-2", "-1"]
    assert clients.asked == [60 / 3600, 900 / 3600, 24.0]
    assert len(await logs._last("i-1", -1e9, 1000)) == 720


class Logged:
    """Where hosts write."""

    log_group = "/shop-prod/hosts"
