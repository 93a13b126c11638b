"""Roles: what each service of a project is, judged by evidence that can be shown."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.health import asked, command_of
from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.source.mounts import mounts_of
from crossfade.file.init.compose.source.ports import exposed, ports_of
from crossfade.file.init.compose.source.project import Project, profiles_of
from crossfade.file.init.dockerfile import Dockerfile, parse_dockerfile, read_dockerfile
from crossfade.file.reading.document import Scalar
from crossfade.paths import from_folder

Service = dict[str, Any]
_ENOUGH = 2  # one strong sign, or two weak ones


class Kind(StrEnum):
    """What a service is to crossfade."""

    SERVICE = "service"  # answers HTTP
    STORE = "store"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    MIGRATION = "migration"
    PROXY = "proxy"
    OTHER = "other"  # speaks something else than HTTP
    PROFILE = "profile"  # only started when somebody asks for it


_ROUTED = re.compile(
    r"\.routers\.|\.loadbalancer\.server\.port|^caddy(_\d+)?\.(\w+\.)*?(\d+_)?reverse_proxy$"
    r"|^traefik\.(\w+\.)?frontend\.rule$"
)
NO_PORT = ("no port",)
_OF_DOCKER = ("mounts the Docker socket",)
CARRIED = frozenset({Kind.SERVICE, Kind.WORKER, Kind.SCHEDULER})


@dataclass(frozen=True)
class Role:
    """A kind and what speaks for it."""

    kind: Kind
    evidence: tuple[str, ...] = ()

    @property
    def because(self) -> str:
        return ", ".join(self.evidence)


@dataclass
class Roles:
    """The roles of a project's services. Who waits for whom is gathered once, not for each service again."""

    project: Project
    services: Mapping[str, Service]
    waited_to_end: frozenset[str] = frozenset()
    dependants: dict[str, list[str]] = field(default_factory=dict)
    dockerfiles: dict[str, Dockerfile | None] = field(default_factory=dict)
    guests: dict[str, list[str]] = field(default_factory=dict)  # who lives in its network

    @classmethod
    def of(cls, project: Project) -> "Roles":
        services = {name: service for name, service in project.plain["services"].items() if isinstance(service, dict)}
        roles = cls(project, services)
        ending: set[str] = set()
        for name, service in services.items():
            for other, condition in waits_for(service).items():
                roles.dependants.setdefault(other, []).append(name)
                if condition == "service_completed_successfully":
                    ending.add(other)
            how, _, host = str(service.get("network_mode") or "").partition(":")
            if how == "service":
                roles.guests.setdefault(host, []).append(name)
            roles.dockerfiles[name] = _dockerfile(project.folder, service)
        roles.waited_to_end = frozenset(ending)
        return roles

    def judged(self) -> dict[str, Role]:
        """The role of every service. Proxies are judged last: what they are depends on what else is there."""
        first = {name: self._role(name, service) for name, service in self.services.items()}
        answering = {name for name, role in first.items() if role.kind is Kind.SERVICE}
        unknown = {name for name, role in first.items() if role.kind is Kind.WORKER and not role.evidence}
        judged = dict(first)
        for name in answering:
            if sure := self._proxy(name, (answering | unknown) - {name}):
                judged[name] = Role(Kind.PROXY, sure)
        proxies = {name for name, role in judged.items() if role.kind is Kind.PROXY}
        for name in unknown:
            judged[name] = self._unknown(name, proxies)
        of_docker = [name for name, role in judged.items() if self._is_of_docker(name, role)]
        return judged | dict.fromkeys(of_docker, Role(Kind.OTHER, _OF_DOCKER))

    def _is_of_docker(self, name: str, role: Role) -> bool:
        """True for what does nothing without Docker's socket, which no instance gets."""
        service = self.services[name]
        tool = set(signs.words(signs.basename(str(service.get("image") or "")))) & signs.DOCKER_TOOLS
        background = role.kind is Kind.WORKER or (role.kind is Kind.SERVICE and tool)
        return bool(background) and any(mount.is_of_docker for mount in mounts_of(service))

    def _role(self, name: str, service: Service) -> Role:
        if profiles := profiles_of(self.project, service):
            return Role(Kind.PROFILE, (f"only with profile {', '.join(profiles)}",))
        if basis := elsewhere(service):
            return Role(Kind.OTHER, (basis,))
        if (image := signs.basename(str(service.get("image") or ""))) in signs.PROXY_COMPANIONS:
            return Role(Kind.PROXY, (f"image {image}",))
        if store := self._store(name, service):
            return Role(Kind.STORE, store)
        if migration := self._migration(name, service):
            return Role(Kind.MIGRATION, migration)
        return self._by_ports(name, service)

    def _by_ports(self, name: str, service: Service) -> Role:
        if guests := self.guests.get(name):
            return Role(Kind.OTHER, (f"{guests[0]} lives in its network",))
        ports = [port for port in ports_of(service) if not port.why]
        if not ports and not routed(service) and (role := self._in_background(name, command_line(service))):
            return role
        other = [f"port {port.target} speaks {port.protocol}, not HTTP" for port in ports if port.protocol]
        if ports and len(other) == len(ports):
            return Role(Kind.OTHER, tuple(other))
        port = self.port_evidence(name)
        return Role(Kind.SERVICE, (port,)) if port else Role(Kind.WORKER)

    def _store(self, name: str, service: Service) -> tuple[str, ...]:
        image = str(service.get("image") or "")
        dockerfile = self.dockerfiles[name]
        strong, weak = [], []
        tool = bool(set(signs.words(signs.basename(image))) & signs.TOOLS)
        if word := signs.store_in(image):
            strong.append(f"image {word}")
        if dockerfile and (word := signs.store_in(dockerfile.base)):
            strong.append(f"built from {word}")
        targets = [port.target for port in ports_of(service)] + exposed(service)
        strong += [f"port {target} ({signs.STORE_PORTS[target]})" for target in targets if target in signs.STORE_PORTS]
        strong += [f"data in {place}" for m in mounts_of(service) if (place := signs.data_place(m.target))]
        check = service.get("healthcheck")
        test = command_of(check.get("test")) if isinstance(check, dict) else ""
        if (program := signs.store_check(test)) and not asked(test, {}).path:
            strong.append(f"checked with {program}")
        if variable := next(filter(signs.is_store_variable, names_of(service.get("environment"))), ""):
            weak.append(f"variable {variable}")
        if set(signs.words(name)) & signs.STORE_NAMES and not set(signs.words(name)) & signs.TOOLS:
            weak.append(f"called {name}")
        if tool and not any(sign.startswith("data in") for sign in strong):
            return ()
        if _answers_http(targets) and not any(sign.startswith(("image", "built", "data")) for sign in strong):
            return ()
        enough = _ENOUGH * len(strong) + len(weak) >= _ENOUGH
        return tuple(dict.fromkeys([*strong, *weak])) if enough else ()

    def _migration(self, name: str, service: Service) -> tuple[str, ...]:
        if name in self.waited_to_end:
            return ("others wait for its end",)
        if ports_of(service) or routed(service):
            return ()
        once = _runs_once(service)
        said = []
        if set(signs.words(name)) & signs.MIGRATIONS:
            said.append(f"called {name}")
        if signs.MIGRATION_COMMAND.search(command := command_line(service)) and not _serves_too(command):
            said.append(f"runs {command}")
        background = self._in_background(name, command)
        if said and not background:
            return (*said, *once)
        return once if once and not background and self.port_evidence(name) == "" else ()

    def _in_background(self, name: str, command: str) -> Role | None:
        own = set(signs.words(name))
        if own & signs.SCHEDULERS or signs.SCHEDULER_COMMAND.search(command):
            sign = f"called {name}" if own & signs.SCHEDULERS else f"runs {command}"
            return Role(Kind.SCHEDULER, (sign,))
        if own & signs.WORKERS or signs.WORKER_COMMAND.search(command):
            return Role(Kind.WORKER, (f"called {name}" if own & signs.WORKERS else f"runs {command}",))
        return None

    def _proxy(self, name: str, others: set[str]) -> tuple[str, ...]:
        """What says that a service stands before others and sends them their requests."""
        service = self.services[name]
        image = str(service.get("image") or "")
        dockerfile = self.dockerfiles[name]
        known = set(signs.words(signs.basename(image))) or set(
            signs.words(signs.basename(dockerfile.base if dockerfile else ""))
        )
        kind = next((word for word in signs.words(signs.basename(image)) if word in signs.PROXIES), "")
        built = bool(service.get("build")) and bool(known & signs.PROXIES)
        named = bool(set(signs.words(name)) & signs.PROXY_NAMES)
        if not others or known & signs.TOOLS - {"proxy"} or not (kind or (named and (built or service.get("build")))):
            return ()
        said = [f"image {kind}" if kind else f"called {name}"]
        mounts = mounts_of(service)
        said += ["mounts the Docker socket"] if any(mount.is_socket for mount in mounts) else []
        said += [f"stands before {other}" for other in _reaches(service) if other in others]
        said += [f"mounts {mount.target}" for mount in mounts if _is_proxy_config(mount.target)]
        alone = not any(port.published for other in others for port in ports_of(self.services[other]))
        said += ["alone publishes a port"] if alone and any(port.published for port in ports_of(service)) else []
        serves_files = any("/html" in mount.target or mount.target.startswith("/srv") for mount in mounts)
        sure = kind in signs.PURE_PROXIES or len(said) > 1
        return tuple(said) if sure and not (serves_files and len(said) == 1) else ()

    def _unknown(self, name: str, proxies: set[str]) -> Role:
        """A service without any port: behind a proxy it answers HTTP all the same."""
        before = [proxy for proxy in proxies if name in _reaches(self.services[proxy])]
        if before:
            return Role(Kind.SERVICE, (f"{before[0]} stands before it",))
        if self.speaks_fastcgi(name) and not command_line(self.services[name]):
            return Role(Kind.SERVICE, ("its image is php-fpm",))
        return Role(Kind.WORKER, NO_PORT)

    def is_routed(self, name: str) -> bool:
        return routed(self.services[name])

    def speaks_fastcgi(self, name: str) -> bool:
        """True for php-fpm without a web server in its image: php:8.3-fpm, but not acme/php:8.3-fpm-nginx."""
        dockerfile = self.dockerfiles[name]
        images = (str(self.services[name].get("image") or ""), dockerfile.base if dockerfile else "")
        found = [set(signs.words(image.replace(":", "-"))) for image in images]
        return any("fpm" in words and not words & {*signs.PROXIES, "frankenphp"} for words in found)

    def port_evidence(self, name: str) -> str:
        """Why a service is thought to answer HTTP; empty when nothing says so."""
        return next(self._port_signs(name), "")

    def _port_signs(self, name: str) -> Iterator[str]:
        service, dockerfile = self.services[name], self.dockerfiles[name]
        ports = [port for port in ports_of(service) if not port.why and not port.protocol]
        if ports:
            yield f"publishes port {ports[0].published}" if ports[0].published else f"has port {ports[0].target}"
        if routed(service):
            yield "is named in labels of a proxy"
        if targets := exposed(service):
            yield f"exposes port {targets[0]}"
        check = service.get("healthcheck")
        if isinstance(check, dict) and asked(command_of(check.get("test")), {}).path:
            yield "its healthcheck asks by HTTP"
        variables = values_of(service.get("environment"))
        for variable in ("PORT", "VIRTUAL_PORT", "VIRTUAL_HOST", "VIRTUAL_HOST_MULTIPORTS"):
            if variable in variables:
                yield f"has the variable {variable}"
        if dockerfile and dockerfile.ports:
            yield f"its Dockerfile exposes port {dockerfile.ports[0]}"


