"""The whole file as types. Whoever needs one of them takes it from here."""

from collections.abc import Container, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from crossfade.adapters import BALANCERS, DEFAULT_BALANCER
from crossfade.file.cloud.fit import misfits
from crossfade.file.cloud.model import Cloud
from crossfade.file.cloud.stage import is_production
from crossfade.file.part import Clash, Part
from crossfade.file.parts.deploy import Deploy, Inconclusive, RollbackOn
from crossfade.file.parts.health import Codes, Health
from crossfade.file.parts.hooks import Hooks
from crossfade.file.parts.hosts import HostAddress, Outside, Ssh, misfits_on_hosts
from crossfade.file.parts.job import Job, misfits_on_aws
from crossfade.file.parts.kind import wrong_for_its_platform
from crossfade.file.parts.names import joined_by_nobody, nameless
from crossfade.file.parts.notify import Channel
from crossfade.file.parts.service import NAME, Resources, Service
from crossfade.file.parts.store import Backup, Store, StoreHealth, wrong_together
from crossfade.file.parts.variables.origin import unknown_here, unknown_on_aws
from crossfade.file.parts.volumes import shared_by_two_kinds
from crossfade.file.parts.web.listen import HOST, Listen, Tls, closed_to_us
from crossfade.file.parts.web.route import Preview, Route
from crossfade.file.parts.web.static import Static
from crossfade.file.parts.web.sticky import Sticky
from crossfade.file.reading.problem import nearest
from crossfade.file.units import Text

__all__ = [
    "App",
    "Backup",
    "Cloud",
    "Codes",
    "Deploy",
    "Environment",
    "File",
    "Health",
    "Hooks",
    "Inconclusive",
    "Listen",
    "Preview",
    "Resources",
    "RollbackOn",
    "Route",
    "Service",
    "Settings",
    "Static",
    "Sticky",
    "Store",
    "StoreHealth",
    "Tls",
]

Platform = Literal["local", "hosts", "aws"]
if TYPE_CHECKING:
    Balancer = str
else:
    Balancer = Literal[tuple(BALANCERS)]


class Named(Part):
    """What a file is about."""

    name: Annotated[str, NAME] = Field(alias="app", description="The application's name.", examples=["feedback"])


