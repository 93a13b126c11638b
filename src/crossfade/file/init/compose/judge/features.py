"""Features of one service of a Compose file, whatever the others are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.source.mounts import mounts_of
from crossfade.file.init.compose.source.ports import ports_of
from crossfade.file.init.dockerfile import Dockerfile, parse_dockerfile, read_dockerfile
from crossfade.file.reading.document import Scalar
from crossfade.paths import from_folder

Service = dict[str, Any]

_SERVERS = r"gunicorn|uvicorn|hypercorn|runserver|daphne|puma|unicorn|start|serve|node "
# A URL of the project's own network in a variable: http://meta:8080/x
_URL = re.compile(r"\bhttps?://([A-Za-z0-9][\w-]*)(?::([0-9]{2,5}))?(?![\w.:@-])")
_HOST_AND_PORT = re.compile(r"([A-Za-z0-9][\w-]*):([0-9]{2,5})")

_ROUTED = re.compile(
    r"\.routers\.|\.loadbalancer\.server\.port|^caddy(_\d+)?\.(\w+\.)*?(\d+_)?reverse_proxy$"
    r"|^traefik\.(\w+\.)?frontend\.rule$"
)


def client_of(service: Service) -> str:
    """The command of one that runs a store's image to work with another one; empty for a store itself."""
    command = " ".join(command_line(service).split())
    asks = signs.CLIENT_COMMAND.search(f"{command} ") and not signs.SERVER_COMMAND.search(command)
    kept = any(signs.data_place(mount.target) for mount in mounts_of(service))
    return command if asks and not kept and not ports_of(service) else ""


def elsewhere(service: Service) -> str:
    """Why no container of ours can be in its place; empty for an ordinary one."""
    if service.get("provider"):
        return "a provider of Compose's makes it, and no image"
    how, _, other = str(service.get("network_mode") or "").partition(":")
    return f"it lives in the network of {other}" if how in ("service", "container") else ""


def by_hand(service: Service) -> str:
    """The entrypoint of one that is there for `docker compose run`: a tool, of which nothing says what it does."""
    entrypoint = command_line({"entrypoint": service.get("entrypoint")})
    goes_on = service.get("restart") in ("always", "unless-stopped")
    return entrypoint if not (goes_on or service.get("command")) and signs.BY_HAND.fullmatch(entrypoint) else ""


def waits_for(service: Service) -> dict[str, str]:
    """The services that it waits for, and until when: service_started, service_healthy or its end."""
    depends_on = service.get("depends_on")
    if not isinstance(depends_on, dict):
        return {}
    return {
        str(name): str(how.get("condition", "service_started")) if isinstance(how, dict) else "service_started"
        for name, how in depends_on.items()
    }


def command_line(service: Service) -> str:
    """Entrypoint and command in one line, to look for words in."""
    parts = [service.get("entrypoint"), service.get("command")]
    return " ".join(" ".join(map(str, part)) if isinstance(part, list) else str(part) for part in parts if part)


def addresses_in(service: Service) -> Iterator[tuple[str, int]]:
    """Hosts that its variables have URLs of, or nothing but the address of, each with its port."""
    for name, value in values_of(service.get("environment")).items():
        alone = _HOST_AND_PORT.fullmatch(value)
        if alone and int(alone[2]) not in signs.OTHER_PORTS and "GRPC" not in name.upper():
            yield alone[1], int(alone[2])
        for match in _URL.finditer(value) if "://" in value else ():
            yield match[1], int(match[2] or (443 if match[0].startswith("https") else 80))


def names_of(environment: Any) -> list[str]:
    """The names of its variables."""
    return [str(name) for name in environment] if isinstance(environment, dict) else []


def values_of(environment: Any) -> dict[str, str]:
    """Its variables that have a value."""
    if not isinstance(environment, dict):
        return {}
    return {str(name): _text(value) for name, value in environment.items() if isinstance(value, str | int | float)}


def routed(service: Service) -> bool:
    """True when its labels tell a proxy about it."""
    labels = service.get("labels")
    off = values_of(labels).get("traefik.enable", "").lower() == "false"
    return not off and any(map(_ROUTED.search, names_of(labels)))


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def answers_http(targets: list[int]) -> bool:
    return any(target not in signs.OTHER_PORTS for target in targets)


def runs_once(service: Service) -> tuple[str, ...]:
    deploy = service.get("deploy")
    policy = deploy.get("restart_policy") if isinstance(deploy, dict) else None
    condition = policy.get("condition") if isinstance(policy, dict) else None
    if service.get("restart") in ("no", False):
        return ('restart: "no"',)
    return (f"restart_policy {condition}",) if condition == "none" else ()


def serves_too(command: str) -> bool:
    """`migrate && gunicorn ...` migrates and then serves."""
    return bool(re.search(rf"(&&|;|\n).*({_SERVERS})", command, re.DOTALL))


def serves(command: str) -> bool:
    """True for a command that starts a server of HTTP."""
    return bool(re.search(_SERVERS, command))


def is_proxy_config(target: str) -> bool:
    return bool(
        re.search(
            r"nginx\.conf|/nginx/(conf\.d|templates|sites)|Caddyfile|haproxy\.cfg|envoy\.ya?ml|httpd\.conf", target
        )
    )


def reaches(service: Service) -> list[str]:
    """Whom a service waits for or is linked with."""
    links = service.get("links")
    linked = [str(link).split(":")[0] for link in links] if isinstance(links, list) else []
    return [*waits_for(service), *linked]


def dockerfile_of(folder: Path, service: Service) -> Dockerfile | None:
    build = service.get("build")
    if not isinstance(build, dict):
        return None
    if inline := build.get("dockerfile_inline"):
        return parse_dockerfile(str(inline), str(build.get("target") or ""))
    context = str(build.get("context") or ".")
    if "://" in context or context.startswith("git@"):
        return None
    return read_dockerfile(
        from_folder(folder, context) / str(build.get("dockerfile") or "Dockerfile"), str(build.get("target") or "")
    )
