"""The controller's process: one a machine, started on demand, gone without anybody noticing."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from crossfade.adapters import BALANCERS, require_known
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.server import Api, serve
from crossfade.controller.lock import Lock
from crossfade.controller.orders import Orders
from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.engine.journal import Journal
from crossfade.paths import State, unusable
from crossfade.platforms.local.machine import Machine

log = logging.getLogger("crossfade")

WATCH_SECONDS = 0.2  # how soon a dead balancer is noticed and started again
BALANCER_PAUSE = 2.0  # at most, before one that did not start is started again


async def run(
    state: State,
    balancer: str,
    *,
    tcp: tuple[str, int] | None = None,
    token: str = "",
    journal: Callable[[Journal], Journal] | None = None,
) -> None:
    """Be the controller until SIGTERM, SIGINT or an order to stop. Instances and the balancer outlive it."""
    state.prepare()
    with Lock(state):
        hub = Hub()
        machine = Machine(state, balancer, hub.tell, journal)
        stop: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def end(everything: bool) -> None:  # noqa: FBT001  a callback's one fact
            if not stop.done():
                stop.set_result(everything)

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end, False)  # noqa: FBT003
        # Not the pid: who holds the lock above takes over the leases of a controller that was killed at once.
        holder = f"the controller on {socket.gethostname()} in {state.root}"
        orders = Orders(machine.world, holder, machine.secrets)
        async with AsyncExitStack() as leaving:
            leaving.push_async_callback(machine.close)
            await orders.start()
            newest = await machine.journal.read(limit=1, newest=True)
            hub.seq = max(hub.seq, *(event.seq for event in newest), 0)  # who deploys next is told nothing older
            leaving.push_async_callback(orders.close)
            runner = await serve(Api(orders, hub, end, token), state.socket, tcp)
            leaving.push_async_callback(runner.cleanup)
            watch = partial(_watch_balancer, machine)
            orders.registry.supervisor.keep("the balancer", watch, longest_pause=BALANCER_PAUSE)
            log.info("controller ready, pid %s", os.getpid())
            everything = await stop
            state.socket.unlink(missing_ok=True)
            if everything:
                await machine.balancer.shutdown()


async def _watch_balancer(machine: Machine) -> None:
    """A balancer that died is started again; it finds its routing where it left it."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await machine.balancer.ensure()


def main() -> int:
    """Entry of the background process: `python -m crossfade.controller.daemon STATE BALANCER`."""
    state = State(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    tcp_address, token = os.environ.get("CROSSFADE_TCP", ""), os.environ.get("CROSSFADE_TOKEN", "")
    tcp = None
    if tcp_address and token:
        host, _, port = tcp_address.rpartition(":")
        tcp = (host or "127.0.0.1", int(port))
    try:
        balancer = require_known(BALANCERS, sys.argv[2], "the balancer to start", "nothing was changed")
        asyncio.run(run(state, balancer, tcp=tcp, token=token))
    except CrossfadeError as error:
        print(error, file=sys.stderr)  # noqa: T201  the starter reads it from our log
        return error.exit_code
    except OSError as error:
        print(unusable(error, state.root), file=sys.stderr)  # noqa: T201  as above
        return PlatformError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
