"""Logs of a service's containers: Docker's own record, or what was kept of one that is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from crossfade.engine.ports.logs import LogQuery, Said, Writer
from crossfade.platforms.local.runtimes.docker import container
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs

if TYPE_CHECKING:
    from docker import DockerClient

FOLLOW_SECONDS = 0.3
KEPT_LINES = 100_000  # of a container that is cleared away
# By which label one finds the containers of a service that write this; builds have none.
_MARKS = {Writer.INSTANCE: "service", Writer.HOOK: "hook", Writer.JOB: "job"}


class ContainerLines:
    """The lines of containers, oldest first.

    `find` lists the containers that carry a mark, as Docker describes them.
    """

    def __init__(self, daemon: Daemon, logs: ProcessLogs, find: Callable[..., list[dict[str, Any]]]) -> None:
        self._daemon, self._logs, self._find = daemon, logs, find

    async def lines(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        """See `Runtime.logs`."""
        since = "" if query.since is None else datetime.fromtimestamp(query.since, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        read: dict[str, str] = {}
        positions: dict[str, int] = {}
        while True:
            there = await self._daemon.ask(lambda client: self._there(client, service, query))
            said = self._kept(service, query, set(there), read, positions)
            said += await self._daemon.ask(partial(self._read, there=there, query=query, read=read, since=since))
            for one in sorted(said, key=lambda said: said.at):
                yield one
            if not query.follow:
                return
            await asyncio.sleep(FOLLOW_SECONDS)

    def _there(self, client: "DockerClient", service: str, query: LogQuery) -> dict[str, str]:
        """The containers that were asked for, by name."""
        writers = Writer if query.instance is not None else query.writers
        marks = [_MARKS[one] for one in writers if one in _MARKS]
        found = [entry for mark in marks for entry in self._find(client, **{mark: service})]
        named = {container.called(entry): entry["Id"] for entry in sorted(found, key=lambda entry: entry["Created"])}
        return {name: found for name, found in named.items() if query.instance in {None, name}}

    def _kept(
        self, service: str, query: LogQuery, there: set[str], read: dict[str, str], positions: dict[str, int]
    ) -> list[Said]:
        """The logs of what is gone: of this one, else of builds and of what ended; of instances where none is there."""
        said: list[Said] = []
        for name in [name for name in self._gone(service, query, there, read) if name not in there]:
            if name in positions:
                new, positions[name] = self._logs.read_on(service, name, positions[name])
            elif name in read:  # it went while it was followed
                told = container.seconds_of(read[name]) if read[name] else 0.0
                new, positions[name] = self._logs.read(service, name, lines=KEPT_LINES)
                new = [one for one in new if one.at > told]
            else:
                new, positions[name] = self._logs.read(service, name, lines=query.lines, since=query.since)
            said += new
        return said

    def _gone(self, service: str, query: LogQuery, there: set[str], read: dict[str, str]) -> list[str]:
        followed = [name for name in read if self._logs.path(service, name).exists()]
        if query.instance is not None:
            return [] if there else [self._logs.find(service, query.instance).stem]
        names = self._logs.of(service, query.writers, query.since)
        if query.since is None and Writer.INSTANCE in query.writers:
            others = [one for one in query.writers if one is not Writer.INSTANCE]
            names = self._logs.of(service, others, None) if there or read else names[:1] or self._logs.latest(service)
        return list(dict.fromkeys([*followed, *names]))

    def _read(
        self, client: "DockerClient", *, there: dict[str, str], query: LogQuery, read: dict[str, str], since: str
    ) -> list[Said]:
        """What was written since `read`, which holds the time of the last line of each."""
        found: list[Said] = []
        for name, known in there.items():
            last = None if name in read else query.lines
            new = container.stamped_lines(client.api, known, last=last, after=read.get(name, since))
            read[name] = new[-1][0] if new else read.get(name, since)
            found += [Said(container.seconds_of(time), name, line) for time, line in new if last != 0]
        return found
