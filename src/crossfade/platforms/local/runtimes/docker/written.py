"""What the containers of a service wrote: Docker's own record, or what was kept of one that is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from crossfade.platforms.local.runtimes.docker import container
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.processes.logs import Logs, tail

if TYPE_CHECKING:
    from docker import DockerClient

FOLLOW_SECONDS = 0.3


class Written:
    """Lines by instance, oldest first. `find` lists the containers that carry a mark, as Docker describes them."""

    def __init__(self, daemon: Daemon, logs: Logs, find: Callable[..., list[dict[str, Any]]]) -> None:
        self._daemon, self._logs, self._find = daemon, logs, find

    async def lines(
        self, service: str, *, instance: str | None, lines: int, follow: bool
    ) -> AsyncIterator[tuple[str, str]]:
        """See `Runtime.logs`."""
        read: dict[str, str] = {}
        for pair in self._kept(service, instance, lines) if not await self._there(service, instance) else ():
            yield pair
        while True:
            written = await self._daemon.ask(lambda client: self._read(client, service, instance, lines, read))
            for _, name, line in sorted(written):
                yield name, line
            if not follow:
                return
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _there(self, service: str, instance: str | None) -> bool:
        return bool(await self._daemon.ask(lambda client: self._wanted(client, service, instance)))

    def _wanted(self, client: "DockerClient", service: str, instance: str | None) -> list[dict[str, Any]]:
        found = self._find(client, service=service)
        return [entry for entry in found if instance in {None, container.instance(entry)}]

    def _kept(self, service: str, instance: str | None, lines: int) -> list[tuple[str, str]]:
        """The log of a container that is gone: of this one, else of the last there was."""
        if instance is not None:
            return [(instance, line) for line in tail(self._logs.find(service, instance), lines)[0]]
        return [
            (name, line)
            for name in self._logs.latest(service)
            for line in tail(self._logs.path(service, name), lines)[0]
        ]

    def _read(
        self, client: "DockerClient", service: str, instance: str | None, lines: int, read: dict[str, str]
    ) -> list[tuple[str, str, str]]:
        """(time, instance, line) written since `read`, which holds the time of the last line of each instance."""
        found = []
        for entry in self._wanted(client, service, instance):
            name = container.instance(entry)
            last = None if name in read else lines
            new = container.stamped_lines(client.api, entry["Id"], last=last, after=read.get(name, ""))
            read[name] = new[-1][0] if new else read.get(name, "")
            found += [(time, name, line) for time, line in new if last != 0]
        return found