class Settings(Part):
    """What the file says at its top and an environment may say otherwise."""

    services: dict[Annotated[str, NAME], Service] = Field(
        description="What runs, by name.", examples=[{"web": {"replicas": 4}}]
    )
    stores: dict[Annotated[str, NAME], Store] = Field(
        default={},
        description="What keeps data, by name: databases, caches, queues. Containers reach each by its name.",
        examples=[{"db": {"image": "postgres:16", "volumes": ["data:/var/lib/postgresql/data"]}}],
    )
    jobs: dict[Annotated[str, NAME], Job] = Field(
        default={},
        description="What runs by the clock, by name.",
        examples=[{"digest": {"service": "web", "command": "python manage.py digest", "schedule": "0 7 * * *"}}],
    )
    listen: Listen = Field(
        default=Listen.unwritten(http=8080),
        description="Where visitors come in: a port, or a mapping. Default: 8080.",
        examples=[8080],
    )
    tls: Tls | None = Field(
        default=None,
        description="Certificate for HTTPS. Default: none.",
        examples=[{"certificate": "tls/fullchain.pem", "key": "tls/privkey.pem"}],
    )
    redirects: dict[Annotated[str, HOST], Annotated[str, HOST]] = Field(
        default={},
        description="Hosts that are sent on to another one, path and all. With `tls` they need a certificate, too.",
        examples=[{"www.example.com": "example.com"}],
    )
    network: Annotated[str, Text(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", "the name of a network of Docker's")] | None = Field(
        default=None,
        description="A network of Docker's that containers join beside the app's own, such as a Compose project's: "
        "what runs there is reached by its name.",
        examples=["shop_default"],
    )
    notify: dict[Annotated[str, NAME], Channel] = Field(
        default={},
        description="Who is told how rollouts on this machine ended, and of trouble, by name. On AWS: `cloud.notify`.",
        examples=[{"ops": {"secret": "OPS_WEBHOOK", "on": ["failed", "trouble"]}}],
    )
    access_log: bool = Field(default=False, strict=True, description="Writes a line for each request.", examples=[True])
    platform: Platform = Field(
        default="local",
        description="`local` is this machine, `hosts` are servers with SSH, `aws` is described by `cloud`.",
        examples=["local"],
    )
    hosts: tuple[Annotated[str, HostAddress()], ...] = Field(
        default=(),
        description="With `platform: hosts`, the servers, in the order in which a release reaches them. The first one "
        "keeps the record.",
        examples=[["deploy@a.example.com", "deploy@b.example.com:2222"]],
    )
    ssh: Ssh = Field(
        default=Ssh.unwritten(), description="How the hosts are reached.", examples=[{"key": "~/.ssh/deploy"}]
    )
    outside: Outside = Field(
        default=Outside.unwritten(),
        description="Who says from outside that a host serves its new release.",
        examples=[{"url": "https://shop.example.com/health"}],
    )
    cloud: Cloud = Field(
        default=Cloud.unwritten(),
        description="What an environment with `platform: aws` is there.",
        examples=[{"region": "ap-northeast-2", "zones": ["a", "c"]}],
    )
    balancer: Balancer = Field(
        default=DEFAULT_BALANCER,
        description=("Who sends traffic on this machine. `envoy` comes with crossfade; any other must be installed."),
        examples=["envoy"],
    )


class App(Settings, Named):
    """An application as one environment wants it: everything is decided, nothing is left to look up."""

    environment: Annotated[str, NAME] = Field(
        default="local", description="The environment these settings are for.", examples=["prod"]
    )

    @property
    def production(self) -> bool:
        """True for the environment that visitors use, which its name says."""
        return is_production(self.environment)

    @property
    def over_ssh(self) -> bool:
        """True where releases are brought to servers that have a controller each."""
        return self.platform == "hosts" or (self.platform == "aws" and self.cloud.compute.kind == "hosts")

    @property
    def web(self) -> Mapping[str, Service]:
        """The services that get requests: a worker has no door."""
        return {name: service for name, service in self.services.items() if service.kind == "web"}

    @property
    def has_site(self) -> bool:
        """True where a deploy brings files to a CDN as well."""
        return self.platform == "aws" and self.cloud.site is not None

    @property
    def deploy_order(self) -> tuple[str, ...]:
        """Service names, each after those it depends on."""
        return tuple(
            TopologicalSorter({name: service.depends_on for name, service in self.services.items()}).static_order()
        )

    @property
    def store_order(self) -> tuple[str, ...]:
        """Names of stores, each after those it depends on, else in alphabetical order."""
        return tuple(TopologicalSorter({n: self.stores[n].depends_on for n in sorted(self.stores)}).static_order())

    def impossible(self) -> Iterator[Clash]:
        if not self.services:
            yield Clash(("services",), "no service", "at least one")
        if self.tls is not None and self.listen.https is None:
            yield Clash(("tls",), "tls without a port for it", "listen: {https: 8443} beside it")
        if self.tls is None and self.listen.https is not None:
            yield Clash(
                ("listen", "https"),
                f"https {self.listen.https} without a certificate",
                "tls: {certificate: ..., key: ...} beside it",
            )
        yield from self._exceptions()
        yield from self._shared_ports()
        yield from self._shared_routes()
        yield from self._redirects()
        if self.platform != "aws":
            yield from nameless(self.services, self.balancer, stores=bool(self.stores))
            yield from joined_by_nobody(self.network, self.services, stores=bool(self.stores))
            yield from closed_to_us(self.listen, self.services)
        yield from self._dependencies()
        yield from self._successors()
        yield from self._jobs()
        yield from self._stores()
        yield from shared_by_two_kinds(self.services)
        for name, service in self.services.items():
            yield from wrong_for_its_platform(name, service, self.platform, self.balancer, self.cloud.compute.kind)
        yield from misfits_on_hosts(self)
        if self.platform != "aws":
            yield from unknown_here(self.services)
        else:
            yield from unknown_on_aws(self.services, self.cloud)
            yield from misfits(self.name, self.environment, self.services, self.cloud)

    def _exceptions(self) -> Iterator[Clash]:
        if self.tls is not None and self.tls.redirect_except and (not self.tls.redirect or self.listen.http is None):
            yield Clash(
                ("tls", "redirect_except"),
                "exceptions from a redirect that is not made",
                "listen.http and tls.redirect",
            )

    def _shared_ports(self) -> Iterator[Clash]:
        taken = {self.listen.http: "listen.http", self.listen.https: "listen.https"}
        for name, service in self.services.items():
            if service.preview.port is None:
                continue
            port = service.preview.port
            if port in taken:
                yield Clash(
                    ("services", name, "preview", "port"), f"{port}, which is {taken[port]} too", "a port of its own"
                )
            taken.setdefault(port, f"services.{name}.preview.port")

    def _shared_routes(self) -> Iterator[Clash]:
        taken: dict[tuple[str | None, str], tuple[str, int]] = {}
        for name, service in self.services.items():
            for index, route in enumerate(service.routes if service.kind == "web" else ()):
                owner = taken.setdefault((route.host, route.path), (name, index))
                if owner != (name, index):
                    found = f"the route {route.host or ''}{route.path}, which services.{owner[0]} has too"
                    yield Clash(
                        ("services", name, "routes", index), found, "a route of its own, such as {path: /api/*}"
                    )

    def _redirects(self) -> Iterator[Clash]:
        hosts = {route.host: name for name, service in self.services.items() for route in service.routes}
        for host, to in self.redirects.items():
            if host in hosts:
                yield Clash(("redirects", host), f"{host}, which services.{hosts[host]} has a route for", "one of both")
            if to in self.redirects:
                yield Clash(("redirects", host), f"{to}, which is sent on too", "the host where that leads in the end")
            if self.platform == "aws":
                yield Clash(("redirects", host), "a redirect on AWS", "platform local or hosts")

    def _successors(self) -> Iterator[Clash]:
        heirs: dict[str, str] = {}
        for name, service in self.services.items():
            if service.was is None:
                continue
            there, other = ("services", name, "was"), heirs.setdefault(service.was, name)
            if service.was in self.services:
                yield Clash(there, f"{service.was}, which is a service of this file", "one that is in it no longer")
            elif other != name:
                yield Clash(there, f"{service.was}, whose place services.{other} takes", "one heir for each")

    def service_of(self, job: Job) -> str:
        """The service whose release a job runs in."""
        return job.service or next(iter(self.services))

    def _stores(self) -> Iterator[Clash]:
        yield from _unmet("stores", self.stores, "store")
        if self.platform == "aws":
            for name in self.stores:
                yield Clash(("stores", name), "a store on AWS", "cloud: {database: ...} or {cache: ...} there")
        else:
            yield from wrong_together(self.stores, self.services, self.listen)

    def _jobs(self) -> Iterator[Clash]:
        names = list(self.services)
        for name, job in self.jobs.items():
            if job.service is None and len(names) > 1:
                yield Clash(("jobs", name), "a job without a service", f"service, one of {', '.join(names)}")
            elif job.service is not None and job.service not in names:
                found = f'"{job.service}", which is not a service'
                yield Clash(("jobs", name, "service"), found, f"one of {', '.join(names)}", nearest(job.service, names))
            elif self.platform == "aws":
                yield from misfits_on_aws(name, job, self.services[self.service_of(job)].grace, self.cloud.compute.kind)

        for name in self.cloud.usage.jobs:
            if name not in self.jobs:
                found, known = f'"{name}", which is not a job', ", ".join(self.jobs)
                yield Clash(("cloud", "usage", "jobs", name), found, f"one of {known}" if known else "no job")

    def _dependencies(self) -> Iterator[Clash]:
        yield from _unmet("services", self.services, "service", ready=self.stores)


def _unmet(
    section: str, parts: Mapping[str, Service] | Mapping[str, Store], kind: str, ready: Container[str] = ()
) -> Iterator[Clash]:
    """Names in `depends_on` that there are not, and a circle. Nobody has to wait for what is `ready`."""
    names = list(parts)
    for name, part in parts.items():
        for index, other in enumerate(part.depends_on):
            if other in ready:
                allowed = f"{kind}s alone: every store is ready before any {kind} starts"
                yield Clash((section, name, "depends_on", index), f'"{other}", which is a store', allowed)
            elif other not in parts:
                found, allowed = f'"{other}", which is not a {kind}', f"one of {', '.join(names)}"
                yield Clash((section, name, "depends_on", index), found, allowed, nearest(other, names))
    try:
        TopologicalSorter({name: part.depends_on for name, part in parts.items()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))  # each now depends on the next
        allowed = f"{kind}s that wait for each other in one direction only"
        yield Clash((section, circle[0], "depends_on"), f"a circle: {' -> '.join(circle)}", allowed)


class Environment(Settings):
    """What is different in one environment: a part of the file that is laid over the rest.

    Mappings are merged, lists and single values replace; a key without a value takes the setting back.
    """

    services: dict[Annotated[str, NAME], Service] = Field(
        default={},
        description="What is different about services; each must be in the file's own `services`.",
        examples=[{"web": {"replicas": 4}}],
    )


class File(Settings, Named):
    """`crossfade.yaml` as it is written. Editors' help and the reference are made from it; `load` makes an `App`."""

    environments: dict[Annotated[str, NAME], Environment] = Field(
        default={},
        description=(
            "What is different where. Without `--environment` the only one is taken, or the one called `local`."
        ),
        examples=[{"prod": {"platform": "aws", "services": {"web": {"replicas": 4}}}}],
    )
