"""The Docker daemon: reached when it is first needed, asked in a thread, its refusals in plain words."""

import grp
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from crossfade.aside import aside
from crossfade.core.errors import CrossfadeError, PlatformError

if TYPE_CHECKING:
    from docker import DockerClient

T = TypeVar("T")
SOCKET = Path("/var/run/docker.sock")


class Daemon:
    """A connection that is opened on the first question. Raises PlatformError when Docker does not run or refuses."""

    def __init__(self) -> None:
        self._client: DockerClient | None = None
        self._opening = threading.Lock()

    async def ask(self, question: Callable[["DockerClient"], T]) -> T:
        return await aside(self._ask, question)

    async def close(self) -> None:
        if self._client is not None:
            await aside(self._client.close)
            self._client = None

    def _ask(self, question: Callable[["DockerClient"], T]) -> T:
        import docker.errors  # noqa: PLC0415  the SDK costs 150 ms: only those pay who run containers
        import requests  # noqa: PLC0415  it comes with the SDK, which lets its errors through

        try:
            return question(self._connected())
        except docker.errors.APIError as error:
            raise PlatformError(
                f"Docker refused: {error.explanation or error}", "see: docker events; docker ps -a"
            ) from (error)
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise _unreachable(str(error)) from error

    def _connected(self) -> "DockerClient":
        import docker  # noqa: PLC0415  as above

        with self._opening:
            if self._client is None:
                self._client = docker.from_env()
            return self._client


def _unreachable(complaint: str) -> CrossfadeError:
    if "Permission denied" in complaint or "PermissionError" in complaint:
        return PlatformError(
            "you may not use Docker: permission denied on its socket",
            f"become a member of its group and log in again: sudo usermod -aG {_group()} $USER",
        )
    return PlatformError(
        "Docker is not running",
        "start it (sudo systemctl start docker), or use `source` instead of `image` to run without it",
    )


def _group() -> str:
    with suppress(OSError, KeyError):
        return grp.getgrgid(SOCKET.stat().st_gid).gr_name
    return "docker"
