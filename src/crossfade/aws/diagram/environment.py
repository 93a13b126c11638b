"""From one environment of the file to what its picture shows."""

from collections.abc import Iterator

from crossfade.aws.diagram import region, zones
from crossfade.aws.diagram.groups import groups
from crossfade.aws.diagram.scene import Arrow, Cell, Node, Scene, Tier
from crossfade.aws.environment import idle_timeout
from crossfade.aws.resources.hosts import exposed, listens_on, on_hosts
from crossfade.file.cloud.data import PORTS
from crossfade.file.model import App


def scene(app: App) -> Scene:
    """Everything that is drawn of an environment on AWS."""
    tiers = tuple(_tiers(app))
    chain, allowed = groups(app)
    return Scene(
        title=f"{app.name}, {app.environment}",
        summary=_summary(app),
        visitors=region.VISITORS,
        entrance=tuple(region.entrance(app)),
        site=region.site(app),
        region=f"Region {app.cloud.region}",
        vpc=f"VPC {app.cloud.network.cidr}",
        tiers=tiers,
        aside=tuple(region.aside(app)),
        groups=chain,
        arrows=(*region.arrows(app), *_arrows(app, tiers), *allowed),
    )


def _summary(app: App) -> str:
    cloud = app.cloud
    count = sum(service.replicas for service in app.services.values())
    what = "hosts" if on_hosts(app) else "tasks"
    nat = {
        "one": "one NAT gateway",
        "per-zone": "a NAT gateway in each zone",
        "instance": "a NAT instance",
        "none": "no NAT",
    }
    kept = [zones.NAMES[part.engine] for part in (cloud.database, cloud.cache) if part is not None]
    parts = [f"{', '.join(app.services)} on {count} {what}", *kept, nat[cloud.network.nat]]
    return f"{cloud.region}, zones {' and '.join(cloud.zones)}: {', '.join(parts)}"


def _tiers(app: App) -> Iterator[Tier]:
    cloud, count = app.cloud, range(len(app.cloud.zones))
    hosts = [[*_hosts(app, zone)] for zone in count]
    data = [[*zones.cache(cloud.cache, cloud.zones, zone)] if cloud.cache else [] for zone in count]
    public: list[list[Node]] = hosts if exposed(app) else [[] for _ in count]
    for zone in count:
        if cloud.database and not cloud.database.host:
            where = public if cloud.database.public else data
            where[zone][:0] = zones.database(cloud.database, zone)
        public[zone].extend(_nat(app, zone))  # the lowest, as lines come to it from below
    yield _tier(app, "public", "Public subnets", public, (_balancer(app),))
    yield _tier(app, "private", "Private subnets", [[] for _ in count] if exposed(app) else hosts)
    if cloud.cache or (cloud.database and not cloud.database.host):
        yield _tier(app, "database", "Data subnets, without a way out", data)


def _tier(app: App, kind: str, title: str, nodes: list[list[Node]], across: tuple[Node, ...] = ()) -> Tier:
    cidrs = app.cloud.network.subnets(kind, len(app.cloud.zones))  # type: ignore[arg-type]
    cells = (
        Cell(id=f"cell-{kind}-{zone}", title=f"{app.cloud.region}{zone}  {cidr}", nodes=tuple(inside))
        for zone, cidr, inside in zip(app.cloud.zones, cidrs, nodes, strict=True)
    )
    return Tier(id=f"tier-{kind}", title=title, cells=tuple(cells), across=across)


def _hosts(app: App, zone: int) -> Iterator[Node]:
    """Instances, and a database on a host, which stands among them."""
    yield from zones.instances(app, zone)
    if app.cloud.database and app.cloud.database.host:
        yield from zones.database(app.cloud.database, zone)


def _nat(app: App, zone: int) -> Iterator[Node]:
    net = app.cloud.network
    here = f"nat-{app.cloud.zones[zone]}"
    if net.nat == "per-zone" or (net.nat == "one" and zone == 0):
        yield Node(id=here, title="NAT gateway", lines=("a public address of its own",), kind="network")
    if net.nat == "instance" and zone == 0:
        yield Node(id=here, title="NAT instance", lines=(net.nat_instance,), kind="network")


def _balancer(app: App) -> Node:
    balancer = app.cloud.load_balancer
    first = f"HTTPS 443, {balancer.tls_policy}; HTTP 80 redirects" if app.cloud.https else "HTTP 80, no certificate"
    lines = [first, f"idle connections {idle_timeout(app)} s; {balancer.algorithm.replace('_', ' ')}"]
    if not on_hosts(app):
        lines.append("of each service two target groups, blue and green, by weight")
    return Node(id="balancer", title="Application Load Balancer", lines=tuple(lines), kind="network")


def _arrows(app: App, tiers: tuple[Tier, ...]) -> Iterator[Arrow]:
    cloud = app.cloud
    nodes = [node for tier in tiers for cell in tier.cells for node in cell.nodes]
    there, idle = {node.id for node in nodes}, {node.id for node in nodes if node.idle}
    for name, service in app.services.items():
        for node in (zones.instance(name, zone) for zone in cloud.zones):
            if node in idle:
                continue
            if service.kind == "web":
                yield Arrow(source="balancer", target=node, label=str(listens_on(app, service)), way="serve")
            if cloud.database:
                yield Arrow(source=node, target="database", label=str(cloud.database.port), way="ask")
            if cloud.cache:
                yield Arrow(source=node, target="cache", label=str(PORTS[cloud.cache.engine]), way="ask")
    for source, target in _copies(app):
        if target in there:
            yield Arrow(source=source, target=target, label="copies", way="copy")
    for zone in cloud.zones if cloud.network.nat != "none" else ():
        own = f"nat-{zone}"
        yield Arrow(source=f"cell-private-{zone}", target=own if own in there else f"nat-{cloud.zones[0]}", way="out")


def _copies(app: App) -> Iterator[tuple[str, str]]:
    yield "database", "standby"
    yield "database", "replica"
    for zone in app.cloud.zones[1:]:
        yield "cache", f"cache-{zone}"
