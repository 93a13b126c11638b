"""Constant traffic of every kind at once, and the comparison of what its clients lost with what a proof says."""

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from crossfade.load import LoadGenerator, LoadReport, Mode

# Requests a second of all clients of a kind together: enough that every moment of a cutover is hit, and few enough
# that two tests and their fleets fit on two cores.
RATES = {Mode.KEEPALIVE: 80, Mode.CONNECTION: 40, Mode.POST: 30, Mode.DOWNLOAD: 8, Mode.WEBSOCKET: 60}
CLIENTS = 3
PLAIN = (Mode.KEEPALIVE, Mode.CONNECTION, Mode.POST, Mode.DOWNLOAD)  # what tiny.py serves
PATHS = {Mode.DOWNLOAD: "/download?seconds=0.3", Mode.WEBSOCKET: "/ws/echo", Mode.SSE: "/events"}
BODIES = [b'{"message":"' + b"x" * size + b'"}' for size in (50, 2000, 100_000)]


class Crowd:
    """`async with Crowd(url) as crowd:` has clients of each kind ask until the block ends; `report` is all they saw."""

    def __init__(
        self,
        url: str,
        *modes: Mode,
        paths: Mapping[Mode, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        where = {**PATHS, **(paths or {})}
        self.traffics = [
            LoadGenerator(
                url,
                mode=mode,
                clients=CLIENTS,
                path=where.get(mode, ()),
                rate=RATES.get(mode),
                headers=headers,
                bodies=BODIES,
                timeout=10.0,
                tls=tls,
            )
            for mode in modes or PLAIN
        ]

    async def __aenter__(self) -> Self:
        for traffic in self.traffics:
            await traffic.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(traffic.stop() for traffic in self.traffics))

    @property
    def report(self) -> LoadReport:
        """Everything counted so far; final once the block has ended."""
        first, *others = [traffic.report() for traffic in self.traffics]
        return sum(others, first)


def loses_nothing(report: LoadReport, *results: Any) -> None:
    """No client lost anything, and no proof says otherwise."""
    assert report.failed == 0, report.losses
    for result in results:
        assert result["traffic"]["failed"] == 0, result
        assert 0 < result["traffic"]["requests"] <= report.requests


def agree(report: LoadReport, *results: Any) -> None:
    """What clients lost is what the proofs count, and for the same causes; nothing was lost outside of them.

    A client sees 500 when the app said so, 502 to 504 when the balancer had no answer for it, and half an answer.
    """
    causes: dict[str, int] = {}
    for result in results:
        proof = result["traffic"]
        assert sum(proof["causes"].values()) == proof["failed"], proof
        for cause, count in proof["causes"].items():
            causes[cause] = causes.get(cause, 0) + count
    own, truncated = causes.pop("500 from instance", 0), causes.pop("truncated answer", 0)
    seen = (report.statuses.get(500, 0), report.causes.get("truncated", 0))
    assert seen == (own, truncated), (report, results)
    assert report.failed == own + truncated + sum(causes.values()), (report, results)
