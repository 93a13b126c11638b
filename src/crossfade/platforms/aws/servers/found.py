"""The hosts of an environment, as EC2 and the load balancer know them."""

from dataclasses import dataclass

from crossfade.aws.places import APP, BLUE, ENVIRONMENT, HOST, Places
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.refusals import AwsError, absent


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """One host: where it is reached, where it listens for the load balancer, and the key it has told AWS,
    `ssh-ed25519 AAAA...`; empty where it told none.
    """

    id: str
    address: str
    listens: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """All of them in the order in which a release reaches them, their security group and their target group (its ARN).

    `port` is where the load balancer asks them.
    """

    all: tuple[FoundServer, ...]
    security_group: str
    target_group: str
    port: int


async def find(clients: Clients, places: Places, service: str, *, private: bool) -> Servers:
    """PlatformError that names what is missing and how it is made."""
    hosts = await _running(clients, places)
    if not hosts:
        raise await _missing(clients, places, f"running host of {places.app}@{places.environment}")
    keys = await _keys(clients, places)
    address = "PrivateIpAddress" if private else "PublicIpAddress"
    for host in hosts:
        if not host.get(address):
            raise PlatformError(
                f"host {host['InstanceId']} has no address to reach it at",
                f"`crossfade infra plan -e {places.environment}` shows what differs from the file",
            )
    try:
        name = places.coloured(service, BLUE)
        group = (await clients.call("elbv2", "describe_target_groups", Names=[name]))["TargetGroups"][0]
    except AwsError as error:
        if error.code in {"TargetGroupNotFound", "TargetGroupNotFoundException"}:
            raise await _missing(clients, places, f"target group {name}") from error
        raise
    return Servers(
        all=tuple(
            FoundServer(
                id=host["InstanceId"],
                address=host[address],
                listens=host["PrivateIpAddress"],
                key=keys.get(host["InstanceId"], ""),
            )
            for host in hosts
        ),
        security_group=hosts[0]["NetworkInterfaces"][0]["Groups"][0]["GroupId"],
        target_group=group["TargetGroupArn"],
        port=group["Port"],
    )


async def _running(clients: Clients, places: Places) -> list[Answer]:
    wanted = {APP: places.app, ENVIRONMENT: places.environment}
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
    filters += [{"Name": "tag-key", "Values": [HOST]}, {"Name": "instance-state-name", "Values": ["running"]}]
    found = await clients.all("ec2", "describe_instances", "Reservations", Filters=filters)
    hosts = [host for reservation in found for host in reservation["Instances"]]
    return sorted(hosts, key=_number)


def _number(host: Answer) -> tuple[int, str]:
    said = next(tag["Value"] for tag in host["Tags"] if tag["Key"] == HOST)
    return (int(said) if said.isdecimal() else 0, host["InstanceId"])


async def _keys(clients: Clients, places: Places) -> dict[str, str]:
    """What the hosts told of their keys when they booted, by instance."""
    folder = f"/{places.prefix}/host-keys"
    told = await clients.all("ssm", "get_parameters_by_path", "Parameters", Path=folder)
    return {one["Name"].rpartition("/")[2]: one["Value"].strip() for one in told}


async def _missing(clients: Clients, places: Places, what: str) -> PlatformError:
    return PlatformError(*absent(what, await clients.whereabouts(), f"infra apply -e {places.environment}"))
