"""Servers that are reached by SSH: which ones, how, and who is asked whether they serve."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Clash, Part
from crossfade.file.parts.health import Codes
from crossfade.file.parts.web.listen import OWN
from crossfade.file.units import Duration, Notation, Text, Whole

if TYPE_CHECKING:
    from crossfade.core.service import Volume
    from crossfade.file.model import App, Service

# A user as useradd takes it, a name or an address (IPv6 in brackets), a port. Nothing that begins with a hyphen, which
# ssh would take for an option.
_HOST = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.-]{0,63}@)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_LAST_PORT = 65535
# What ssh would read as more than a path (%h, $HOME, two files) has to be written out.
_PATH = Text(r"[^\s%$\"'\\]+", "a file's path without blanks, quotes, % and $")


@dataclass(frozen=True)
class HostAddress(Notation):
    """`[user@]host[:port]`."""

    def read(self, value: object) -> str:
        found = _HOST.fullmatch(value) if isinstance(value, str) else None
        if not isinstance(value, str) or not found or not 0 < int(found["port"] or 22) <= _LAST_PORT:
            raise ValueError("a host such as deploy@a.example.com, or deploy@a.example.com:2222")
        return value

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{_HOST.pattern.replace('?P<name>', '').replace('?P<port>', '')}$"}


def place_of(host: str) -> str:
    """`host:port`, by which two ways to write one host are told to be the same."""
    address = host.rpartition("@")[2].lower()
    return address if re.search(r"[^:\]]:[0-9]+$|\]:[0-9]+$", address) else f"{address}:22"


def name_of(host: str) -> str:
    """The name or address alone, without brackets."""
    address = host.rpartition("@")[2]
    return address[1:].partition("]")[0] if address.startswith("[") else address.partition(":")[0]


class Ssh(Part):
    """How hosts are reached, beside what your own SSH configuration says."""

    key: Annotated[str, _PATH] | None = Field(
        default=None,
        description="The private key's file. Default: what `~/.ssh/config` and the agent have.",
        examples=["~/.ssh/deploy"],
    )
    known_hosts: Annotated[str, _PATH] | None = Field(
        default=None,
        description="The file with the hosts' own keys; one that is not in it is never spoken to. Default: SSH's own.",
        examples=["deploy/known_hosts"],
    )
    timeout: Annotated[float, Duration(least=1, most=120)] = Field(
        default=10.0, description="How long a host may take to answer.", examples=["10s"]
    )
    crossfade: Annotated[str, Text(r"[A-Za-z0-9._/~+-]+", "a command's name or path")] = Field(
        default="crossfade", description="What the hosts call crossfade.", examples=["/opt/crossfade/bin/crossfade"]
    )


class Outside(Part):
    """Who says from outside that a host serves its new release, beside its own controller."""

    url: Annotated[str, Text(r"https?://[^\s/]+\S*", "an address such as https://shop.example.com/health")] | None = (
        Field(
            default=None,
            description="Asked from where you deploy, after each host. Default: each host's own door, through SSH.",
            examples=["https://shop.example.com/health"],
        )
    )
    codes: Annotated[str, Codes()] = Field(default="200-399", description="What is a good answer.", examples=["200"])
    passes: Annotated[int, Whole(1, 100)] = Field(
        default=3, description="Good answers in a row that are enough.", examples=[10]
    )
    timeout: Annotated[float, Duration(least=1, most=600)] = Field(
        default=10.0, description="After which a host that has not given them is bad.", examples=["30s"]
    )


def misfits_on_hosts(app: "App") -> Iterator[Clash]:
    """What cannot be meant of an app on hosts, or of hosts for an app that is not on any."""
    if app.platform != "hosts":
        if app.listen.host == OWN:
            yield Clash(("listen", "host"), f"own with platform {app.platform}", "an address, or platform: hosts")
        if app.hosts:
            yield Clash(("hosts",), f"hosts with platform {app.platform}", "platform: hosts beside them")
        return
    yield from _addresses(app)
    for name in app.stores:
        allowed = "a database that all hosts reach"
        yield Clash(("stores", name), "a store on hosts, each of which would have its own", allowed)
    for name in app.jobs if len(app.hosts) > 1 else ():
        yield Clash(("jobs", name), f"a job on {len(app.hosts)} hosts, which each of them would run", "one host for it")
    for key in ("certificate", "key") if app.tls else ():
        path = getattr(app.tls, key)
        if not path.startswith("/"):
            yield Clash(("tls", key), f"{path} on hosts", "where the hosts have it, from / on")
    for name, service in app.services.items():
        yield from _of_service(name, service)


def _addresses(app: "App") -> Iterator[Clash]:
    if not app.hosts:
        allowed = "hosts: [deploy@a.example.com, deploy@b.example.com] beside it"
        yield Clash(("platform",), "hosts, and none is named", allowed)
    known: dict[str, int] = {}
    for index, host in enumerate(app.hosts):
        if known.setdefault(place_of(host), index) != index:
            yield Clash(("hosts", index), f"{host}, which is already listed", "each host once")
        if app.listen.host == OWN and not _is_ip(name_of(host)):
            yield Clash(("hosts", index), f"{host} with listen.host: own", "an IP address, such as deploy@10.0.0.7")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _of_service(name: str, service: "Service") -> Iterator[Clash]:
    there = ("services", name)
    if service.image is not None and service.image.build is not None:
        yield Clash((*there, "image", "build"), "an image that is built here, on hosts", "a name they can pull it by")
    for index, volume in enumerate(service.volumes):
        if _is_relative(volume):
            yield Clash(
                (*there, "volumes", index), f"{volume.source} on hosts", "a name, or where the hosts have it, from / on"
            )


def _is_relative(volume: "Volume") -> bool:
    return not volume.named and not volume.source.startswith("/")
