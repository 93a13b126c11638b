"""What of an environment the world can reach, and what stops when one zone does."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Spot
from crossfade.aws.audit.ports import ADMIN, DATA, EVERYBODY, METRICS
from crossfade.file.model import App


def _open(app: App, ports: frozenset[int]) -> Iterator[Spot]:
    for index, opened in enumerate(app.cloud.network.open_ports):
        world = [network for network in opened.to if network in EVERYBODY]
        if world and opened.port in ports:
            keys = ("cloud", "network", "open_ports", index)
            yield Spot(keys, f"port {opened.port} of the hosts is open to {world[0]}")


def administration(app: App) -> Iterator[Spot]:
    yield from _open(app, ADMIN)


def metrics(app: App) -> Iterator[Spot]:
    yield from _open(app, METRICS)


def data_ports(app: App) -> Iterator[Spot]:
    yield from _open(app, DATA)


def past_the_balancer(app: App) -> Iterator[Spot]:
    named = ADMIN | METRICS | DATA
    yield from _open(app, frozenset(opened.port for opened in app.cloud.network.open_ports) - named)


def one_way_out(app: App) -> Iterator[Spot]:
    network, zones = app.cloud.network, len(app.cloud.zones)
    what = {"one": "one NAT gateway", "instance": "one NAT instance"}.get(network.nat)
    if what:
        yield Spot(("cloud", "network", "nat"), f"{what} for {zones} zones")


def public_hosts(app: App) -> Iterator[Spot]:
    if app.cloud.compute.kind == "hosts" and app.cloud.compute.address == "fixed":
        yield Spot(("cloud", "compute", "address"), "fixed, so the hosts stand in public subnets with public addresses")
    elif app.cloud.network.nat == "none" and app.cloud.compute.kind != "fargate":
        yield Spot(("cloud", "network", "nat"), "none, so the hosts stand in public subnets with public addresses")


def no_flow_logs(app: App) -> Iterator[Spot]:
    if not app.cloud.network.flow_logs:
        yield Spot(("cloud", "network", "flow_logs"), "nothing records who talked to whom")


CHECKS = {
    "CF-NET-001": administration,
    "CF-NET-002": metrics,
    "CF-NET-003": data_ports,
    "CF-NET-004": past_the_balancer,
    "CF-NET-006": one_way_out,
    "CF-NET-007": public_hosts,
    "CF-NET-008": no_flow_logs,
}
