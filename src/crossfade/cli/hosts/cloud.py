"""Hosts that AWS has: asked for by name, let in for one command, taken out of service one by one."""

import asyncio
import ipaddress
import os
import secrets
import shutil
import urllib.request
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self, TypeVar

from crossfade.aws.places import Places
from crossfade.cli.call import who
from crossfade.cli.loop_thread import LoopThread
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.clock import SystemClock
from crossfade.engine.hosts import fold
from crossfade.engine.ports.hosts import HostLostError
from crossfade.engine.ports.journal import Event
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.environment import pace
from crossfade.platforms.aws.journal import DynamoJournal
from crossfade.platforms.aws.servers.found import FoundServer, Servers, find
from crossfade.platforms.aws.servers.membership import Membership
from crossfade.platforms.aws.servers.record import HolderRecord
from crossfade.platforms.aws.servers.way_in import WayIn
from crossfade.platforms.aws.table import Table
from crossfade.platforms.hosts.ssh import Login

ADDRESS = "CROSSFADE_ADDRESS"  # who deploys, as the hosts see it
ASKED = "https://checkip.amazonaws.com"
LEASE, SHORTEST_LEASE = 60.0, 6.0
SESSION = "aws ssm start-session --region {} --target {} --document-name AWS-StartSSHSession --parameters portNumber=%p"

SESSION_PROGRAMS = ("aws", "session-manager-plugin")

T = TypeVar("T")


class CloudHosts:
    """One environment's hosts on AWS, as a context: the way in is closed with it, and the record free for others."""

    def __init__(self, app: str, environment: str, told: Mapping[str, Any]) -> None:
        """Ask AWS which hosts there are. Raises what it says when it cannot be asked, or knows of none."""
        self._told = told
        self._pace = pace()
        self._loop = LoopThread(f"AWS of {app}@{environment}")
        self._clients = Clients(told["region"], account=told["account"])
        self._way_in: WayIn | None = None
        self._record: HolderRecord | None = None
        places = Places(app, environment)
        try:
            self._servers: Servers = self._run(find(self._clients, places, told["service"], private=told["private"]))
            self._way_in = WayIn(self._clients, self._servers.security_group, places.journal_place)
            table = Table(self._clients, places.journal, places.journal_place)
            shown = self._run(table.time())
            self._journal = DynamoJournal(table, SystemClock(wall=lambda: shown))
        except BaseException:
            self._leave()
            raise
        self._by_name = {f"{told['user']}@{server.address}": server for server in self._servers.all}
        self._known_hosts = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def journal(self) -> "CloudJournal":
        assert self._record is not None  # noqa: S101  `open` took it
        return CloudJournal(self, self._record)

    def record(self) -> Sequence[Event]:
        return self._run(HolderRecord(self._journal, "", 0).read())

    def open(self, folder: Path, *, writes: bool) -> None:
        """Let this machine in. Who `writes` is the only one who does, and first closes whatever others left open."""
        if self._told["private"]:
            _require_sessions()
        self._write_keys(folder)
        if writes:
            lease = max(SHORTEST_LEASE, LEASE / self._pace)
            self._record = HolderRecord(self._journal, f"{who()}, process {os.getpid()}-{secrets.token_hex(2)}", lease)
            self._run(self._record.take())
        if self._told["private"]:
            return  # Session Manager leads there without an open port
        assert self._way_in is not None  # noqa: S101  who has no way in was never made
        if writes or self._run(HolderRecord(self._journal, "", 0).held()) is None:
            self._run(self._way_in.close_left(everything=writes))
        what = f"look {secrets.token_hex(4)} by {who()}"
        if self._record:
            ledger = fold.ledger_of(self._record.known)
            number = ledger.active.id if ledger.active else len(ledger.rollouts) + 1
            what = f"rollout {number} by {who()}"
            self._run(self._record.append("way in opens", {"says": self._way_in.said(what)}))
        self._run(self._way_in.open(_address(), what, self._check, writes=writes))

    def login(self, login: Login) -> Login:
        """The same by its instance's name, whose key AWS was told; through Session Manager where it is private."""
        server = self._by_name[login.host]
        through = SESSION.format(self._told["region"], server.id) if self._told["private"] else ""
        return replace(login, alias=server.id, known_hosts=login.known_hosts or self._known_hosts, through=through)

    def listens(self, host: str) -> str:
        """The address at which it answers the load balancer."""
        return self._by_name[host].listens

    def serves(self, host: str) -> bool:
        return self._run(self._membership(host).serves())

    def leave(self, host: str) -> bool:
        """Out of service and idle. False where nobody else serves: then it stays in."""
        return self._named(host, self._membership(host).leave())

    def enter(self, host: str) -> None:
        """In service. PlatformError says what the load balancer finds wrong with it."""
        self._named(host, self._membership(host).enter())

    def append(self, record: HolderRecord, kind: str, data: Mapping[str, Any]) -> Event:
        return self._run(record.append(kind, data))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """First what Ctrl-C broke off ends: it would put a host into service after whoever comes next took it out."""
        self._loop.end()
        try:
            if self._way_in:
                self._run(self._way_in.close())
        finally:
            if self._record:
                self._run(self._record.leave())
            self._run(self._clients.close())
            self._loop.close()

    def _membership(self, host: str) -> Membership:
        return Membership(
            self._clients,
            self._servers,
            self._by_name[host],
            fence=self._check,
            sleep=asyncio.sleep,
            pace=self._pace,
        )

    async def _check(self) -> None:
        if self._record:
            await self._record.check()

    def _write_keys(self, folder: Path) -> None:
        """What the hosts told AWS, as SSH reads it. Without a key of its own a host is not spoken to."""
        path = folder / "known_hosts"
        path.write_text("".join(f"{one.id} {one.key}\n" for one in self._servers.all if _is_key(one)))
        self._known_hosts = str(path)

    def _named(self, host: str, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._run(work)
        except PlatformError as error:
            kind = HostLostError if isinstance(error, HostLostError) else PlatformError
            raise kind(f"{host}: {error.cause}", error.way_out) from error

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)


