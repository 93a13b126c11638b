"""Roles: what each service of a project is, judged by evidence that can be shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.file.init.compose.health import asked, command_of
from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.judge.features import (
    Service,
    addresses_in,
    answers_http,
    by_hand,
    client_of,
    command_line,
    dockerfile_of,
    elsewhere,
    is_proxy_config,
    names_of,
    reaches,
    routed,
    runs_once,
    serves,
    serves_too,
    values_of,
    waits_for,
)
from crossfade.file.init.compose.source.mounts import mounts_of
from crossfade.file.init.compose.source.ports import exposed, ports_of
from crossfade.file.init.compose.source.project import Project, profiles_of
from crossfade.file.init.dockerfile import Dockerfile

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
    TOOL = "tool"  # does what one types after its name
    CATCHER = "mail catcher"  # stands in for a mail server while one develops


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
    addressed: dict[str, tuple[int, str]] = field(
        default_factory=dict
    )  # at which port it is asked by HTTP, and by whom
    builds: set[str] = field(default_factory=set)  # of those with a port of the machine

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
            for asked_one, port in addresses_in(service):
                if asked_one != name:
                    roles.addressed.setdefault(asked_one, (port, name))
            if service.get("build") and ports_of(service):
                roles.builds.add(repr(service["build"]))
            roles.dockerfiles[name] = dockerfile_of(project.folder, service)
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
        beside = {name: Role(Kind.OTHER, _OF_DOCKER) for name, role in judged.items() if self._is_of_docker(name, role)}
        beside |= self._catchers()
        answers = {name for name, role in judged.items() if role.kind is Kind.SERVICE}
        if not answers - beside.keys():  # then one of them is what the file is about
            beside = {name: role for name, role in beside.items() if name not in answers}
        return judged | beside

    def _catchers(self) -> dict[str, Role]:
        images = {name: signs.basename(str(service.get("image") or "")) for name, service in self.services.items()}
        return {
            name: Role(Kind.CATCHER, (f"image {image}",))
            for name, image in images.items()
            if {*signs.words(image)} & signs.MAIL_CATCHERS and not profiles_of(self.project, self.services[name])
        }

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
        if tool := by_hand(service):
            return Role(Kind.TOOL, (f"runs {tool}, and nothing says what with it",))
        return self._by_itself(name, service)

    def _by_itself(self, name: str, service: Service) -> Role:
        """The role of what runs in a place of its own, and does what is known."""
        if store := self._store(name, service):
            client = client_of(service)
            beside = Kind.WORKER if signs.LASTS.search(client) else Kind.MIGRATION
            return Role(beside, (f"runs {client}",)) if client else Role(Kind.STORE, store)
        if migration := self._migration(name, service):
            return Role(Kind.MIGRATION, migration)
        return self._by_ports(name, service)

    def _by_ports(self, name: str, service: Service) -> Role:
        if guests := self.guests.get(name):
            return Role(Kind.OTHER, (f"{guests[0]} lives in its network",))
        ports = [port for port in ports_of(service) if not port.why]
        if not ports and not routed(service) and (role := self._in_background(name, command_line(service))):
            return role
        datagrams = [port for port in ports_of(service) if port.is_udp]
        if datagrams and len(datagrams) == len(ports_of(service)) and not exposed(service) and not routed(service):
            return Role(Kind.OTHER, (f"port {datagrams[0].target} speaks UDP, not HTTP",))
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
        if answers_http(targets) and not any(sign.startswith(("image", "built", "data")) for sign in strong):
            return ()
        enough = _ENOUGH * len(strong) + len(weak) >= _ENOUGH
        return tuple(dict.fromkeys([*strong, *weak])) if enough else ()

    def _migration(self, name: str, service: Service) -> tuple[str, ...]:
        if name in self.waited_to_end:
            return ("others wait for its end",)
        if ports_of(service) or routed(service):
            return ()
        once = runs_once(service)
        said = []
        if set(signs.words(name)) & signs.MIGRATIONS:
            said.append(f"called {name}")
        if signs.MIGRATION_COMMAND.search(command := command_line(service)) and not serves_too(command):
            said.append(f"runs {command}")
        if signs.ENDS.search(command) and not signs.LASTS.search(command) and not serves(command):
            said.append("its command ends with exit 0")
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
        said += [f"stands before {other}" for other in reaches(service) if other in others]
        said += [f"mounts {mount.target}" for mount in mounts if is_proxy_config(mount.target)]
        alone = not any(port.published for other in others for port in ports_of(self.services[other]))
        said += ["alone publishes a port"] if alone and any(port.published for port in ports_of(service)) else []
        serves_files = any("/html" in mount.target or mount.target.startswith("/srv") for mount in mounts)
        sure = kind in signs.PURE_PROXIES or len(said) > 1
        return tuple(said) if sure and not (serves_files and len(said) == 1) else ()

    def _unknown(self, name: str, proxies: set[str]) -> Role:
        """A service without any port: behind a proxy it answers HTTP all the same."""
        before = [proxy for proxy in proxies if name in reaches(self.services[proxy])]
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
        if dockerfile and dockerfile.ports and not self._is_beside(service):
            yield f"its Dockerfile exposes port {dockerfile.ports[0]}"
        if name in self.addressed:
            port, by = self.addressed[name]
            yield f"{by} asks it at {name}:{port}"

    def _is_beside(self, service: Service) -> bool:
        """True for another command of what a service with a port is built from, which is there for that one."""
        command = command_line(service)
        return bool(command) and not serves(command) and repr(service.get("build")) in self.builds
