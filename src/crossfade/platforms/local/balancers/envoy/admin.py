"""Envoy's admin interface on its unix socket: what runs, what was counted, who is healthy."""

import asyncio
import errno
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.envoy.bootstrap import ADMIN
from crossfade.platforms.local.balancers.envoy.clusters import STREAMS
from crossfade.platforms.local.together import Together

_LIMIT = 15.0  # seconds; Envoy's main thread can be busy for ten when a predecessor died under it
_AT_A_START = 1.0  # seconds, when it is asked again and again
_AT_ONCE = 4  # questions; each more waits
_WAY_OUT = "its own log is envoy.log beside its files"
_GONE = f"its socket {ADMIN} is gone: `crossfade up --balancer-restart` makes it anew, without losing a request"
_DROPPED = r"^server\.dropped_stat_flushes$"
_UNWRITTEN = "filesystem.write_total_buffered"
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})  # what we are out of, not Envoy
_BUCKET = re.compile(r"B([0-9.e+]+)\(\d+,(\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminHost:
    """One endpoint of one cluster."""

    cluster: str
    instance: str
    healthy: bool  # by Envoy's own check; a draining one can be
    draining: bool
    standing_in: bool  # listed to answer for another release when all of that are dead
    active: int  # requests it is answering or about to get

    @property
    def streams(self) -> bool:
        """Its requests are WebSocket and SSE connections."""
        return self.cluster.endswith(STREAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Values as text by name. `began_flush`: asking for them began a flush to all workers."""

    values: dict[str, str]
    began_flush: bool


class RefusingError(PlatformError):
    """Envoy answered, and not with what was asked for."""


class UnableError(PlatformError):
    """We could not ask: that says nothing about Envoy."""


class Admin:
    """One kept connection. PlatformError when Envoy does not answer."""

    def __init__(self, directory: Path) -> None:
        # A socket's path may be 107 bytes long and a state directory longer: it is reached through an open directory.
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        self._session: aiohttp.ClientSession | None = None
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._closed = 0  # times: who waited for its turn meanwhile would ask another Envoy than it meant
        self._dropped = ""
        self._hosts_of: Together[str, list[AdminHost]] = Together(self._hosts)
        self._settled: Together[None, None] = Together(self._settle)

    async def get(self, path: str, **query: str) -> str:
        return await self._ask("GET", path, query)

    async def post(self, path: str, **query: str) -> str:
        return await self._ask("POST", path, query)

    async def stats(self, pattern: str) -> Statistics:
        """All statistics that match, and whether asking began a flush: see `settle`."""
        text = await self.get("/stats", filter=f"{pattern}|{_DROPPED}", histogram_buckets="cumulative")
        values = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        dropped = values.pop("server.dropped_stat_flushes", "0")
        began, self._dropped = dropped == self._dropped, dropped
        return Statistics(values=values, began_flush=began)

    async def hosts(self, pattern: str) -> list[AdminHost]:
        """Endpoints of all clusters whose name matches. A cluster that is still being prepared has none yet."""
        return await self._hosts_of.served(pattern)

    async def settle(self) -> None:
        """Return when every worker has done all that the main thread had given it when this was called.

        Asking for statistics begins a flush of them, which visits every worker after what was posted to it before. One
        that is asked for during another is dropped and counted as dropped. So when the next one is not dropped, the
        flush that this one began is over.
        """
        await self._settled.served(None)

    async def fresh(self, pattern: str) -> dict[str, str]:
        """Statistics with histograms that hold all that was counted when this was called."""
        return (await self._flushed(await self.stats(pattern), pattern)).values

    async def _flushed(self, asked: Statistics, pattern: str) -> Statistics:
        while True:
            again = await self.stats(pattern)
            if asked.began_flush and again.began_flush:
                return again
            asked = again

    async def unwritten(self) -> bool:
        """Have logs lines that are not in their files? An Envoy that an older controller started does not say: yes."""
        return (await self.fresh(rf"^{re.escape(_UNWRITTEN)}$")).get(_UNWRITTEN) != "0"

    async def ready(self) -> bool:
        """Does it answer, and serve?"""
        try:
            return (await self._ask("GET", "/ready", {}, _AT_A_START)).strip() == "LIVE"
        except UnableError:
            raise
        except PlatformError:
            return False

    async def answers(self, seconds: float) -> bool:
        """Does it say anything within this time? UnableError when it cannot be asked."""
        try:
            await self._ask("GET", "/ready", {}, seconds)
        except RefusingError:
            return True
        except UnableError:
            raise
        except PlatformError:
            return False
        return True

    async def alive(self, base_id: int, epoch: int) -> bool:
        """Does just this process answer, and is it through with its start? Another one may have the socket yet."""
        try:
            info = json.loads(await self.get("/server_info"))
        except PlatformError:
            return False
        # Zero values are left out of the answer.
        options = info["command_line_options"]
        asked = (int(options.get("base_id", 0)), options.get("restart_epoch", 0))
        return bool(info.get("state", "LIVE") == "LIVE" and asked == (base_id, epoch))

    async def close(self) -> None:
        """End what is asked now; whoever asked gets a PlatformError."""
        self._closed += 1
        for questions in (self._hosts_of, self._settled):
            questions.refuse(_replaced())
        session, self._session = self._session, None  # at once: who asks meanwhile would ask on the one that closes
        if session is not None:
            await session.close()

    async def dispose(self) -> None:
        """Close for good."""
        await self.close()
        os.close(self._directory)

    async def _ask(self, method: str, path: str, query: dict[str, str], seconds: float = _LIMIT) -> str:
        closed = self._closed
        async with self._turn:
            if closed != self._closed:
                raise _replaced()
            try:
                async with self._opened().request(
                    method, f"http://envoy{path}", params=query, timeout=aiohttp.ClientTimeout(total=seconds)
                ) as answer:
                    return await answer.text()
            except aiohttp.ClientResponseError as error:
                raise RefusingError(f"Envoy answers {path} with {error.status}", _WAY_OUT) from error
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                if isinstance(error, OSError) and error.errno in _OURS:
                    why = error.strerror or str(error)
                    raise UnableError(f"Envoy cannot be asked: {why}", "raise the limit (ulimit -Hn)") from error
                gone = isinstance(error, OSError) and error.errno == errno.ENOENT
                raise PlatformError(
                    f"Envoy does not answer: {error or type(error).__name__}", _GONE if gone else _WAY_OUT
                ) from error
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                raise PlatformError("Envoy was replaced while it was asked", _WAY_OUT) from error

    async def _hosts(self, patterns: Sequence[str]) -> list[list[AdminHost]]:
        """Envoy goes through all clusters for each question: those of hundreds of services are asked for at once."""
        wanted = "|".join(dict.fromkeys(patterns))
        statuses = json.loads(await self.get("/clusters", format="json", filter=wanted)).get("cluster_statuses", [])
        found = [_host(status["name"], host) for status in statuses for host in status.get("host_statuses", [])]
        if len(patterns) == 1:
            return [found]
        return [[host for host in found if re.search(pattern, host.cluster)] for pattern in patterns]

    async def _settle(self, asking: Sequence[None]) -> list[None]:
        await self._flushed(await self.stats(_DROPPED), _DROPPED)
        return list(asking)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.UnixConnector(path=f"/proc/self/fd/{self._directory}/{ADMIN}", limit=0)
            self._session = aiohttp.ClientSession(connector=connector, raise_for_status=True)
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dispose()


def _replaced() -> PlatformError:
    return PlatformError("Envoy was replaced before it could be asked", _WAY_OUT)


def _host(cluster: str, status: dict[str, Any]) -> AdminHost:
    health = status["health_status"]
    numbers = {stat["name"]: int(stat.get("value", 0)) for stat in status["stats"]}
    return AdminHost(
        cluster=cluster,
        instance=status["hostname"],
        healthy=not (health.get("failed_active_health_check") or health.get("failed_outlier_check")),
        draining=health.get("eds_health_status") == "DRAINING",
        standing_in=status.get("priority", 0) > 0,
        active=numbers["rq_active"] + numbers["rq_pending_active"],
    )


def histogram(text: str) -> tuple[tuple[float, int], ...]:
    """`B1(0,3) B2(1,4)`: the second number of each bucket is its total; nothing recorded yet is nothing."""
    return tuple((float(bound), int(total)) for bound, total in _BUCKET.findall(text))
