"""An environment on hosts, opened: a connection to each, and what each one's crossfade says of itself."""

import json
import select
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

import click

from crossfade import __version__
from crossfade.cli.call import Call, who
from crossfade.cli.hosts.api import HostApi
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError
from crossfade.engine.ports.hosts import HostLostError, HostsJournal
from crossfade.engine.ports.journal import Event
from crossfade.file.parts.hosts import name_of
from crossfade.platforms.hosts.journal import KeptJournal
from crossfade.platforms.hosts.scratch import Scratch
from crossfade.platforms.hosts.ssh import CommandError, HostConnection, Login

if TYPE_CHECKING:
    from crossfade.cli.hosts.cloud import CloudHosts

Json = Mapping[str, Any]
T = TypeVar("T")

START_SECONDS = 60.0  # for a host's controller to come up
_NOT_FOUND = 127  # a shell's code for a command that is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the file says of an environment on hosts."""

    app: str
    environment: str
    hosts: tuple[str, ...]
    balancer: str | None
    ssh: Json
    outside: Json = field(default_factory=dict)
    cloud: "CloudHosts | None" = None

    @property
    def home(self) -> str:
        return f"{self.app}@{self.environment}"

    def command(self, *words: str) -> str:
        """A command line of the hosts' crossfade, whose own name a shell may complete: ~/.crossfade/bin/crossfade."""
        return f"{self.ssh['crossfade']} {shlex.join(words)}"

    def own(self, host: str) -> str:
        """The address that a host has for those who ask it."""
        return self.cloud.listens(host) if self.cloud else name_of(host)

    def login(self, host: str) -> Login:
        login = Login(
            host=host,
            key=self.ssh["key"],
            known_hosts=self.ssh["known_hosts"],
            timeout=self.ssh["timeout"],
        )
        return self.cloud.login(login) if self.cloud else login


def where_of(told: Json) -> Where:
    """From `hosts` of `deployable`. Hosts that AWS has are asked for, and let go of with the command."""
    if told["cloud"] is None:
        return Where(**{**told, "hosts": tuple(told["hosts"])})
    from crossfade.cli.hosts.cloud import CloudHosts

    cloud = click.get_current_context().with_resource(CloudHosts(told["app"], told["environment"], told["cloud"]))
    return Where(**{**told, "hosts": cloud.hosts, "cloud": cloud})


def hosts_of(call: Call) -> Where | None:
    """The environment that is meant, when it is on hosts. WrongInputError for one that the file has not."""
    path = call.required()
    with suppress(OSError, UnicodeDecodeError):
        if "hosts" not in path.read_text(encoding="utf-8"):
            return None  # without reading it as a whole, which takes longer than most verbs do
    from crossfade.file.deployable import reached
    from crossfade.file.load import load

    app = load(path.absolute(), call.environment, called=str(path))
    return where_of(reached(app, path.absolute().parent)) if app.over_ssh else None


@dataclass(slots=True, kw_only=True)
class Reached:
    """One host that answered. `state` and `path` are its crossfade's state directory and its shell's PATH."""

    name: str
    connection: HostConnection
    state: str = ""
    path: str = ""
    api: HostApi


