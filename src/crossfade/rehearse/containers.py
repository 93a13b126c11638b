"""Containers of a rehearsal, asked of Docker itself: is an image here, what did they use, and is anything left."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.platforms.local.runtimes.docker.network import owner

if TYPE_CHECKING:
    from docker import DockerClient


@contextmanager
def _docker() -> "Iterator[DockerClient | None]":
    """None where no Docker can be asked."""
    import docker  # noqa: PLC0415  the SDK costs 150 ms
    import docker.errors  # noqa: PLC0415

    try:
        client = docker.from_env()
    except docker.errors.DockerException:
        yield None
        return
    try:
        yield client
    finally:
        client.close()


def there() -> bool:
    """Docker can be asked."""
    with _docker() as client:
        return client is not None


def has(image: str) -> bool:
    """The image is on this machine. Its registry is not asked."""
    import docker.errors  # noqa: PLC0415

    with _docker() as client:
        if client is None:
            return False
        try:
            client.images.get(image)
        except docker.errors.APIError:
            return False
        return True


def processor(state: Path) -> Mapping[str, float]:
    """Seconds of processor that each service's containers of this state directory have used so far, by its key."""
    import docker.errors  # noqa: PLC0415

    used: defaultdict[str, float] = defaultdict(float)
    with _docker() as client:
        ours: dict[str, Any] = {"label": f"crossfade.state={state}"}
        for one in client.containers.list(filters=ours, ignore_removed=True) if client else ():
            with suppress(docker.errors.NotFound):  # it ended between the question and this one
                counted: Any = one.stats(stream=False)
                used[one.labels.get("crossfade.service", "")] += counted["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return used


def clear(state: Path) -> None:
    """Take away what `down` leaves for a later deploy: images of this state directory's releases, networks, volumes.

    What Docker refuses stays, and keeps nothing else: the rehearsal has been played, and its report is to be read.
    """
    import docker.errors  # noqa: PLC0415

    own, refused = owner(state), suppress(docker.errors.APIError)
    with _docker() as client:
        if client is None:
            return
        ours: dict[str, Any] = {"label": f"crossfade.state={state}"}
        for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
            with refused:
                container.remove(force=True)
        # Not `images.list()`, which asks for each again: one that somebody removes meanwhile would end all of this.
        for tag in [tag for image in client.api.images() for tag in image["RepoTags"] or ()]:
            if tag.startswith("crossfade/") and tag.endswith(f"-{own}"):
                with refused:
                    client.images.remove(tag)
        for network in client.networks.list(filters=ours):
            with refused:
                network.remove()
        for volume in client.volumes.list():
            if volume.name.startswith("crossfade-") and volume.name.endswith(f"-{own}"):
                with refused:
                    volume.remove(force=True)
