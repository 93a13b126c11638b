"""One machine: the only place where its adapters are chosen and put together."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from crossfade.adapters import BALANCERS, RUNTIMES, adapter
from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.engine.ports.journal import Event, Journal
from crossfade.engine.ports.runtime import JobRunner, Runtime
from crossfade.engine.ports.seats import Seats
from crossfade.engine.world import World
from crossfade.paths import StateDirectory
from crossfade.platforms.local.balancers.premises import move_in
from crossfade.platforms.local.inside import Doors
from crossfade.platforms.local.journal import SqliteJournal
from crossfade.platforms.local.kernel.memory import killed_for_memory
from crossfade.platforms.local.probes import HttpProbe
from crossfade.platforms.local.runtimes import open_files
from crossfade.platforms.local.runtimes.docker.stores import DockerStores
from crossfade.platforms.local.runtimes.given import GivenSecrets
from crossfade.platforms.local.runtimes.processes import logs
from crossfade.platforms.local.runtimes.room import require_room, require_start
from crossfade.platforms.local.runtimes.secrets import SecretStore


class LocalRuntime(Runtime, JobRunner, Seats, Protocol):
    """Runs instances, and jobs and people's commands beside them."""

    def tell_ends(self, told: Callable[[str], None]) -> None:
        """Have `told` called with `app/service` as soon as an instance of it ends, where that shows at once."""
        ...


class Runtimes(dict[str, LocalRuntime]):
    """Runtimes by the name that a release has. PlatformError for one that a newer crossfade must have deployed."""

    def __missing__(self, name: str) -> LocalRuntime:
        raise PlatformError(
            f'a release of it runs in "{name}", this crossfade knows {", ".join(self)}',
            "was it deployed by a newer crossfade? use that one",
        )


class LocalBalancer(LoadBalancer, Protocol):
    """A balancer whose process is on this machine."""

    def require_doors(self, wanted: Iterable[Service], beside: Iterable[Service]) -> None:
        """RefusedError when the ports of the services `wanted` cannot all be open with those of the ones `beside`."""
        ...

    async def died(self, limit: float) -> bool:
        """Return when its process has ended, at once, and after `limit` seconds at the latest: whether it did."""
        ...


class Machine:
    """Everything one controller works with on one machine. `balancer` is one of `adapters.BALANCERS`.

    `journal` wraps the real one in the tests that kill the controller at every write.
    """

    def __init__(
        self,
        state: StateDirectory,
        balancer: str,
        told: Callable[[Event], None],
        journal: Callable[[Journal], Journal] | None = None,
    ) -> None:
        state.prepare()
        open_files.raise_ours()
        require_start()
        self.clock = SystemClock()
        sqlite = SqliteJournal(state.journal, self.clock)
        self.clock.not_before(sqlite.newest())
        self.journal = journal(sqlite) if journal else sqlite
        self.inherit = sqlite.inherit
        self.secrets = SecretStore(state.secrets)
        self.given = GivenSecrets(state.secrets, self.clock)
        self._probe = HttpProbe(self._silent)
        move_in(state.balancer, balancer)
        self.balancer: LocalBalancer = adapter(BALANCERS, balancer)(state.balancer, sqlite)
        self.runtimes = Runtimes((name, adapter(RUNTIMES, name)(state.root, sqlite)) for name in RUNTIMES)
        self._doors = Doors(state.root)
        self._stores = DockerStores(state.root)
        self.world = World(
            journal=self.journal,
            runtimes=self.runtimes,
            job_runners=self.runtimes,
            seats=self.runtimes,
            balancer=self.balancer,
            ask=self._probe.ask,
            visit=self._probe.visit,
            clock=self.clock,
            secrets=self.secrets.of,
            told=told,
            room=require_room,
            openable=self.balancer.require_doors,
            inside=self._doors.of,
            stores=self._stores,
            snapshot=state.snapshot,
        )

    async def balancer_ended(self, limit: float) -> str:
        """How the balancer's process ended, as soon as it does; empty when it has not within `limit` seconds."""
        killed = killed_for_memory()
        if not await self.balancer.died(limit):
            return ""
        return "ended just when the kernel killed one for want of memory" if killed_for_memory() > killed else "ended"

    @staticmethod
    def shorten(log: Path) -> None:
        """Begin a log anew that grew too big, under whoever appends to it."""
        logs.shorten(log)

    def tell_ends(self, told: Callable[[str], None]) -> None:
        """See LocalRuntime."""
        for runtime in self.runtimes.values():
            runtime.tell_ends(told)

    async def _silent(self, address: str) -> str:
        for runtime in self.runtimes.values():
            if why := await runtime.silent(address):
                return why
        return ""

    async def close(self) -> None:
        """Let go of everything; instances and the balancer go on."""
        await self._probe.close()
        await self._doors.close()
        await self._stores.close()
        for runtime in self.runtimes.values():
            await runtime.close()
        await self.balancer.close()
        await self.journal.close()
