"""`crossfade hosts`: what makes servers ready, and what our own end of SSH asks for there."""

import os
import sys
from dataclasses import replace

import click

from crossfade import __version__
from crossfade.adapters import BALANCERS
from crossfade.cli.call import Call, called
from crossfade.core.errors import WrongInputError
from crossfade.telling.text import plain


@click.group(epilog="Examples: crossfade hosts setup -e prod. Each verb explains itself and takes --json.")
def hosts() -> None:
    """Servers that the file names with `platform: hosts`."""


@hosts.command(epilog="Examples: crossfade hosts setup -e prod")
@called(file=True, state=False)
def setup(call: Call) -> None:
    """Install this version of crossfade on every host, into ~/.crossfade, and replace a controller that runs.

    A host needs SSH, Python 3.11 or newer with venv, and a way to a package index. What was deployed keeps serving.
    """
    from crossfade.cli.hosts.setup import set_up
    from crossfade.cli.hosts.where import hosts_of

    where = hosts_of(call)
    if where is None:
        raise WrongInputError("no environment on hosts is named", "name one with -e whose `platform` is hosts")
    said = set_up(where)
    call.answer({"hosts": said}, plain("\n".join(f"{one['host']}: {one['did']}" for one in said)))


_UP = click.option("--up", is_flag=True, help="Start a controller that does not run.")
_BALANCER = click.option("--balancer", type=click.Choice(list(BALANCERS)))


@hosts.command(hidden=True)
@called()
@_UP
@_BALANCER
def here(call: Call, *, up: bool, balancer: str | None) -> None:
    """What this host's crossfade is, in one line of JSON: asked through SSH."""
    replace(call, json=True).answer(_about(call, up=up, balancer=balancer), "")


@hosts.command(hidden=True)
@click.argument("place")
@called()
@click.option("--by", default="")
@click.option("--look", is_flag=True)
@_UP
@_BALANCER
def keep(call: Call, *, place: str, by: str, look: bool, up: bool, balancer: str | None) -> None:
    """Keep the record of an environment, in lines of JSON: asked through SSH. With --up it says first what is here."""
    from crossfade.platforms.hosts import keeper

    if look:
        keeper.look(call.state, place, sys.stdout.buffer)
        return
    if up:
        replace(call, json=True).answer(_about(call, up=True, balancer=balancer), "")
        sys.stdout.flush()
    keeper.keep(call.state, place, by, sys.stdin.buffer, sys.stdout.buffer)


def _about(call: Call, *, up: bool, balancer: str | None) -> dict[str, object]:
    from crossfade.cli.machine import controller
    from crossfade.controller.lock import is_free

    if up:
        controller.ensure(call.state, balancer)
    return {
        "version": __version__,
        "state": str(call.state.root),
        "socket": str(call.state.socket),
        "running": not is_free(call.state),
        "path": os.environ.get("PATH", os.defpath),
    }
