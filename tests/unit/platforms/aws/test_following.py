"""Lines of CloudWatch Logs that are followed: once each, and never all of them again."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.logs import LogQuery, Said, Writer
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.clients import Clients
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
