"""This version of crossfade on every host, in a folder of its own below the user's home."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossfade import __version__
from crossfade.cli.hosts.where import Where, opened
from crossfade.core.errors import PlatformError
from crossfade.platforms.hosts.ssh import CommandError, HostConnection
from crossfade.platforms.hosts.wheel import make

INSTALL_SECONDS = 600.0
_TOO_OLD, _NO_VENV = 91, 92

_PREPARE = f"""
set -e; umask 077
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || exit {_TOO_OLD}
mkdir -p "$HOME/.crossfade/bin"; cd "$HOME/.crossfade"
[ -x venv/bin/pip ] || python3 -m venv venv || exit {_NO_VENV}
cat > {{wheel}}
venv/bin/pip install --quiet --disable-pip-version-check ./{{wheel}}
venv/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ./{{wheel}}
ln -sf ../venv/bin/crossfade bin/crossfade
"""


def set_up(where: Where) -> list[Mapping[str, str]]:
    """`{"host", "did"}` for each, one after the other. Raises what is wrong with the first that cannot have it."""
    hosts = opened(where)
    connections = hosts.connect()
    wheel = make(hosts.folder)
    return [{"host": host, "did": _one(host, connections[host], wheel, where)} for host in where.hosts]


def _one(host: str, connection: HostConnection, wheel: Path, where: Where) -> str:
    there = _here(connection, where)
    did = f"crossfade {__version__} runs there already"
    if there.get("version") != __version__:
        _install(host, connection, wheel)
        there = _here(connection, where)
        did = f"crossfade {__version__} is installed"
    if there.get("version") != __version__:
        raise PlatformError(
            f"{where.ssh['crossfade']} on {host} is still a different crossfade from the one that was installed",
            "name that one: `ssh: {crossfade: ~/.crossfade/bin/crossfade}`",
        )
    if there["running"]:
        connection.run(where.command("up", "--restart"), seconds=INSTALL_SECONDS)
        did += "; its controller was replaced by it"
    return did


def _here(connection: HostConnection, where: Where) -> Mapping[str, Any]:
    """What the host's crossfade says of itself; nothing for one that is not there, or does not know the question."""
    try:
        said = connection.run(where.command("hosts", "here"))
        told: Mapping[str, Any] = json.loads(said.splitlines()[-1])
    except (CommandError, ValueError, IndexError):
        return {}
    return told


def _install(host: str, connection: HostConnection, wheel: Path) -> None:
    try:
        with wheel.open("rb") as packed:
            connection.run(_PREPARE.format(wheel=shlex.quote(wheel.name)), given=packed, seconds=INSTALL_SECONDS)
    except CommandError as error:
        if error.code == _TOO_OLD:
            raise PlatformError(f"{host} has no python3 of 3.11 or newer", "install one there") from error
        if error.code == _NO_VENV:
            raise PlatformError(f"{host} cannot make a virtual environment", "apt install python3-venv") from error
        raise
