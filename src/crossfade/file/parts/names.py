"""Names by which the parts of an app call each other, where there are none."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from crossfade.adapters import DEFAULT_BALANCER
from crossfade.file.part import Clash

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

_URL = "CROSSFADE_URL_"


def nameless(services: Mapping[str, "Service"], balancer: str, *, stores: bool) -> Iterator[Clash]:
    """Variables and commands that count on a name of a web service: where there are containers only Envoy keeps one.

    A name is one where a host is: `http://api:8080`, `api:8080`, or `api` alone in a variable that is called so.
    """
    contained = stores or any(service.runtime == "docker" for service in services.values())
    if balancer == DEFAULT_BALANCER or not contained:
        return
    web = [name for name, service in services.items() if service.kind == "web"]
    allowed = f"balancer: {DEFAULT_BALANCER}, which leads names to services, or the address that visitors use"
    for name, service in services.items():
        for key, value in service.env.items():
            for peer in web if service.runtime == "docker" else ():
                if peer != name and _called(peer, key, value):
                    found = f'"{value}", where {peer} is not a name with {balancer}'
                    yield Clash(("services", name, "env", key), found, allowed)
        for key in ("command", "build"):
            if _URL in (getattr(service, key) or ""):
                yield Clash(
                    ("services", name, key),
                    f"${_URL}..., which does not exist with {balancer} beside containers",
                    allowed,
                )


def joined_by_nobody(network: str | None, services: Mapping[str, "Service"], *, stores: bool) -> Iterator[Clash]:
    """A network to join, where nothing is a container."""
    if network and not stores and all(service.runtime != "docker" for service in services.values()):
        yield Clash(("network",), f"{network}, and no container that could join it", "no network, or an image to run")


def _called(peer: str, key: str, value: str) -> bool:
    if re.search(rf"(?:^|//|@){re.escape(peer)}(?::[0-9]+|/|$)", value) is None:
        return False
    return value != peer or re.search("HOST|URL|ADDR|UPSTREAM|ENDPOINT", key) is not None
