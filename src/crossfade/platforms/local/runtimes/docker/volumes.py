"""Volumes of an app's containers: Docker keeps the named ones, which are known again by name and labels."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
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


def unkept(service: Service, declared: Iterable[str], values: Iterable[str]) -> list[str]:
    """The places where an image says that it keeps data, when no volume is at any of them: all of it would end with the
    container. Docker covers each with a volume of no name, also one below a place that is mounted.

    Empty where a variable's value or a word of the command leads into one of the volumes: it keeps data there, then.
    """
    places = sorted({str(PurePosixPath(one)) for one in declared})
    volumes = [PurePosixPath(one.target) for one in service.volumes if not one.read_only]
    how = service.container
    told = re.findall(r"/[^\s=:,\"']+", " ".join([*values, *how.entrypoint, *how.command]))
    elsewhere = any(PurePosixPath(path).is_relative_to(one) for path in told for one in volumes)
    return [] if elsewhere or any(PurePosixPath(one) in volumes for one in places) else places


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
