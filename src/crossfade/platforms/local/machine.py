"""The only place where adapters are chosen and put together."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from crossfade.engine.loop import World
from crossfade.engine.ports import Event, Fence, Journal, LoadBalancer, Runtime
from crossfade.paths import State
from crossfade.platforms.local.journal import SqliteJournal
from crossfade.platforms.local.probes import HttpProbe
from crossfade.platforms.local.runtimes.docker.runtime import DockerRuntime
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime
from crossfade.platforms.local.runtimes.secrets import SecretStore

BalancerName = Literal["envoy", "nginx"]


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251  the one place that reads it

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Machine:
    """Everything one controller works with on one machine.

    `journal` wraps the real one in the tests that kill the controller at every write.
    """

    def __init__(
        self,
        state: State,
        balancer: BalancerName,
        told: Callable[[Event], None],
        journal: Callable[[Journal], Journal] | None = None,
    ) -> None:
        state.prepare()
        self.clock = SystemClock()
        sqlite = SqliteJournal(state.journal, self.clock)
        self.journal = journal(sqlite) if journal else sqlite
        self.secrets = SecretStore(state.secrets)
        self._probe = HttpProbe()
        self.balancer = _balancer(balancer, state, sqlite)
        self.runtimes: dict[str, Runtime] = {
            "process": ProcessRuntime(state.root, sqlite),
            "docker": DockerRuntime(state.root, sqlite),
        }
        self.world = World(
            journal=self.journal,
            runtimes=self.runtimes,
            balancer=self.balancer,
            ask=self._probe.ask,
            visit=self._probe.visit,
            clock=self.clock,
            secrets=self.secrets.of,
            told=told,
        )

    async def close(self) -> None:
        """Let go of everything; instances and the balancer go on."""
        await self._probe.close()
        for runtime in self.runtimes.values():
            await runtime.close()
        await self.balancer.close()
        await self.journal.close()


def _balancer(name: BalancerName, state: State, fence: Fence) -> LoadBalancer:
    if name == "nginx":
        from crossfade.platforms.local.balancers.nginx import NginxBalancer  # noqa: PLC0415  only its users pay for it

        return NginxBalancer(state.balancer, fence)
    from crossfade.platforms.local.balancers.envoy.balancer import EnvoyBalancer  # noqa: PLC0415  as above

    return EnvoyBalancer(state.balancer, fence)
