"""The controller's process: one a machine, started on demand, gone without anybody noticing."""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import FrameType

from crossfade.adapters import BALANCERS, require_known
from crossfade.controller.api.given import GivenRoutes
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import reachable, serve, serve_metrics
from crossfade.controller.api.server import Api
from crossfade.controller.lock import Lock
from crossfade.controller.notify.channels import Channels
from crossfade.controller.notify.notify import Notifier
from crossfade.controller.orders import Orders
from crossfade.controller.page.door import PagePort
from crossfade.controller.supervisor import Supervisor
from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.engine.ports.journal import Journal
from crossfade.paths import StateDirectory, unusable
from crossfade.platforms.local.machine import Machine
from crossfade.shell import OTHERS_WRITE, mask, require_lasting
from crossfade.shortage import shortage

log = logging.getLogger("crossfade")

SAID_AGAIN = 60.0  # seconds until the same is said again
_REMEMBERED = 100  # of what was said
WATCH_SECONDS = 1.0  # how often a balancer is asked whether it hangs; of one that died we know at once
_BALANCER = "the balancer"
_DIRECTORY = "the state directory"
BALANCER_PAUSE = 2.0  # at most, before one that did not start is started again


async def run(
    state: StateDirectory,
    balancer: str,
    *,
    tcp: tuple[str, int] | None = None,
    token: str = "",
    metrics: tuple[str, int] | None = None,
    journal: Callable[[Journal], Journal] | None = None,
) -> None:
    """Be the controller until SIGTERM, SIGINT or an order to stop. Instances and the balancer outlive it."""
    state.prepare()
    with Lock(state) as lock:
        hub = Hub()
        machine = Machine(state, balancer, hub.tell, journal)
        stop: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def end(everything: bool) -> None:  # noqa: FBT001  a callback's one fact
            if not stop.done():
                stop.set_result(everything)

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end, False)  # noqa: FBT003
        # Not the pid: who holds the lock above takes over the leases of a controller that was killed at once, whatever
        # this machine and this directory were called then.
        holder = f"the controller on {socket.gethostname()} in {state.root}"
        machine.inherit(holder)
        orders = Orders(machine.world, holder, machine.secrets, machine.given.of)
        async with AsyncExitStack() as leaving:
            leaving.push_async_callback(machine.close)
            machine.tell_ends(orders.registry.wake)
            await orders.start()
            newest = await machine.journal.read(limit=1, newest=True)
            hub.seq = max(hub.seq, *(event.seq for event in newest), 0)  # who deploys next is told nothing older
            leaving.push_async_callback(orders.close)
            notify = Notifier(orders.registry, Channels(state.notify), holder)
            notify.start()
            leaving.push_async_callback(notify.close)
            door = PagePort(state.socket, state.page)
            api = Api(
                orders, hub, end, token, more=[*door.routes(), *GivenRoutes(machine.given).routes()], notify=notify
            )
            runner = await serve(api, state.socket, tcp)
            leaving.push_async_callback(runner.cleanup)
            await door.reopen()
            leaving.push_async_callback(door.close)
            if metrics:
                leaving.push_async_callback((await serve_metrics(api, metrics)).cleanup)
            watch = partial(_watch_balancer, machine, orders.registry.supervisor)
            orders.registry.supervisor.keep(_BALANCER, watch, longest_pause=BALANCER_PAUSE)
            orders.registry.supervisor.keep(_DIRECTORY, partial(_watch_directory, machine, lock, state, end))
            async with reachable(orders.registry.supervisor, runner, state.socket):
                log.info("controller ready, pid %s", os.getpid())
                everything = await stop
            if everything:
                await orders.registry.supervisor.stop(_BALANCER)  # it would start it again
                await machine.balancer.shutdown()


async def _watch_balancer(machine: Machine, supervisor: Supervisor) -> None:
    """A balancer that died is started again; it finds its routing where it left it. That it did is told for a while."""
    while True:
        how = await machine.balancer_ended(WATCH_SECONDS)
        await machine.balancer.ensure()
        if how:
            supervisor.tell(_BALANCER, f"its process {how}, and another one was started")


async def _watch_directory(machine: Machine, lock: Lock, state: StateDirectory, end: Callable[[bool], None]) -> None:
    """Without its state it can write nothing down and end nothing gently; the next one finds what runs by its marks.

    Meanwhile our own log is kept within its size.
    """
    while lock.in_place:
        machine.shorten(state.log)
        await asyncio.sleep(WATCH_SECONDS)
    log.error("%s was removed or replaced: this controller ends, and the next one finds what runs", state.root)
    end(False)  # noqa: FBT003  what it deployed goes on


class Sparingly(logging.Filter):
    """A filter of the log: what is said again within a minute is said once.

    Without files asyncio says a hundred times a second, each time with where it happened, that a connection could not
    be accepted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        why = record.exc_info[1] if record.exc_info else None  # whichever task fails, the words before it are the same
        said = record.getMessage().partition("\n")[0], repr(why)
        if record.created < self._said.get(said, -math.inf) + SAID_AGAIN:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[said] = record.created
        return True


def main() -> int:
    """Entry of the background process: `python -m crossfade.controller.daemon STATE BALANCER`."""
    state = StateDirectory(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").addFilter(Sparingly())
    token = os.environ.get("CROSSFADE_TOKEN", "")
    try:
        leave_the_shell()
        tcp, metrics = _address("CROSSFADE_TCP"), _address("CROSSFADE_METRICS")
        balancer = require_known(BALANCERS, sys.argv[2], "the balancer to start", "nothing was changed")
        asyncio.run(run(state, balancer, tcp=tcp if token else None, token=token, metrics=metrics))
    except CrossfadeError as error:
        print(error, file=sys.stderr)  # noqa: T201  the starter reads it from our log
        return error.exit_code
    except OSError as error:
        print(unusable(error, state.root), file=sys.stderr)  # noqa: T201  as above
        return PlatformError.exit_code
    except (RuntimeError, MemoryError) as error:
        if (lacking := shortage(error)) is None:
            raise
        print(lacking, file=sys.stderr)  # noqa: T201  as above
        return lacking.exit_code
    return 0


def _ignore(number: int, frame: FrameType | None) -> None:
    """What we are to ignore, as below `nohup`, we go on ignoring; what we start does not inherit a handler."""


def leave_the_shell() -> None:
    """What the shell that happens to start us ignores or allows is not for apps that are deployed weeks later.

    A command that inherits an ignored SIGTERM is not told to end, and has to be killed. PlatformError for a limit that
    cannot be left, and that would end them, or the journal, some time.
    """
    mask(OTHERS_WRITE)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # Python's own
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)
    require_lasting()


def _address(variable: str) -> tuple[str, int] | None:
    """`host:port` or a port alone, which means this machine only."""
    said = os.environ.get(variable, "")
    host, _, port = said.rpartition(":")
    if not said:
        return None
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise WrongInputError(
            f"{variable} is '{said}', which is not an address", "give host:port, such as 127.0.0.1:9464"
        )
    return host.strip("[]") or "127.0.0.1", int(port)


if __name__ == "__main__":
    sys.exit(main())
