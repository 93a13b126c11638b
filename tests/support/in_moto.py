"""The places of one web service as moto keeps them: all of the API, and nothing that moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.rig.place import PORT, PREVIEW_HEADER, task_definition, weights
from tests.support.moto import REGION, clients, moto, session

from crossfade.aws.places import COLOURS, Places
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.place import Finder

KEY = "shop@dev/web"


@dataclass
class InMoto:
    """`clients` are ours; `aws("ecs")` is a client of anybody else's."""

    endpoint: str
    clients: Clients
    places: Places = field(default_factory=lambda: Places("shop", "dev"))
    groups: dict[str, str] = field(default_factory=dict)
    listener: str = ""

    @property
    def finder(self) -> Finder:
        return Finder(self.clients, self.places)

    @property
    def definitions(self) -> Definitions:
        return Definitions(self.clients, self.places)

    def aws(self, service: str) -> Any:
        return session().create_client(service, region_name=REGION, endpoint_url=self.endpoint)

    def lay_out(self, secrets: dict[str, str] | None = None, *, protocol: str = "HTTP") -> None:
        """What `infra apply` makes; `secrets` are ARNs by variable."""
        ec2, elb, ecs = self.aws("ec2"), self.aws("elbv2"), self.aws("ecs")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{n}.0/24", AvailabilityZone=f"{REGION}{z}")["Subnet"][
                "SubnetId"
            ]
            for n, z in enumerate("ac")
        ]
        group = ec2.create_security_group(GroupName="web", Description="tasks", VpcId=vpc)["GroupId"]
        balancer = elb.create_load_balancer(Name="shop-dev", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        for colour in COLOURS:
            self.groups[colour] = elb.create_target_group(
                Name=f"shop-dev-web-{colour}", Protocol="HTTP", Port=PORT, VpcId=vpc, TargetType="ip"
            )["TargetGroups"][0]["TargetGroupArn"]
        self.listener = elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol=protocol,
            Port=443 if protocol == "HTTPS" else 80,
            DefaultActions=weights(self.groups, blue=100, green=0),
        )["Listeners"][0]["ListenerArn"]
        elb.create_rule(
            ListenerArn=self.listener,
            Priority=10,
            Conditions=[
                {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": PREVIEW_HEADER, "Values": ["token"]}}
            ],
            Actions=weights(self.groups, blue=0, green=100),
        )
        ecs.create_cluster(clusterName="shop-dev")
        said = task_definition("shop-dev-web", "web", "web:first")
        said["containerDefinitions"][0]["secrets"] = [
            {"name": name, "valueFrom": arn} for name, arn in (secrets or {}).items()
        ]
        ecs.register_task_definition(**said)
        for colour in COLOURS:
            ecs.create_service(
                cluster="shop-dev",
                serviceName=f"shop-dev-web-{colour}",
                taskDefinition="shop-dev-web",
                desiredCount=0,
                launchType="FARGATE",
                networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
                loadBalancers=[{"targetGroupArn": self.groups[colour], "containerName": "web", "containerPort": PORT}],
            )


@contextmanager
def in_moto() -> Iterator[InMoto]:
    """An AWS with nothing in it yet."""
    with moto() as endpoint:
        yield InMoto(endpoint, clients(endpoint))
