"""Logs of hosts, from CloudWatch Logs: streams that are called by their host, of containers with a port."""

from collections.abc import AsyncIterator

from crossfade.aws.places import Places
from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.logs import LogQuery, Said, Writer
from crossfade.platforms.aws.autoscaling.lookout import WINDOWS, GroupLookout
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.following import LOOK, MS, followed


class HostsLogs:
    """Reads what the hosts of a service write; followed, every `look` seconds."""

    def __init__(self, clients: Clients, lookout: GroupLookout, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._lookout, self._clock, self._look = clients, lookout, clock, look

    async def read(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        """Oldest first: the last lines of each host that is there, or all since a moment, then what is new."""
        if Writer.INSTANCE not in query.writers and query.instance is None:
            raise WrongInputError(
                f"builds, hooks and jobs of {service} write no log in AWS",
                "the deploy that builds or runs a hook shows what goes wrong, and hosts run no jobs",
            )
        if not self._lookout.log_group:
            written = Places(service.partition("@")[0], "").processes_log
            raise WrongInputError(
                f"processes of {service} write to {written} on their hosts, and nothing brings it to CloudWatch",
                f"`cloud: {{compute: {{metrics: {{logs: {{app: {written}}}}}}}}}`, and `crossfade infra apply`",
            )
        began = round(self._clock.now() * MS)
        hosts = await self._hosts(service)
        if query.instance is not None and query.instance not in hosts:
            raise WrongInputError(
                f"there is no log of {query.instance} of {service}", f"it has {', '.join(hosts) or 'no hosts'}"
            )
        since = query.since or 0.0
        found = [said for host in _asked(hosts, query) for said in await self._last(host, since, query.lines)]
        for said in sorted(found):
            yield said
        if not query.follow:
            return

        async def new(since: int) -> list[Said]:
            hosts = _asked(await self._hosts(service), query)
            return sorted([said for host in hosts for said in await self._events(host, since)])

        async for said in followed(found, began, new, self._clock, self._look):
            yield said

    async def _hosts(self, service: str) -> list[str]:
        sight = await self._lookout.look(service)
        return sorted(task.id for task in sight.tasks if task.release)

    async def _last(self, host: str, since: float, lines: int) -> list[Said]:
        """Looked for further and further back: of a month's log one would read all pages."""
        found, now = list[Said](), self._clock.now()
        for window in (*WINDOWS, now - since):
            start = max(since, now - window)
            found = await self._events(host, round(start * MS))
            if len(found) >= lines or start == since:
                break
        return found[max(0, len(found) - lines) :]

    async def _events(self, host: str, since: int) -> list[Said]:
        found = await self._clients.all(
            "logs",
            "filter_log_events",
            "events",
            logGroupName=self._lookout.log_group,
            logStreamNamePrefix=host,
            startTime=since,
        )
        return sorted(Said(event["timestamp"] / MS, host, event["message"]) for event in found)


def _asked(hosts: list[str], query: LogQuery) -> list[str]:
    return [host for host in hosts if query.instance in {None, host}]
