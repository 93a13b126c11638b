"""A short command beside an instance, in its container: its health command."""

from typing import TYPE_CHECKING

from crossfade.platforms.local.runtimes.hook import SHOWN_LINES
from crossfade.platforms.local.runtimes.processes.logs import spoken

if TYPE_CHECKING:
    from docker import APIClient


def run(api: "APIClient", container: str, command: str) -> tuple[int, str]:
    """Its exit code and its last lines. It has the container's environment, folder and user."""
    begun = api.exec_create(container, ["/bin/sh", "-c", command])["Id"]
    said = api.exec_start(begun)
    return int(api.exec_inspect(begun)["ExitCode"]), spoken(said, SHOWN_LINES)
