"""The network, what is open in it, and the load balancer."""

from collections.abc import Iterator

from crossfade.infra.hcl import Block, block
from crossfade.infra.names import MODULES, NAME, REGION, zones
from crossfade.spec.cloud.network import GATEWAYS
from crossfade.spec.model import App

# What the file calls one endpoint is more than one on AWS.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
_INTERFACES = {"ecr": ("ecr.api", "ecr.dkr"), "ssm": ("ssm", "ssmmessages", "ec2messages")}


def network(app: App) -> Iterator[Block]:
    yield _vpc(app)


def interface_endpoints(app: App) -> list[str]:
    """Services as AWS names their interface endpoints."""
    wanted = [name for name in app.cloud.network.endpoints if name not in GATEWAYS]
    return [service for name in wanted for service in _INTERFACES.get(name, (name,))]


def _vpc(app: App) -> Block:
    net, count = app.cloud.network, len(app.cloud.zones)
    data = app.cloud.database is not None or app.cloud.cache is not None
    return block(
        "module",
        "vpc",
        source=f"{MODULES}/networking/vpc",
        name=NAME,
        region=REGION,
        cidr=net.cidr,
        zones=zones(app),
        public_subnets=list(net.subnets("public", count)),
        private_subnets=list(net.subnets("private", count)),
        database_subnets=list(net.subnets("database", count)) if data else None,
        nat=net.nat,
        nat_instance_type=net.nat_instance if net.nat == "instance" else None,
        gateway_endpoints=[name for name in net.endpoints if name in GATEWAYS],
        interface_endpoints=interface_endpoints(app) or None,
        flow_logs=net.flow_logs or None,
        log_retention_days=app.cloud.logs.keep if net.flow_logs else None,
    )
