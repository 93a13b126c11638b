"""Volumes of an app's containers: Docker keeps the named ones, which are known again by name and labels."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.core.service import Service

if TYPE_CHECKING:
    from docker import DockerClient


def name_of(app: str, volume: str, keep: str) -> str:
    """What Docker calls it: `crossfade-shop-uploads-3f9a1c`. `keep` is what makes it this state directory's own."""
    return f"crossfade-{app}-{volume}-{keep}"


def mounts(client: "DockerClient", service: Service, ours: Mapping[str, str], keep: str) -> list[Any]:
    """How a container of the service mounts its volumes; named ones are made when they are not there yet.

    A new one begins with what the image has at its target, and with its owner, as Docker has it.
    """
    from docker.types import Mount  # noqa: PLC0415  the SDK costs 150 ms

    found = []
    for volume in service.volumes:
        source = volume.source
        if volume.named:
            source = name_of(service.app, volume.source, keep)
            told = {"crossfade.app": service.app, "crossfade.volume": volume.source}
            client.api.create_volume(source, labels={**ours, **told})  # one that is there stays as it is
        found.append(
            Mount(volume.target, source, type="volume" if volume.named else "bind", read_only=volume.read_only)
        )
    return found


def folders(client: "DockerClient", service: Service, keep: str) -> list[Path]:
    """Where the service's volumes lie on this machine, as far as they are there."""
    import docker.errors  # noqa: PLC0415  as above

    found = []
    for volume in service.volumes:
        if not volume.named:
            found.append(Path(volume.source))
            continue
        with suppress(docker.errors.NotFound):
            found.append(Path(client.api.inspect_volume(name_of(service.app, volume.source, keep))["Mountpoint"]))
    return found