def elsewhere(service: Service) -> str:
    """Why no container of ours can be in its place; empty for an ordinary one."""
    if service.get("provider"):
        return "a provider of Compose's makes it, and no image"
    how, _, other = str(service.get("network_mode") or "").partition(":")
    return f"it lives in the network of {other}" if how in ("service", "container") else ""


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
    return any(map(_ROUTED.search, names_of(service.get("labels"))))


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _answers_http(targets: list[int]) -> bool:
    return any(target not in signs.OTHER_PORTS for target in targets)


def _runs_once(service: Service) -> tuple[str, ...]:
    deploy = service.get("deploy")
    policy = deploy.get("restart_policy") if isinstance(deploy, dict) else None
    condition = policy.get("condition") if isinstance(policy, dict) else None
    if service.get("restart") in ("no", False):
        return ('restart: "no"',)
    return (f"restart_policy {condition}",) if condition == "none" else ()


def _serves_too(command: str) -> bool:
    """`migrate && gunicorn ...` migrates and then serves."""
    server = r"gunicorn|uvicorn|hypercorn|runserver|daphne|puma|unicorn|start|serve|node "
    return bool(re.search(rf"(&&|;|\n).*({server})", command, re.DOTALL))


def _is_proxy_config(target: str) -> bool:
    return bool(
        re.search(
            r"nginx\.conf|/nginx/(conf\.d|templates|sites)|Caddyfile|haproxy\.cfg|envoy\.ya?ml|httpd\.conf", target
        )
    )


def _reaches(service: Service) -> list[str]:
    """Whom a service waits for or is linked with."""
    links = service.get("links")
    linked = [str(link).split(":")[0] for link in links] if isinstance(links, list) else []
    return [*waits_for(service), *linked]


def _dockerfile(folder: Path, service: Service) -> Dockerfile | None:
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
