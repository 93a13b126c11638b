"""A registry's word on what a tag is now. Docker asks it, with the login it has for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.runtimes.docker import login

if TYPE_CHECKING:
    from docker import APIClient

ASK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class TagInfo:
    """What a tag is: `sha256:...`, and what it runs on, such as linux/arm64; no platforms where that is not said."""

    digest: str
    platforms: frozenset[str]


def digest_of(image: str, env: Mapping[str, str]) -> str:
    """`sha256:...` of what `name:tag` is in its registry now. PlatformError as of `told`."""
    return told(image, env).digest


def told(image: str, env: Mapping[str, str]) -> TagInfo:
    """What `name:tag` is in its registry now, fetched without its layers; `env` leads to the login.

    PlatformError with the reason when the registry cannot be asked, or does not say.
    """
    import docker.errors  # noqa: PLC0415  the SDK costs 150 ms
    import requests  # noqa: PLC0415  it comes with the SDK, which lets its errors through
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    api: APIClient | None = None
    try:
        api = docker.APIClient(timeout=ASK_SECONDS, **kwargs_from_env())
        login.use(api, env)
        said: Any = api.inspect_distribution(image)  # type: ignore[no-untyped-call]
        platforms = {f"{one['os']}/{one['architecture']}" for one in said.get("Platforms") or ()}
        return TagInfo(str(said["Descriptor"]["digest"]), frozenset(platforms - {"unknown/unknown", "/"}))
    except docker.errors.APIError as error:
        raise PlatformError(str(error.explanation or error)) from error
    except requests.Timeout as error:
        raise PlatformError(f"no answer within {ASK_SECONDS} s") from error
    except (docker.errors.DockerException, requests.RequestException, KeyError, TypeError) as error:
        raise PlatformError(str(error)) from error
    finally:
        if api is not None:
            api.close()