class CloudJournal:
    """`HostsJournal` of an environment on AWS."""

    def __init__(self, cloud: CloudHosts, record: HolderRecord) -> None:
        self._cloud, self._record = cloud, record

    def events(self) -> Sequence[Event]:
        return self._record.known

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        return self._cloud.append(self._record, kind, data)

    def close(self) -> None:
        """With the cloud."""


def _require_sessions() -> None:
    """WrongInputError without what leads to private hosts: SSH would only say that somebody closed the connection."""
    if missing := [name for name in SESSION_PROGRAMS if shutil.which(name) is None]:
        raise WrongInputError(
            f"hosts with private addresses are reached by Session Manager, which takes {' and '.join(missing)} here",
            "install the AWS CLI and its Session Manager plugin, or use `compute: {address: fixed}`",
        )


def _is_key(server: FoundServer) -> bool:
    return "\n" not in server.key and len(server.key.split()) == 2  # noqa: PLR2004  its kind and itself


def _address() -> str:
    """This machine as the hosts see it, as a CIDR."""
    said = os.environ.get(ADDRESS, "").strip()
    return _cidr(said, ADDRESS) if said else _cidr(_asked(), ASKED)


def _asked() -> str:
    try:
        with urllib.request.urlopen(ASKED, timeout=10) as answer:
            return str(answer.read(64).decode("ascii", "replace").strip())
    except (OSError, HTTPException) as error:
        raise PlatformError(
            f"the address by which this machine reaches the hosts is not known: {ASKED} does not answer",
            f"set {ADDRESS} to it",
        ) from error


def _cidr(said: str, source: str) -> str:
    """Of a proxy that answers in place of whoever was asked it is the proxy's page that `said` shows."""
    try:
        network = ipaddress.ip_network(said)
    except ValueError as error:
        raise WrongInputError(
            f'{source}: found "{said}"', f"set {ADDRESS} to an address such as 203.0.113.7"
        ) from error
    if not network.prefixlen:
        raise WrongInputError(f"{source}: {said} is everybody", f"set {ADDRESS} to the address of whoever deploys")
    return str(network)
