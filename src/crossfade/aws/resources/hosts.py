"""The hosts of an environment: where instances stand and listen on AWS."""

from crossfade.aws.places import COLOURS
from crossfade.aws.resources.names import places, prefix
from crossfade.file.model import App, Service

_HTTP = 80


def on_hosts(app: App) -> bool:
    return app.cloud.compute.kind != "fargate"


def stay(app: App) -> bool:
    """Releases are brought to hosts that stay, instead of being hosts of their own."""
    return app.cloud.compute.kind == "hosts"


def fixed(app: App) -> bool:
    """Each host has a public address that stays its own, and is reached there."""
    return stay(app) and app.cloud.compute.address == "fixed"


def exposed(app: App) -> bool:
    """Hosts stand in public subnets where there is no NAT: they could fetch nothing otherwise."""
    return on_hosts(app) and (app.cloud.network.nat == "none" or fixed(app))


def proxied(app: App) -> bool:
    """True with nginx in front: it was asked for, or has several processes to choose from."""
    return on_hosts(app) and not stay(app) and (app.cloud.compute.proxy is not None or app.cloud.compute.processes > 1)


def listens_on(app: App, service: Service) -> int:
    """The port that the load balancer reaches."""
    return _HTTP if proxied(app) and app.cloud.compute.processes > 1 else service.port


def process_ports(app: App, service: Service) -> list[int]:
    """Ports of a host's own processes. A single one moves up where nginx has taken its port."""
    first = service.port + 1 if proxied(app) and listens_on(app, service) == service.port else service.port
    return [first + index for index in range(app.cloud.compute.processes)]


def in_containers(app: App, service: Service) -> bool:
    """Its images need a repository. Hosts run sources as processes."""
    return not on_hosts(app) or service.runtime == "docker"


def by_revision(app: App) -> bool:
    """CodeDeploy brings releases to the hosts, and crossfade moves the visitors: not so where it does both."""
    return app.cloud.pipeline is not None and app.cloud.pipeline.brings and on_hosts(app) and not stay(app)


def by_colour(app: App) -> bool:
    """Two groups: a release goes out to the one that waits. Where CodeDeploy does all by itself there is one."""
    images = any(in_containers(app, each) for each in app.services.values())
    return on_hosts(app) and not stay(app) and (images or by_revision(app))


def hosts_log_group(app: App) -> str:
    """Where what runs on hosts is read. Docker brings it there, and of processes the agent, where the file says so."""
    if not by_revision(app):
        return places(app).hosts_log_group
    metrics = app.cloud.compute.metrics
    brought = metrics.logs.items() if metrics else ()
    return next((f"/{prefix(app)}/{name}" for name, path in brought if path == places(app).processes_log), "")


def host_names(app: App) -> list[str]:
    """What is watched of hosts, by the names that people see: their groups as a whole, or each that stays."""
    if not stay(app):
        return [f"hosts-{colour}" for colour in COLOURS] if by_colour(app) else ["hosts"]
    count = sum(service.replicas for service in app.services.values())
    return [f"host-{number}" for number in range(1, count + 1)]
