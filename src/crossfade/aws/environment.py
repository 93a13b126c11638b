"""An AWS environment, settled: what its file leaves to be worked out, worked out once for everybody who asks.

Terraform, the expected resources, the bill, the findings and the picture read it here, so that they cannot differ.
"""

import math

from crossfade.aws.idle import LONGEST_IDLE, SHORT_IDLE
from crossfade.file.cloud.network import GATEWAYS
from crossfade.file.model import App, Service

# What the file calls one endpoint is more than one on AWS.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
_SEVERAL = {"ecr": ("ecr.api", "ecr.dkr"), "ssm": ("ssm", "ssmmessages", "ec2messages")}


def whole(seconds: float) -> int:
    """Seconds as AWS takes them, rounded up: a drain of 1.5 s becomes 2 s, for none may be shorter than was asked."""
    return math.ceil(seconds)


def idle_timeout(app: App) -> int:
    """Seconds of silence that the load balancer allows a connection.

    The most patient service decides, for all share it; 0 is never, of which the load balancer's most is nearest.
    """
    asked = [whole(service.idle_timeout) or LONGEST_IDLE for service in app.web.values()]
    return min(max(asked, default=SHORT_IDLE), LONGEST_IDLE)


def balancer_protected(app: App) -> bool:
    """True where AWS is to refuse to delete the load balancer: nobody who protects the data means to lose the door."""
    asked, database = app.cloud.load_balancer.protect, app.cloud.database
    if asked is not None:
        return asked
    return database is not None and not database.host and database.protected


def drain(service: Service) -> int:
    """Seconds that the load balancer lets requests of a leaving target end: its deregistration delay."""
    return whole(service.drain)


def health_seconds(service: Service) -> tuple[int, int]:
    """Interval and timeout of a target group's health check."""
    return whole(service.health.interval), whole(service.health.timeout)


def gateway_endpoints(app: App) -> tuple[str, ...]:
    """Services of AWS that are reached through the route table, for free."""
    return tuple(name for name in app.cloud.network.endpoints if name in GATEWAYS)


def interface_endpoints(app: App) -> tuple[str, ...]:
    """Services of AWS that are reached through an interface in each zone, billed by the hour, as AWS names them."""
    wanted = [name for name in app.cloud.network.endpoints if name not in GATEWAYS]
    return tuple(each for name in wanted for each in _SEVERAL.get(name, (name,)))


def has_data_subnets(app: App) -> bool:
    """True when something stands in subnets without a way out. A database's own host has to fetch its packages."""
    database = app.cloud.database
    return (database is not None and not database.host) or app.cloud.cache is not None


def zones(app: App) -> tuple[str, ...]:
    """Availability zones by their whole names: ap-northeast-2a."""
    return tuple(f"{app.cloud.region}{zone}" for zone in app.cloud.zones)


def secret_name(app: App, variable: str) -> str:
    """What the secret behind a variable is called in Secrets Manager."""
    return app.cloud.secrets[variable].name or f"{app.name}/{app.environment}/{variable}"
