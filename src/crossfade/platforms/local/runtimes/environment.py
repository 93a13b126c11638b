"""The environment of a release's commands."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.release import Release
from crossfade.core.service import Service

LEAST_PORT, PORTS = 20_000, 12_000  # below what the kernel gives to who asks for any
KEPT = ("HOME", "USER", "LANG", "TZ")  # of ours: who and where we are; nothing else leaks in


def loopback(state: Path, key: str) -> tuple[str, int]:
    """The address of loopback at which processes of an app reach one of its services by way of the balancer.

    It follows from the state directory and the service alone, so that who is started first knows it already: one of
    16 million addresses, at one of 12,000 ports.
    """
    digest = hashlib.sha256(f"{state}\0{key}".encode()).digest()
    host = ".".join(map(str, (127, 1 + digest[0] % 254, digest[1], 1 + digest[2] % 254)))
    return host, LEAST_PORT + int.from_bytes(digest[3:7]) % PORTS


def urls(service: Service, state: Path) -> dict[str, str]:
    """`CROSSFADE_URL_<SERVICE>` of each web service of the app, as a process reaches it."""
    found = {}
    for peer in service.names.peers:
        host, port = loopback(state, f"{service.key.rpartition('/')[0]}/{peer.name}")
        found[variable(peer.name)] = f"http://{host}:{port}"
    return found


def variable(name: str) -> str:
    """`CROSSFADE_URL_API` of the service `api`."""
    return f"CROSSFADE_URL_{name.upper().replace('-', '_')}"


def for_build(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    """What the deploying shell brought along, and the service's own variables before it; nothing else of ours."""
    brought = {name: value for name, value in env.items() if not name.startswith("CROSSFADE_")}
    return _kept() | {"PATH": os.defpath} | brought | dict(service.env)


def for_process(release: Release, secrets: Mapping[str, str], state: Path) -> dict[str, str]:
    """What a process of a release is given: its programs are found by the PATH of the shell that deployed it."""
    own = {"PATH": release.path or os.defpath, **urls(release.service, state)}
    return _kept() | own | release.environment(secrets)


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}
