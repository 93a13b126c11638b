"""The call of a verb: which controller, which app, text or JSON."""

import functools
import getpass
import json
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli import completion
from crossfade.cli.client import ControllerClient
from crossfade.core.errors import WrongInputError
from crossfade.paths import StateDirectory, default_state, state_at
from crossfade.telling.text import plain

if TYPE_CHECKING:
    from crossfade.cli.away import Away

FILE = "crossfade.yaml"
# As `core.service` has them, which takes longer to load than a command has.
STRATEGIES = ("rolling", "blue-green", "canary", "linear", "recreate")
STRATEGY = click.option("--strategy", type=click.Choice(STRATEGIES), help="Instead of the file's.")
_APP = re.compile(r"""^app:\s*(["']?)([\w-]+)\1\s*(?:#.*)?$""", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The common options of one call."""

    state: StateDirectory
    json: bool
    app: str | None = None
    file: Path | None = None
    environment: str | None = None

    @property
    def carries(self) -> bool:
        """This process carries what it follows: no daemon does, where the environment is."""
        return self.environment is not None

    def client(self) -> ControllerClient:
        """What the verb asks: this machine's controller, or ourselves as that of an environment elsewhere."""
        elsewhere = self.away()
        return elsewhere.client if elsewhere else self._here()

    def away(self) -> "Away | None":
        """The environment that is meant, when it is not on this machine."""
        if self.environment is None:
            return None
        from crossfade.cli.away import away

        return away(self)

    def ensured(self, balancer: str | None = None) -> ControllerClient:
        """The same; on this machine the controller is started when it does not run."""
        from crossfade.cli.machine import controller

        elsewhere = self.away()
        return elsewhere.client if elsewhere else controller.ensure(self.state, balancer)

    def acting(self) -> ControllerClient:
        """The same for a verb that changes what was deployed: where nothing ever was, no controller is started."""
        return self.ensured() if self.environment or self.state.used else self._here()

    def _here(self) -> ControllerClient:
        self.state.refuse_newer()
        return ControllerClient(self.state.socket)

    def found(self) -> Path | None:
        """The file that was named, or the nearest one upwards from here."""
        if self.file:
            return self.file
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / FILE).exists():
                return Path(os.path.relpath(folder / FILE))
        return None

    def required(self) -> Path:
        path = self.found()
        if path is None:
            raise WrongInputError(
                f"there is no {FILE} in {Path.cwd()} or above it", "`crossfade init` writes one, or name it with --file"
            )
        return path

    def target(self, client: ControllerClient, service: str | None) -> dict[str, str]:
        """`{"app", "service"}` as the API wants them. The app: named, else the file's, else the only one there is."""
        if service and "/" in service:
            app, _, service = service.partition("/")
        else:
            app = self.home() or _only_app(client)
        return {"app": app, "service": service} if service else {"app": app}

    def chosen_app(self) -> str | None:
        """For what shows everything when nothing is named."""
        return self.home() if self.environment else self.app or (self._app_of_file() if self.file else None)

    def answer(self, data: Any, text: str) -> None:
        """The one result of a verb: a line of JSON, or text for people."""
        click.echo(json.dumps(data) if self.json else plain(text))

    def home(self) -> str | None:
        """The app where it is at home: named, else the file's."""
        elsewhere = self.away()
        return elsewhere.where.home if elsewhere else self.app or self._app_of_file()

    def _app_of_file(self) -> str | None:
        """The name alone, without reading the rest: pydantic would take longer than a rollback does."""
        path = self.found()
        if path is None:
            return None
        try:
            match = _APP.search(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None
        return match[2] if match else None


def who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _only_app(client: ControllerClient) -> str:
    about = client.get("/v1/controller")
    apps = sorted({key.split("/")[0] for key in about["services"] or about.get("taken_down", ())})
    if len(apps) == 1:
        return str(apps[0])
    if not apps:
        raise WrongInputError("nothing was deployed here yet", "`crossfade deploy` brings the first release")
    do = "run here" if about["services"] else "were taken down here"
    raise WrongInputError(f"several apps {do}: {', '.join(apps)}", "name the one you mean with --app")


_STATE = click.option(
    "--state", type=click.Path(path_type=Path), help="State directory. Default: $CROSSFADE_STATE, or in your home."
)
_JSON = click.option("--json", is_flag=True, help="Machine-readable: one JSON object on the last line.")
_NAMED = click.option(
    "--app",
    metavar="NAME",
    shell_complete=completion.apps,
    help="The app. Default: the file's, or the only one there is.",
)
_FILE = click.option("-f", "--file", type=click.Path(path_type=Path), help=f"Default: {FILE} here or above.")
_LONG_FILE = click.option("--file", type=click.Path(path_type=Path), help=f"Default: {FILE} here or above.")
_AWAY = click.option(
    "-e",
    "--environment",
    metavar="NAME",
    shell_complete=completion.environments,
    help="An environment of the file on AWS or hosts. Default: what runs on this machine.",
)
_ENVIRONMENT = click.option(
    "-e",
    "--environment",
    metavar="NAME",
    shell_complete=completion.environments,
    help="Which environment of the file.",
)


def _over_hosts(call: Call, given: dict[str, Any]) -> int | None:
    """The exit code of the verb over the hosts that the call names; None where it names none."""
    if call.environment is None:
        return None
    from crossfade.cli.hosts.verbs import over_hosts

    return over_hosts(call, str(click.get_current_context().command.name), given)


Wrap = Callable[[Callable[..., Any]], Any]


def called(*, app: bool = False, file: bool = False, away: bool = False, state: bool = True, f: bool = True) -> Wrap:
    """Give a verb its common options and hand them over as one `Call`, first. Without `f`, -f is the verb's own.

    `away` gives one that names its app otherwise the options for an environment elsewhere.
    """
    options = [_JSON]
    reads = app or file or away
    named = {name for name, wanted in {"app": app, "file": reads, "environment": reads}.items() if wanted}
    options += [_STATE] if state else []
    options += [_NAMED] if app else []
    options += [_FILE if f else _LONG_FILE, _AWAY] if app or away else []
    options += [_FILE, _ENVIRONMENT] if file else []

    def wrap(verb: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(verb)
        def run(**given: Any) -> Any:
            common = {name: given.pop(name) for name in named}
            at = given.pop("state", None)
            where = state_at(str(at)) if at else default_state()
            call = Call(state=where, json=given.pop("json"), **common)
            code = _over_hosts(call, given) if app or away else None
            return verb(call, **given) if code is None else code

        return functools.reduce(lambda made, option: option(made), options, run)

    return wrap
