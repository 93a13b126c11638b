"""An environment that is not on this machine: this process is its controller, in a thread beside the verb.

So every verb asks the same API in the same words, wherever what it asks about runs.
"""

import asyncio
import os
import queue
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, who
from crossfade.cli.client import ControllerClient
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError

if TYPE_CHECKING:
    from crossfade.file.model import App

PATIENCE = 150.0  # seconds for one answer: AWS may throttle for a minute, and its first look is a dozen calls
LEAVING = 20.0  # seconds to give leases back; who is killed instead loses them all the same, a minute later

_OPEN = "crossfade.away"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAddress:
    """What of the file says where an environment is."""

    app: str
    environment: str
    platform: str
    region: str
    account: str | None = None
    compute: str = "fargate"  # what runs its services there
    host: str = ""  # the name that its certificate is for, where it has one
    log_group: str | None = None  # where what runs on hosts is read; empty: nowhere
    revision: Mapping[str, str] | None = None  # what goes with a source that CodeDeploy brings to hosts, texts by path

    @property
    def home(self) -> str:
        return f"{self.app}@{self.environment}"


def away(call: Call) -> "Away | None":
    """The environment that a call names, when it is elsewhere; it is opened once and closed with the command.

    Raises WrongInputError for a file or an environment that is not there.
    """
    from crossfade.aws.resources.hostnames import balancer_names
    from crossfade.aws.resources.hosts import hosts_log_group
    from crossfade.file.load import load

    context = click.get_current_context()
    known: dict[tuple[str | None, str | None], Away | None] = context.meta.setdefault(_OPEN, {})
    asked = (str(call.file) if call.file else None, call.environment)
    if asked not in known:
        path = call.required()
        app = load(path.absolute(), call.environment, called=str(path))
        known[asked] = None
        if app.platform != "local":
            where = CloudAddress(
                app=app.name,
                environment=app.environment,
                platform=app.platform,
                region=app.cloud.region,
                account=app.cloud.account,
                compute=app.cloud.compute.kind,
                host=next(iter(balancer_names(app)), ""),
                log_group=hosts_log_group(app),
                revision=_revision(app),
            )
            known[asked] = opened = Away(where)
            context.call_on_close(opened.close)
    return known[asked]


def _revision(app: "App") -> Mapping[str, str] | None:
    """RefusedError where CodeDeploy moves the visitors by itself: two hands would."""
    from crossfade.aws.resources.hosts import by_revision
    from crossfade.aws.terraform.revision import by_codedeploy, carried

    if by_codedeploy(app) and not by_revision(app):
        raise RefusedError(
            f"CodeDeploy deploys to {app.environment} by itself: `cloud: {{pipeline: {{strategy: codedeploy-only}}}}`",
            "its pipeline begins deployments; for crossfade's, write `strategy: hybrid` and run "
            f"`crossfade infra apply -e {app.environment}`",
        )
    return carried(app) if by_revision(app) else None


class Away:
    """The open environment. `client` asks it."""

    def __init__(self, where: CloudAddress) -> None:
        """Open it. Raises what the platform says when it cannot be."""
        self.where = where
        self._folder = Path(tempfile.mkdtemp(prefix="crossfade-"))
        self._socket = self._folder / "socket"
        self._started: queue.Queue[BaseException | None] = queue.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"carrier of {where.home}", daemon=True)
        self._thread.start()
        trouble = self._started.get()
        if trouble is not None:
            self.close()
            raise trouble
        self.client = ControllerClient(self._socket, patience=PATIENCE)
        with suppress(ValueError):  # not in the main thread: then somebody else looks after signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled leaves as with Ctrl-C

    def close(self) -> None:
        """Give back what is held, wherever it stands."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(LEAVING)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._carry())
        except CrossfadeError as error:
            self._started.put(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the verb must not wait for ever
            self._started.put(PlatformError(f"{self.where.home} cannot be worked with: {error!r}"))

    async def _carry(self) -> None:
        from crossfade.adapters import PLATFORMS, adapter
        from crossfade.controller.api.hub import Hub
        from crossfade.controller.carrier.carrier import Carrier

        self._loop = asyncio.get_running_loop()
        hub, where = Hub(), self.where
        # Two processes of one person are two holders: each of them has to see when the other has the lease.
        holder = f"{who()}, process {os.getpid()}-{secrets.token_hex(2)}"
        async with (
            adapter(PLATFORMS, where.platform)(
                where.app,
                where.environment,
                region=where.region,
                account=where.account,
                told=hub.tell,
                compute=where.compute,
                host=where.host,
                log_group=where.log_group,
                revision=where.revision,
            ) as environment,
            Carrier(environment, hub, holder, self._socket).serving(),
        ):
            self._started.put(None)
            await self._stop.wait()
