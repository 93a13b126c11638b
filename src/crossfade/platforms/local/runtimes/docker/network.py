"""The network that the containers of an app share: they find each other by name, and the machine at its gateway."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.environment import variable

if TYPE_CHECKING:
    from docker import DockerClient

_MAKING = threading.Lock()  # Docker makes two of one name for two who ask at once; one controller has a state


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerNetwork:
    """`gateway` is this machine's own address there, `subnet` a CIDR that holds every container's."""

    name: str
    gateway: str
    subnet: str


def owner(state: Path) -> str:
    """What makes names at Docker this state directory's own: 6 hexadecimal digits."""
    return hashlib.sha256(str(state).encode()).hexdigest()[:6]


def name_of(app: str, state: Path) -> str:
    return f"crossfade-{app}-{owner(state)}"


def ensure(client: "DockerClient", app: str, state: Path) -> DockerNetwork:
    """The app's network, made when it is not there yet."""
    import docker.errors  # noqa: PLC0415  the SDK costs 150 ms

    name = name_of(app, state)
    with _MAKING:
        try:
            found = client.api.inspect_network(name)
        except docker.errors.NotFound:
            labels = {"crossfade.state": str(state), "crossfade.app": app}
            client.api.create_network(name, driver="bridge", labels=labels, check_duplicate=True)
            found = client.api.inspect_network(name)
    pool = next(one for one in found["IPAM"]["Config"] if "Gateway" in one and ":" not in one["Gateway"])
    return DockerNetwork(name=name, gateway=pool["Gateway"].partition("/")[0], subnet=pool["Subnet"])


def settings(client: "DockerClient", service: Service, state: Path, *, named: bool) -> dict[str, Any]:
    """What a container is created with: its app's network, its name there, and the services at the gateway.

    Only instances are `named`, and of these no web service's: its name leads to the balancer.
    """
    names = service.names
    if not (names.peers or names.containers):
        return {}
    there = ensure(client, service.app, state)
    aliases = [service.name] if named and service.kind != "web" else []
    endpoint = client.api.create_endpoint_config(aliases=aliases)
    return {
        "network": there.name,
        "networking_config": {there.name: endpoint},
        "hosts": {peer.name: there.gateway for peer in names.peers},
    }


def join(client: "DockerClient", container: str, service: Service) -> None:
    """Connect it to the network that the file names, too."""
    if service.names.join:
        client.api.connect_container_to_network(container, service.names.join)


def require(client: "DockerClient", service: Service) -> None:
    """WrongInputError when there is no network of the name that the file says."""
    import docker.errors  # noqa: PLC0415  as above

    try:
        if service.names.join:
            client.api.inspect_network(service.names.join)
    except docker.errors.NotFound as error:
        known = ", ".join(sorted(one["Name"] for one in client.api.networks()))
        raise WrongInputError(
            f"Docker has no network {service.names.join}, which {service.key} is to join",
            f"start what makes it (docker compose up), or name one of {known}",
        ) from error


def forget_idle(client: "DockerClient", app: str, state: Path) -> None:
    """Remove the app's network when nobody is on it: Docker has addresses for some thirty networks only."""
    import docker.errors  # noqa: PLC0415  as above

    try:
        client.api.remove_network(name_of(app, state))
    except docker.errors.APIError:  # it is in use, or gone
        return


def urls(service: Service) -> Mapping[str, str]:
    """Where containers find each web service of the app: by its name."""
    return {variable(peer.name): f"http://{peer.name}:{peer.port}" for peer in service.names.peers}
