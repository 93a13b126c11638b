"""The target of traffic, and how an answer names its release."""

import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crossfade.core.errors import WrongInputError
from crossfade.load.connection import Endpoint
from crossfade.load.response import Response

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """An endpoint with the requests' paths and headers. `timeout` in seconds bounds each request; on streams, where
    there is no end to wait for, the silence between two events.

    A release is what the header `release_header` says or, when a pattern is given, the first group of its first match
    in the body (for WebSocket in the message).
    """

    endpoint: Endpoint
    host: str
    paths: tuple[str, ...]
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: tuple[bytes, ...] = ()  # to POST; without any, a mix of sizes
    release_header: str = "x-release"
    release_pattern: re.Pattern[bytes] | None = None

    def head(self, method: str, path: str, extra: Mapping[str, str] | None = None) -> bytes:
        """The request line and headers; `self.headers` win over our own."""
        headers = {"Host": self.host, "Accept": "*/*", **(extra or {}), **self.headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def release(self, response: Response) -> str | None:
        if self.release_pattern is None:
            return response.header(self.release_header)
        return self.release_in(response.body)

    def release_in(self, content: bytes | bytearray) -> str | None:
        match = self.release_pattern.search(content) if self.release_pattern else None
        return (match.group(1) if match.re.groups else match.group()).decode("utf-8", "replace") if match else None


def resolve(base_url: str, *, anywhere: bool = False, tls: ssl.SSLContext | None = None) -> tuple[Endpoint, str, str]:
    """The endpoint, the Host header and the path that a URL names.

    Load belongs on one's own machine: without `anywhere`, only loopback addresses are accepted.

    Raises:
        WrongInputError: not an http or https URL, an unknown host, or not loopback.
    """
    url = urlsplit(base_url)
    try:
        port = url.port or PORTS[url.scheme]
    except (KeyError, ValueError):
        raise WrongInputError(f"{base_url!r} is not a URL to send traffic to", "write http://127.0.0.1:8080") from None
    if not url.hostname:
        raise WrongInputError(f"{base_url!r} names no host", "write http://127.0.0.1:8080")
    try:
        found = socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise WrongInputError(f"{url.hostname} is not known: {error.strerror}", "check the spelling") from None
    # localhost is both; servers that listen on one of them mostly listen on 127.0.0.1.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    if not anywhere and not ipaddress.ip_address(address[0]).is_loopback:
        raise WrongInputError(
            f"{url.hostname} is {address[0]}: load is sent to this machine only, unless it is meant otherwise",
            "add --anywhere if that host is yours",
        )
    context = (tls or ssl.create_default_context()) if url.scheme == "https" else None
    endpoint = Endpoint(family, str(address[0]), port, context, url.hostname)
    return endpoint, url.netloc.rpartition("@")[2], (url.path or "/") + (f"?{url.query}" if url.query else "")
