"""Docker's own daemon on an instance, for whom the rig's images are not enough: it starts when somebody asks it."""

import asyncio
import contextlib
import grp
import os
import shutil
import subprocess
from pathlib import Path

from tests.rig.ec2.guest.door import join

_SOCKET, _REAL = Path("/run/docker.sock"), Path("/run/dockerd.sock")
_LOG = Path("/var/log/dockerd.log")
_LOOK = 0.05


class Dockerd:
    """`listen` where clients look for it; `end` ends it with all its containers."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._listens = False

    async def listen(self) -> None:
        if self._listens or shutil.which("dockerd") is None:
            return
        self._listens = True
        await asyncio.start_unix_server(self._serve, _SOCKET)
        _admit()

    async def end(self, grace: float) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, grace)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = self._process or _started()
        while not _listens() and self._process.poll() is None:  # noqa: ASYNC110  another program's
            await asyncio.sleep(_LOOK)
        await join(reader, writer, lambda: asyncio.open_unix_connection(_REAL))


def _started() -> "subprocess.Popen[bytes]":
    with _LOG.open("ab") as log:
        return subprocess.Popen(
            [
                *("dockerd", "--host", f"unix://{_REAL}", "--data-root", "/mnt/docker"),
                *("--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _listens() -> bool:
    return _REAL.exists()


def _admit() -> None:
    """Root, and whom user data put into its group."""
    with contextlib.suppress(KeyError):
        os.chown(_SOCKET, 0, grp.getgrnam("docker").gr_gid)
    _SOCKET.chmod(0o660)
