"""Where instances stand and listen on AWS."""

from crossfade.file.model import App, Service

_HTTP = 80


def on_hosts(app: App) -> bool:
    return app.cloud.compute.kind == "autoscaling"


def exposed(app: App) -> bool:
    """Hosts stand in public subnets where there is no NAT: they could fetch nothing otherwise."""
    return on_hosts(app) and app.cloud.network.nat == "none"


def proxied(app: App) -> bool:
    """True with nginx in front: it was asked for, or has several processes to choose from."""
    return on_hosts(app) and (app.cloud.compute.proxy is not None or app.cloud.compute.processes > 1)


def listens_on(app: App, service: Service) -> int:
    """The port that the load balancer reaches."""
    return _HTTP if on_hosts(app) and app.cloud.compute.processes > 1 else service.port


def process_ports(app: App, service: Service) -> list[int]:
    """Ports of a host's own processes. A single one moves up where nginx has taken its port."""
    first = service.port + 1 if proxied(app) and listens_on(app, service) == service.port else service.port
    return [first + index for index in range(app.cloud.compute.processes)]


def in_containers(app: App, service: Service) -> bool:
    """Its images need a repository. Hosts run sources as processes."""
    return not on_hosts(app) or service.runtime == "docker"
