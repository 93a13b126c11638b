"""The controller's API from the other side of its unix socket."""

import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from crossfade.cli.answer import AnswerReader, BrokenOffError
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, UnchangedError, WrongInputError

ANSWER_SECONDS = 10.0  # for a look; an order may wait for builds and drains, and has no limit

LONGEST_PATH = 107  # bytes of a unix socket's path

_ERRORS: dict[int, type[CrossfadeError]] = {2: WrongInputError, 3: RefusedError}


class NotRunningError(PlatformError):
    """No controller answers. `stopped` when it left in order, and not by a crash or a kill."""

    def __init__(self, socket_path: Path, *, stopped: bool) -> None:
        super().__init__(
            f"no controller runs with the state {socket_path.parent}",
            "`crossfade up` starts it, and so does a deploy or whatever changes what is deployed",
        )
        self.stopped = stopped


class LostError(PlatformError):
    """The controller went away while we listened."""


class ControllerClient:
    """One connection a request. Raises what the controller answered as the error it is."""

    def __init__(self, socket_path: Path, *, patience: float = ANSWER_SECONDS) -> None:
        self._path = socket_path
        self._patience = patience  # seconds for a look

    def get(self, path: str, /, **query: Any) -> Any:
        with self._ask("GET", _url(path, query), timeout=self._patience) as answer:
            return _read(answer)

    def wait(self, path: str, /, **query: Any) -> Any:
        """The same, however long it takes: of one that is known to be there, and at work."""
        with self._ask("GET", _url(path, query)) as answer:
            return _read(answer)

    def post(self, path: str, /, **body: Any) -> Any:
        with self._ask("POST", path, json.dumps(body)) as answer:
            return _read(answer)

    def lines(self, path: str, /, **query: Any) -> Iterator[Any]:
        """JSON lines as they come. Raises LostError when they break off."""
        with self._ask("GET", _url(path, query)) as answer:
            if answer.status >= 400:  # noqa: PLR2004  HTTP's errors begin there
                _read(answer)
            try:
                for line in answer.lines():
                    yield json.loads(line)
            except (OSError, BrokenOffError) as error:
                raise LostError(f"the controller went away: {error}", "`crossfade up` starts it again") from error

    def _ask(self, method: str, url: str, body: str = "", timeout: float | None = None) -> AnswerReader:
        connection = self._connect(timeout)
        try:
            connection.sendall(_request(method, url, body.encode()))
            return AnswerReader(connection)
        except TimeoutError as error:
            raise PlatformError(
                f"the controller did not answer within {self._patience:g} s",
                f"its log is {self._path.parent / 'controller.log'}; `crossfade up --restart` replaces it",
            ) from error
        except (OSError, BrokenOffError) as error:
            raise LostError(f"the controller went away: {error}", "`crossfade up` starts it again") from error

    def _connect(self, timeout: float | None) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(str(self._path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunningError(self._path, stopped=isinstance(error, FileNotFoundError)) from error
        except PermissionError as error:
            raise PlatformError(
                f"{self._path} belongs to another user", "use your own state with --state, or become that user"
            ) from error
        except OSError as error:
            if len(os.fsencode(self._path)) > LONGEST_PATH:
                raise WrongInputError(
                    f"the state directory's path is too long for a unix socket: {self._path.parent}",
                    "choose one of at most 80 characters with --state or CROSSFADE_STATE",
                ) from error
            raise PlatformError(
                f"{self._path} cannot be used: {error.strerror or error}", "give another --state"
            ) from error
        self._require_own(connection)
        return connection

    def _require_own(self, connection: socket.socket) -> None:
        """Say nothing to a socket that somebody else planted: an order may carry the values of secrets."""
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, user, _ = struct.unpack("3i", told)
        if user not in {os.geteuid(), 0}:
            connection.close()
            raise PlatformError(
                f"the controller at {self._path} runs as user {user}, not as you ({os.geteuid()}): nothing was sent",
                "become that user, or use your own state with --state or CROSSFADE_STATE",
            )


def _request(method: str, url: str, body: bytes) -> bytes:
    lines = [f"{method} {url} HTTP/1.1", "Host: crossfade", "Connection: close", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def _url(path: str, query: dict[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _read(answer: AnswerReader) -> Any:
    try:
        content = answer.read()
        said = json.loads(content)
    except (OSError, BrokenOffError) as error:
        raise LostError(f"the controller went away: {error}", "`crossfade up` starts it again") from error
    except ValueError:
        text = content.decode(errors="replace").strip()[:200]
        raise PlatformError(
            f"the controller answered {answer.status}: {text}", "`crossfade up --restart` replaces it with this version"
        ) from None
    if isinstance(said, dict) and "error" in said:
        why = said["error"]
        kind = UnchangedError if why.get("kind") == "unchanged" else _ERRORS.get(why["exit_code"], PlatformError)
        raise kind(why["cause"], why["way_out"])
    return said
