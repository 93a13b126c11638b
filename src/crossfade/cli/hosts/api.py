"""The controller of a host, through SSH: the same API as at home, and every error says which host it is of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossfade.cli.client import ControllerClient, LostError, NotRunningError
from crossfade.core.errors import CrossfadeError
from crossfade.engine.ports.hosts import HostLostError

PATIENCE = 86400.0  # seconds; ssh notices a host that is gone within fifteen, and then so does this


class HostApi:
    """`host` is what it is called in messages."""

    def __init__(self, host: str, socket: Path) -> None:
        self.host = host
        self.client = ControllerClient(socket, patience=PATIENCE)

    def get(self, path: str, /, **query: Any) -> Any:
        with self._named():
            return self.client.get(path, **query)

    def post(self, path: str, /, **body: Any) -> Any:
        with self._named():
            return self.client.post(path, **body)

    def lines(self, path: str, /, **query: Any) -> Iterator[Any]:
        with self._named():
            yield from self.client.lines(path, **query)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (LostError, NotRunningError) as error:
            raise lost(self.host) from error
        except CrossfadeError as error:
            raise type(error)(f"{self.host}: {error.cause}", error.way_out) from error


def lost(host: str) -> HostLostError:
    return HostLostError(
        f"the controller of {host} does not answer any more", "what was deployed there goes on serving; see its log"
    )
