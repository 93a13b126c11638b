"""Image references, and how an image is kept for as long as a release needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.local.runtimes.docker import login, registry
from crossfade.source.git import Commit

if TYPE_CHECKING:
    from docker import DockerClient

VERSION_LABEL = "org.opencontainers.image.version"
REVISION_LABEL = "org.opencontainers.image.revision"
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Reference:
    """`ghcr.io/acme/app:v2` taken apart; `pinned` when it names a digest."""

    repository: str
    tag: str = ""
    pinned: bool = False

    @property
    def registry(self) -> str:
        """The host it is pulled from; empty for a name without one, which is on Docker Hub."""
        host, slash, _ = self.repository.partition("/")
        return host if slash and ("." in host or ":" in host or host == "localhost") else ""


def parse(text: str) -> Reference:
    name, at, _ = text.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the colon of a registry's port
        repository, tag = name, ""
    return Reference(repository, tag, pinned=bool(at))


def here(client: "DockerClient", service: Service) -> Artifact | None:
    """The image as this machine has it; None when it has none."""
    import docker.errors  # noqa: PLC0415  the SDK is slow to import

    try:
        return _artifact(client.images.get(service.image), parse(service.image))
    except docker.errors.ImageNotFound:
        return None


def resolve(client: "DockerClient", service: Service, keep: str, env: Mapping[str, str]) -> Artifact:
    """Find the image, pull it if its registry has another one by now, and tag it so that no clean-up removes it.

    `keep` is what makes the tags of this state directory its own, `env` leads to the logins. The digest is that of the
    registry, so that it is the same on every machine; of an image that never saw one, its id. Raises WrongInputError
    for an image that is nowhere.
    """
    import docker.errors  # noqa: PLC0415  as above

    reference = parse(service.image)
    pull = partial(_pull, client, service.image, reference, env)
    notes: tuple[str, ...] = ()
    try:
        image = client.images.get(service.image)
    except docker.errors.ImageNotFound:
        image = pull()
    else:
        if not reference.pinned and _digests(image, reference):
            moved, notes = _moved(service.image, _digests(image, reference), env)
            image = pull() if moved else image
    found = _artifact(image, reference, notes)
    repository, _, tag = tag_of(service, found.digest, keep).partition(":")
    image.tag(repository, tag)
    return found


def _artifact(image: Any, reference: Reference, notes: tuple[str, ...] = ()) -> Artifact:
    labels = image.labels or {}
    named = reference.tag if reference.tag != "latest" else ""
    return Artifact(
        digest=next(iter(_digests(image, reference)), str(image.id)),
        version=named or labels.get(VERSION_LABEL, "") or reference.tag,
        git_sha=labels.get(REVISION_LABEL, ""),
        notes=notes,
    )


def take(client: "DockerClient", service: Service, made: str, commit: Commit | None, keep: str) -> Artifact:
    """Tag an image that was built here, by its id, and name its release by the commit that it was built from."""
    repository, _, tag = tag_of(service, made, keep).partition(":")
    client.images.get(made).tag(repository, tag)
    return Artifact(digest=made, version=commit.version if commit else "", git_sha=commit.sha if commit else "")


def _moved(text: str, here: list[str], env: Mapping[str, str]) -> tuple[bool, tuple[str, ...]]:
    """Whether the tag names another image in its registry now, and what is to be said about it.

    `here` are the digests of the one on this machine. One that was built here is not asked about.
    """
    try:
        now = registry.digest_of(text, env)
    except PlatformError as error:
        said = f"whether {text} has moved is not known, the one on this machine is taken: {error.cause}"
        return False, (" ".join(said.split()),)
    if any(known.endswith(f"@{now}") for known in here):
        return False, ()
    return True, (f"{text} has moved: its registry has another image now, {now[7:19]}",)


def _digests(image: Any, reference: Reference) -> list[str]:
    """`repository@sha256:...` by which the image was pulled from its registry, or pushed to it."""
    known: list[str] = image.attrs.get("RepoDigests") or []
    return [digest for digest in known if digest.startswith(f"{reference.repository}@")]


def tag_of(service: Service, digest: str, keep: str) -> str:
    """The tag that holds a release's image, whatever becomes of the name it came by: `crossfade/shop-web:3f9a-a1b2`."""
    return f"crossfade/{service.app}-{service.name}:{digest.rpartition(':')[2][:12]}-{keep}".lower()


def forget(client: "DockerClient", release: Release, keep: str) -> None:
    """Give the image up: it goes when nobody else has a name for it."""
    import docker.errors  # noqa: PLC0415  as above

    try:
        client.api.remove_image(tag_of(release.service, release.digest, keep))
    except docker.errors.ImageNotFound:
        return
    except docker.errors.APIError as error:
        if error.status_code != CONFLICT:  # somebody else's container uses it
            raise


def require(client: "DockerClient", release: Release, keep: str) -> None:
    """PlatformError when the image of a release was removed from this machine."""
    import docker.errors  # noqa: PLC0415  as above

    try:
        client.images.get(tag_of(release.service, release.digest, keep))
    except docker.errors.ImageNotFound as error:
        raise PlatformError(
            f"the image of release {release.label} is not on this machine any more: {release.digest}",
            "deploy it again",
        ) from error


def _pull(client: "DockerClient", text: str, reference: Reference, env: Mapping[str, str]) -> Any:
    import docker.errors  # noqa: PLC0415  as above

    try:
        login.use(client.api, env)
        if reference.pinned:
            return client.images.pull(text)
        return client.images.pull(reference.repository, tag=reference.tag or "latest")
    except docker.errors.APIError as error:
        way_out = f"check its name, and that you may pull it: docker login {reference.registry}".rstrip()
        if not reference.registry:
            way_out = f"build it here (image: {{build: .}}, or docker build -t {text} .), or {way_out}"
        said = " ".join(str(error.explanation or error).split())
        raise WrongInputError(
            f"the image {text} is not on this machine and could not be pulled: {said}", way_out
        ) from error
