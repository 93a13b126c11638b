"""`crossfade secrets`: the values that releases start with, on AWS and on hosts, put where only they read them."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from crossfade.cli.call import Call, called
from crossfade.core.errors import WrongInputError
from crossfade.paths import at_home

if TYPE_CHECKING:
    from crossfade.cli.hosts.where import Where
    from crossfade.file.model import App
    from crossfade.platforms.aws.vault import KnownSecret, Vault

T = TypeVar("T")
LIMIT = 60.0  # seconds for a command that prints a value: time to unlock a vault with a finger


@click.group(
    epilog="Examples: crossfade secrets list -e prod | op read op://shop/jwt | crossfade secrets set JWT_SECRET -e prod"
)
def secrets() -> None:
    """Give the secrets of an environment on AWS or on hosts their values, and see which are empty.

    On AWS Terraform makes secrets without values; hosts keep them themselves, and a value that was given here wins
    over that of the shell that deploys. A release has the values that were current when it was deployed, and goes back
    with them. Both verbs take --json.
    """


@secrets.command(
    "set",
    epilog="Examples: crossfade secrets set JWT -e prod < jwt.txt | crossfade secrets set JWT -e prod --from jwt.txt | "
    'crossfade secrets set JWT -e prod --command "op read op://shop/jwt"',
)
@click.argument("name")
@called(file=True, state=False)
@click.option("--from", "path", metavar="FILE", help="Read the value from this file. Default: standard input.")
@click.option("--command", metavar="LINE", help="Take what this command prints.")
def fill(call: Call, *, name: str, path: str | None, command: str | None) -> None:
    """Give secret NAME a value: from standard input, a file or a command; on a terminal it is asked for.

    The last line break is no part of it. The value is in no list of processes, no journal and no log. What runs keeps
    the value that its release has.
    """
    from crossfade.aws.environment import secret_name

    if there := _on_hosts(call):
        from crossfade.cli.hosts import secrets as hosts

        place, services = there
        _require_named(place.environment, name, list(services), f"name it in the file: `secrets: [{name}]`")
        hosts.fill(call, place, name, _value(name, path, command), services[name])
        return
    app = _app(call)
    _require(app, name)
    value, where = _value(name, path, command), secret_name(app, name)
    version = _ask(app, lambda vault: vault.fill(where, value))
    users = _users(app, name)
    then = f"`crossfade deploy -e {app.environment}` brings it to {users}" if users else "no service asks for it yet"
    told = {"variable": name, "name": where, "version": version}
    call.answer({"ok": True, "environment": app.environment, "secret": told}, f"{where} has a new value\n  {then}")


@secrets.command("list", epilog="Examples: crossfade secrets list -e prod | crossfade secrets list -e prod --json")
@called(file=True, state=False)
def show(call: Call) -> None:
    """Show the secrets of an environment: which have a value, and which services get it. No value is read."""
    from crossfade.aws.environment import secret_name

    if there := _on_hosts(call):
        from crossfade.cli.hosts import secrets as hosts

        hosts.show(call, *there)
        return
    app = _app(call)

    async def look(vault: "Vault") -> "dict[str, KnownSecret]":
        return {variable: await vault.known(secret_name(app, variable)) for variable in app.cloud.secrets}

    found = _ask(app, look) if app.cloud.secrets else {}
    shown = [
        {"variable": variable, "name": one.name, "state": one.state, "version": one.version}
        | {"services": _services(app, variable)}
        for variable, one in found.items()
    ]
    call.answer({"ok": True, "environment": app.environment, "secrets": shown}, _text(app, found))


def _text(app: "App", found: "dict[str, KnownSecret]") -> str:
    width = max(map(len, found), default=0)
    lines = [
        f"{variable:{width}}  {one.state:8}  {one.name}  for {_users(app, variable) or 'nobody'}"
        for variable, one in found.items()
    ]
    if any(one.state == "not made" for one in found.values()):
        lines.append(f"`crossfade infra apply -e {app.environment}` makes what is not made")
    empty = next((variable for variable, one in found.items() if one.state == "empty"), "")
    if empty:
        lines.append(f"`crossfade secrets set {empty} -e {app.environment}` gives it a value")
    return "\n".join(lines) or f"{app.environment} has no secrets"


def _app(call: Call) -> "App":
    from crossfade.aws.choose import one_on_aws

    return one_on_aws(call.required(), call.environment)


def _on_hosts(call: Call) -> "tuple[Where, dict[str, list[str]]] | None":
    """Where the hosts are, and the services by secret, of an environment whose releases come over SSH."""
    from crossfade.file.deployable import reached
    from crossfade.file.load import load

    path = call.required()
    if call.environment is None:
        return None
    app = load(path.absolute(), call.environment, called=str(path))
    if not app.over_ssh:
        return None
    from crossfade.cli.hosts.where import where_of

    names = dict.fromkeys(name for service in app.services.values() for name in service.secrets)
    users = {name: [one for one, service in app.services.items() if name in service.secrets] for name in names}
    return where_of(reached(app, path.absolute().parent)), users


def _require(app: "App", name: str) -> None:
    instead = f"name it in the file: `cloud: {{secrets: {{{name}: {{}}}}}}`"
    _require_named(app.environment, name, list(app.cloud.secrets), instead)


def _require_named(environment: str, name: str, known: list[str], instead: str) -> None:
    from crossfade.file.reading.problem import nearest

    if name in known:
        return
    meant = nearest(name, known)
    hint = f"did you mean {meant}? " if meant else ""
    raise WrongInputError(
        f"{environment} has no secret {name}", f"{hint}it has {', '.join(known)}" if known else instead
    )


def _services(app: "App", variable: str) -> list[str]:
    return [
        name
        for name, service in app.services.items()
        if variable in service.secrets or (service.image and service.image.credentials == variable)
    ]


def _users(app: "App", variable: str) -> str:
    return ", ".join(_services(app, variable))


def _ask(app: "App", question: "Callable[[Vault], Awaitable[T]]") -> T:
    from crossfade.platforms.aws.clients import Clients
    from crossfade.platforms.aws.vault import Vault

    async def answer() -> T:
        clients = Clients(app.cloud.region, account=app.cloud.account)
        try:
            return await question(Vault(clients))
        finally:
            await clients.close()

    return asyncio.run(answer())


def _value(name: str, path: str | None, command: str | None) -> str:
    """Without its last line break. WrongInputError says what could not be read, and never what was."""
    if path is not None and command is not None:
        raise WrongInputError("--from and --command: both say where the value is", "leave one of them out")
    if command is not None:
        read = _printed(name, command)
    elif path is not None:
        try:
            read = Path(at_home(path)).read_bytes()
        except OSError as error:
            raise WrongInputError(f"the value for {name} cannot be read from {path}: {error.strerror}") from error
    elif sys.stdin.isatty():
        read = str(click.prompt(f"Value of {name}", hide_input=True, err=True)).encode()
    else:
        read = sys.stdin.buffer.read()
    try:
        return read.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise WrongInputError(f"the value for {name} is not UTF-8 text", "encode it, such as with base64") from None


def _printed(name: str, command: str) -> bytes:
    """Its errors and questions go to this terminal."""
    try:
        done = subprocess.run(  # noqa: S602  a command that the user typed
            command, shell=True, stdout=subprocess.PIPE, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        raise WrongInputError(f"the command for {name} did not end within {LIMIT:.0f} s") from None
    if done.returncode != 0:
        raise WrongInputError(f"the command for {name} ended with {done.returncode}", "nothing was changed")
    return done.stdout
