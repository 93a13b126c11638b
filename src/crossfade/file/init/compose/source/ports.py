"""Ports of a service: which are published where, and which of them speaks HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crossfade.file.init.compose.judge.signs import OTHER_PORTS

_PORT = re.compile(r"(?:([0-9]+(?:\.[0-9]+){3}|\[[^\]]*\]|localhost|):)?(?:([0-9]*):)?([0-9]+)(?:/(tcp|udp|sctp))?")
_RANGE = re.compile(r"[0-9.:\[\]a-fA-F]*?[0-9]+-[0-9]+(?::[0-9]+(?:-[0-9]+)?)?(?:/(?:tcp|udp|sctp))?")
# One port of the container at any of several of the machine's: the first will do.
_ANY_OF = re.compile(r"([0-9]+)-[0-9]+(:[0-9]+(?:/tcp)?)")
_LARGEST = 65535
HTTPS = frozenset({443, 8443})
_USUAL = frozenset({80, 443, 3000, 5000, 8080, 8000, 9000})
_LAST = 3  # from this rank on, only what nothing else is
_SELDOM = 5678  # Python's debugger beside another port; alone it is n8n's page


@dataclass(frozen=True)
class Port:
    """One entry of `ports`: where it stands, the container's port and, where published, the machine's.

    `host` is the address it is published at; empty for all. `why` says why it cannot be carried; empty when it can.
    """

    index: int
    shown: str
    target: int = 0
    published: int | None = None
    host: str = ""
    why: str = ""
    is_none: bool = False  # no port of Compose's either

    @property
    def local(self) -> bool:
        """True when only this machine reaches it."""
        return self.host in ("::1", "localhost") or self.host.startswith("127.")

    @property
    def is_udp(self) -> bool:
        """True for datagrams, which are no HTTP."""
        return self.shown.endswith("/udp")

    @property
    def protocol(self) -> str:
        """What is spoken there when it is not HTTP."""
        return OTHER_PORTS.get(self.target, "")


def ports_of(service: dict[str, Any]) -> list[Port]:
    """Every entry of `ports`, in order."""
    entries = service.get("ports")
    return [_port(index, entry) for index, entry in enumerate(entries if isinstance(entries, list) else [])]


def exposed(service: dict[str, Any]) -> list[int]:
    """The container's ports that other services may reach."""
    entries = service.get("expose")
    found = (_PORT.fullmatch(str(entry)) for entry in (entries if isinstance(entries, list) else []))
    return [int(match[3]) for match in found if match and match[4] != "udp" and 0 < int(match[3]) <= _LARGEST]


def best(ports: list[Port]) -> Port | None:
    """The port that speaks HTTP: a usual one before an unknown one, in the file's order; never a well-known other."""
    usable = [port for port in ports if not port.why and not port.protocol]
    return min(
        usable, key=lambda port: (_rank(port) >= _LAST, port.published is None, _rank(port), port.index), default=None
    )


def likely(targets: list[int]) -> int | None:
    """The same for ports that are only exposed."""
    return next((target for target in targets if target not in OTHER_PORTS), None)


def _rank(port: Port) -> int:
    if port.target == _SELDOM:
        return 4
    if port.target in HTTPS or port.published in HTTPS:
        return _LAST
    if port.published == 80:  # noqa: PLR2004 - HTTP's own port
        return 0
    return 1 if port.target in _USUAL or 8000 <= port.target <= 8999 else 2  # noqa: PLR2004 - where web apps listen


def _port(index: int, entry: Any) -> Port:
    shown = str(entry) if not isinstance(entry, dict) else _written(entry)
    text = shown if not isinstance(entry, dict) else f"{_place(entry)}{shown.rsplit(':', 1)[-1]}"
    match = _PORT.fullmatch(_ANY_OF.sub(r"\1\2", text) if text.count("-") == 1 else text)
    if match is None:
        in_range = _RANGE.fullmatch(text) is not None
        why = "a range of ports; a service has one port" if in_range else "a service has one port"
        return Port(index, shown, why=why, is_none=not in_range)
    target, published = int(match[3]), int(match[2]) if match[2] else None
    if match[4] in ("udp", "sctp"):
        return Port(index, shown, target, published, why="crossfade serves HTTP, which is TCP")
    if not 0 < target <= _LARGEST or (published or 0) > _LARGEST:
        return Port(index, shown, why=f"a port is a number from 1 to {_LARGEST}", is_none=True)
    host = (match[1] or "").strip("[]")
    return Port(index, shown, target, published, "" if host in ("0.0.0.0", "::") else host)  # noqa: S104 - all of them


def _place(entry: dict[str, Any]) -> str:
    """Where the long form publishes, as the short form has it: "127.0.0.1:8000:"."""
    host, published = str(entry.get("host_ip") or ""), str(entry.get("published") or "")
    if host:
        return f"{f'[{host}]' if ':' in host else host}:{published}:"
    return f"{published}:" if published else ""


def _written(entry: dict[str, Any]) -> str:
    published = str(entry.get("published") or "")
    return f"{f'{published}:' if published else ''}{entry.get('target')}/{entry.get('protocol', 'tcp')}"


def published(ports: list[Port]) -> Iterator[Port]:
    """Those that the machine opens."""
    return (port for port in ports if port.published and not port.why)