class Hosts:
    """The environment's hosts, as a context: whatever is opened is closed with it."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self._scratch = Scratch()
        self._connections: dict[str, HostConnection] = {}
        self.reached: dict[str, Reached] = {}
        self._keeper: subprocess.Popen[bytes] | None = None
        self._journal: KeptJournal | None = None

    @property
    def folder(self) -> Path:
        """For files on their way: of mode 0700, and gone with the rest."""
        return self._scratch.path

    def open(self, *, up: bool = True) -> None:
        """Reach every host. Raises what is wrong with the first one that does not answer; all others are left alone.

        `up` is for who means to change something: controllers that do not run are started, and the record is asked for.
        """
        self._let_in(writes=up)
        self._require(self._each(self.where.hosts, lambda host: self._reach(host, up=up)))

    def open_some(self) -> dict[str, CrossfadeError]:
        """Reach whichever hosts answer, and start nothing there; why the others do not, by name."""
        self._let_in(writes=False)
        found = self._each(self.where.hosts, lambda host: self._reach(host, up=False))
        return {host: error for host, error in found.items() if isinstance(error, CrossfadeError)}

    def connect(self) -> dict[str, HostConnection]:
        """Connections alone, whatever the hosts have of crossfade."""
        self._let_in(writes=True)
        self._require(self._each(self.where.hosts, self._connect))
        return self._connections

    def each(self, act: Callable[[Reached], T]) -> dict[str, T]:
        """Do it with all hosts at once, and raise the first error there was."""
        return self._require(self._each(self.where.hosts, lambda host: act(self.reached[host])))

    def journal(self) -> HostsJournal:
        """The record, for ourselves. RefusedError while somebody else works on this environment."""
        if self.where.cloud:
            return self.where.cloud.journal
        assert self._keeper is not None  # noqa: S101  `open` began it
        self._journal = KeptJournal(self._keeper, self.where.hosts[0])
        return self._journal

    def record(self) -> Sequence[Event]:
        """What is on record, whoever writes to it. HostLostError when the first host does not answer."""
        if self.where.cloud:
            return self.where.cloud.record()
        first = self.where.hosts[0]
        if first not in self.reached:
            raise HostLostError(f"{first}, which keeps the record, does not answer")
        told = json.loads(self._connections[first].run(self.where.command("hosts", "keep", self.where.home, "--look")))
        return [Event(**event) for event in told["events"]]

    def __enter__(self) -> Self:
        with suppress(ValueError):  # not in the main thread: then somebody else looks after signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled leaves as with Ctrl-C
        return self

    def __exit__(self, *_: object) -> None:
        if self._journal:
            self._journal.close()
        elif self._keeper:
            self._keeper.kill()
            self._keeper.wait()
        for connection in self._connections.values():
            connection.close()
        self._scratch.close()

    def _let_in(self, *, writes: bool) -> None:
        if self.where.cloud:
            for host in self.where.hosts:
                self.where.login(host).require_files()  # or port 22 is opened for nobody
            self.where.cloud.open(self.folder, writes=writes)

    def _connect(self, host: str) -> HostConnection:
        folder = self.folder / str(self.where.hosts.index(host))
        folder.mkdir()
        connection = self._connections[host] = HostConnection(self.where.login(host), folder)
        connection.open()
        return connection

    def _reach(self, host: str, *, up: bool) -> Reached:
        connection = self._connect(host)
        options = ["--up"] if up else []
        options += ["--balancer", self.where.balancer] if up and self.where.balancer else []
        keeps = up and host == self.where.hosts[0] and not self.where.cloud
        try:
            said = self._keeping(connection, options) if keeps else b""
            # Who cannot keep the record says nothing, and is asked again for what is wrong with it.
            said = said or connection.run(self.where.command("hosts", "here", *options), seconds=START_SECONDS)
            here = json.loads(said.splitlines()[-1])
        except CommandError as error:
            raise self._unfit(host, error) from error
        except (ValueError, IndexError) as error:
            raise PlatformError(
                f"{host}: this crossfade does not understand what the one there answers", self._setup()
            ) from error
        if here["version"] != __version__:
            raise RefusedError(f"{host} has crossfade {here['version']}, and this is {__version__}", self._setup())
        api = HostApi(host, connection.forward(here["socket"]))
        self.reached[host] = Reached(name=host, connection=connection, state=here["state"], path=here["path"], api=api)
        return self.reached[host]

    def _keeping(self, connection: HostConnection, options: Sequence[str]) -> bytes:
        """Begin to keep the record there. The same process says what the host is: each takes a tenth of a second."""
        words = ("hosts", "keep", self.where.home, "--by", who(), *options)
        self._keeper = connection.talk(self.where.command(*words))
        assert self._keeper.stdout is not None  # noqa: S101  it was asked for
        return first_line(self._keeper.stdout, connection.login.host, START_SECONDS)

    def _unfit(self, host: str, error: CommandError) -> CrossfadeError:
        if error.code == _NOT_FOUND:
            return PlatformError(f"{host} has no crossfade ({self.where.ssh['crossfade']})", self._setup())
        lines = error.output.splitlines()
        with suppress(ValueError, LookupError):
            why = json.loads(lines[-1])["error"]
            way_out = self._setup() if "No such command" in why["cause"] else why["way_out"]
            return PlatformError(f"{host}: {why['cause']}", way_out)
        return PlatformError(error.cause, f"log in to {host} and see what `crossfade up` says")

    def _setup(self) -> str:
        return f"`crossfade hosts setup -e {self.where.environment}` installs this version there"

    def _each(self, hosts: Sequence[str], act: Callable[[str], T]) -> dict[str, T | CrossfadeError]:
        def attempt(host: str) -> T | CrossfadeError:
            try:
                return act(host)
            except CrossfadeError as error:
                return error

        with ThreadPoolExecutor(len(hosts)) as threads:
            return dict(zip(hosts, threads.map(attempt, hosts), strict=True))

    def _require(self, found: Mapping[str, T | CrossfadeError]) -> dict[str, T]:
        good: dict[str, T] = {}
        for host, result in found.items():
            if isinstance(result, CrossfadeError):
                raise result
            good[host] = result
        return good


def first_line(pipe: IO[bytes], host: str, seconds: float) -> bytes:
    """What a host says first; empty where it ends without a word. HostLostError when it says nothing in time."""
    if not select.select([pipe], [], [], seconds)[0]:
        raise HostLostError(f"{host} did not answer within {seconds:g} s")
    return pipe.readline()


def opened(where: Where) -> Hosts:
    """The environment's hosts, closed with the command."""
    return click.get_current_context().with_resource(Hosts(where))
