"""A host as somebody from outside meets it: an answer through its door, or from the address that the file names."""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crossfade.core.errors import CrossfadeError
from crossfade.file.parts.hosts import name_of
from crossfade.file.parts.web.listen import OWN
from crossfade.platforms.hosts.ssh import HostConnection

Json = Mapping[str, Any]
PAUSE = 0.05  # seconds between two questions
ANSWER_SECONDS = 5.0
_ANY = ("0.0.0.0", "::", "")  # noqa: S104  where a door listens that is open on all addresses

Codes = Sequence[Sequence[int]]
Ask = Callable[[], str]
"""One question; empty when the answer was good, else what was wrong with it."""


def doors(services: Sequence[Json], connection: HostConnection, host: str, own: str = "") -> list[Ask]:
    """Questions to a host's own door, one for each service whose health path is led to it; none to one that is shut.

    `own` is the address that it has, where its name is not.
    """
    asked: list[Ask] = []
    for service in services:
        rule = next((r for r in service["routes"] if _leads(r["path"], service["health"]["path"])), None)
        listener = service["listener"]
        port = listener["https"] or listener["http"]
        if service["kind"] != "web" or service["protocol"] != "http" or rule is None or port is None:
            continue
        at = listened(service, own or name_of(host))
        address = "127.0.0.1" if at in _ANY else f"[{at}]" if ":" in at else at
        if shut(listener, address):
            continue
        asked.append(
            _Door(
                connection=connection,
                address=f"{address}:{port}",
                secure=listener["https"] is not None,
                announced=listener["proxy_protocol"],
                name=service["health"]["host"] or ("" if rule["host"].startswith("*") else rule["host"]) or address,
                path=service["health"]["path"],
                codes=service["health"]["codes"],
                host=host,
            )
        )
    return asked


def shut(listener: Json, address: str) -> bool:
    """It lets in its trusted proxies alone, of which the host itself, from where we would come, is none."""
    if not (listener["proxy_protocol"] and listener["trusted_proxies"]):
        return False
    try:
        we = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return True
    return not any(we in ipaddress.ip_network(range_) for range_ in listener["trusted_proxies"])


def listened(service: Json, own: str) -> str:
    """The address that a host listens on for a service; `own` is the one that it has."""
    given = str(service["listener"]["host"])
    return own if given == OWN else given


def address(url: str, codes: Codes, host: str) -> Ask:
    """A question to the address that the file names, with `{host}` in it for the host's own name."""
    name = name_of(host)
    parts = urlsplit(url.replace("{host}", f"[{name}]" if ":" in name else name))

    def ask() -> str:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        with closing(kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)) as connection:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return _answer(connection, path, {}, codes, parts.geturl())

    return ask


def found_wrong(asks: Sequence[Ask], *, passes: int, seconds: float) -> str:
    """Ask until each has been good so many times in a row; what was wrong last when that takes longer."""
    deadline = time.monotonic() + seconds
    for ask in asks:
        good, last = 0, ""
        while good < passes:
            wrong = ask()
            last = wrong or last  # every other answer may come from another host
            good = 0 if wrong else good + 1
            if good < passes:
                if time.monotonic() > deadline:
                    return last or f"only {good} of {passes} answers in a row were good within {seconds:g} s"
                time.sleep(PAUSE)
    return ""


class _Door:
    """A port of the host, reached through SSH."""

    def __init__(
        self,
        *,
        connection: HostConnection,
        address: str,
        secure: bool,
        announced: bool,
        name: str,
        path: str,
        codes: Codes,
        host: str,
    ) -> None:
        self._connection = connection
        self._address = address
        self._secure = secure
        self._announced = announced
        self._name = name
        self._path = path
        self._codes = codes
        self._host = host
        self._socket: Path | None = None

    def __call__(self) -> str:
        if self._socket is None:
            try:
                self._socket = self._connection.forward(self._address)
            except CrossfadeError as error:
                return error.cause
        with closing(_Led(self._socket, self._name, secure=self._secure, announced=self._announced)) as led:
            called = f"{self._host} at {self._address}{self._path}"
            return _answer(led, self._path, {"Host": self._name}, self._codes, called)


class _Led(http.client.HTTPConnection):
    """A connection through a socket of ours. The certificate is not ours to judge: the name is another one."""

    def __init__(self, path: Path, name: str, *, secure: bool, announced: bool) -> None:
        super().__init__(name, timeout=ANSWER_SECONDS)
        self._path = path
        self._name = name
        self._secure = secure
        self._announced = announced

    def connect(self) -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(ANSWER_SECONDS)
        made.connect(str(self._path))
        if self._announced:
            made.sendall(b"PROXY UNKNOWN\r\n")
        if self._secure:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            made = context.wrap_socket(made, server_hostname=self._name)
        self.sock = made


def _answer(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str], codes: Codes, called: str
) -> str:
    try:
        connection.request("GET", path, headers={"User-Agent": "crossfade", **headers})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{called} does not answer: {error or type(error).__name__}"
    if any(low <= status <= high for low, high in codes):
        return ""
    return f"{called} answered {status}"


def _leads(path: str, wanted: str) -> bool:
    """A route's path takes a request for the wanted one."""
    wanted = wanted.partition("?")[0]
    if path.endswith("/*"):
        return wanted == path[:-2] or wanted.startswith(path[:-1])
    return wanted == path
