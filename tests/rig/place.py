"""What `infra apply` makes for one web service in two colours, made with botocore: a place that a release can go to."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from tests.rig.rig import Rig
from tests.rig.wire import Json

from crossfade.aws.places import COLOURS, PREVIEW, Places
from crossfade.platforms.aws.table import HASH, RANGE

APP = Path(__file__).with_name("app.py")
PREVIEW_HEADER = "x-crossfade-preview"  # by which the rule of previews is chosen
PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Names and ARNs; a dictionary has one for each colour. `rule` is the one whose weights a release moves."""

    app: str
    environment: str
    service: str
    image: str  # by its digest
    vpc: str
    subnets: tuple[str, ...]
    security_group: str
    load_balancer: str
    listener: str
    rule: str
    preview_rule: str
    preview_token: str
    target_groups: dict[str, str]
    cluster: str
    services: dict[str, str]
    family: str
    definition: str
    log_group: str
    journal: str


def make(
    rig: Rig,
    app: str = "shop",
    environment: str = "dev",
    service: str = "web",
    *,
    desired: int = 2,
    delay: int = 30,
    port: int = PORT,
    secrets: Mapping[str, str] | None = None,
) -> Place:
    """A new place, its blue service with `desired` tasks of release 1 and all weight. `delay` is of deregistration.

    `secrets` are names in Secrets Manager by the variables that have their values; all of them have one.
    """
    places = Places(app, environment)
    name, tags = places.family(service), _tags(places)
    ec2, elb, ecs = (rig.client(one) for one in ("ec2", "elbv2", "ecs"))
    image = f"{name}@{rig.images.add(f'{name}:1', [sys.executable, str(APP)])}"
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = tuple(_subnet(ec2, vpc, at, zone) for at, zone in enumerate(("us-east-1a", "us-east-1b")))
    group = ec2.create_security_group(GroupName=name, Description="tasks", VpcId=vpc)["GroupId"]
    made = elb.create_load_balancer(Name=places.prefix, Subnets=list(subnets), SecurityGroups=[group], Tags=tags)
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    groups = {
        colour: _target_group(elb, places.coloured(service, colour), _tags(places, service, colour), vpc, port, delay)
        for colour in COLOURS
    }
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer], Tags=tags
    )
    arn = listener["Listeners"][0]["ListenerArn"]
    token = "rig-preview"
    preview = elb.create_rule(
        ListenerArn=arn,
        Priority=10,
        Conditions=[
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": PREVIEW_HEADER, "Values": [token]}}
        ],
        Actions=weights(groups, blue=0, green=100),
        Tags=[*tags, {"Key": PREVIEW, "Value": service}],
    )
    rule = elb.create_rule(
        ListenerArn=arn,
        Priority=100,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        Actions=weights(groups, blue=100, green=0),
        Tags=_tags(places, service),
    )
    rig.client("logs").create_log_group(logGroupName=places.log_group(service))
    cluster = ecs.create_cluster(clusterName=places.prefix, tags=_lower(tags))["cluster"]["clusterArn"]
    asked = task_definition(name, service, image, port=port)
    asked["containerDefinitions"][0]["secrets"] = [
        {"name": variable, "valueFrom": _secret(rig, called)} for variable, called in (secrets or {}).items()
    ]
    definition = ecs.register_task_definition(**asked)["taskDefinition"]
    services = {}
    for colour in COLOURS:
        services[colour] = ecs.create_service(
            cluster=cluster,
            serviceName=places.coloured(service, colour),
            taskDefinition=definition["taskDefinitionArn"],
            desiredCount=desired if colour == "blue" else 0,
            launchType="FARGATE",
            healthCheckGracePeriodSeconds=60,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
            networkConfiguration={"awsvpcConfiguration": {"subnets": list(subnets), "securityGroups": [group]}},
            loadBalancers=[{"targetGroupArn": groups[colour], "containerName": service, "containerPort": port}],
            propagateTags="SERVICE",
            tags=_lower(_tags(places, service, colour)),
        )["service"]["serviceArn"]
    journal(rig, places.journal)
    return Place(
        app=app,
        environment=environment,
        service=service,
        image=image,
        vpc=vpc,
        subnets=subnets,
        security_group=group,
        load_balancer=balancer,
        listener=arn,
        rule=rule["Rules"][0]["RuleArn"],
        preview_rule=preview["Rules"][0]["RuleArn"],
        preview_token=token,
        target_groups=groups,
        cluster=cluster,
        services=services,
        family=name,
        definition=definition["taskDefinitionArn"],
        log_group=places.log_group(service),
        journal=places.journal,
    )


def journal(rig: Rig, table: str) -> None:
    """The table with the journal, the lease and the ledger, if it is not there yet."""
    client = rig.client("dynamodb")
    try:
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": HASH, "KeyType": "HASH"}, {"AttributeName": RANGE, "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (HASH, RANGE)],
            BillingMode="PAY_PER_REQUEST",
        )
    except client.exceptions.ResourceInUseException:
        return


def task_definition(family: str, container: str, image: str, *, port: int = PORT, **environment: str) -> Json:
    """What RegisterTaskDefinition takes; `environment` is the app's: RELEASE, FAULT, BOOT."""
    return {
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [
            {
                "name": container,
                "image": image,
                "essential": True,
                "stopTimeout": 30,
                "portMappings": [{"containerPort": port, "protocol": "tcp"}],
                "environment": [
                    {"name": name, "value": value} for name, value in ({"RELEASE": "1"} | environment).items()
                ],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": f"/ecs/{family}",
                        "awslogs-region": "us-east-1",
                        "awslogs-stream-prefix": container,
                    },
                },
            }
        ],
    }


def weights(groups: dict[str, str], *, blue: int, green: int) -> list[Json]:
    """Actions of a rule."""
    shares = {"blue": blue, "green": green}
    targets = [{"TargetGroupArn": groups[colour], "Weight": shares[colour]} for colour in COLOURS]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}]


def _secret(rig: Rig, name: str) -> str:
    """Its ARN; the value is new, and nobody needs to know it."""
    made = rig.client("secretsmanager").create_secret(Name=name, SecretString=token_urlsafe())
    return str(made["ARN"])


def _subnet(ec2: Any, vpc: str, at: int, zone: str) -> str:
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{at}.0/24", AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def _target_group(elb: Any, name: str, tags: list[Json], vpc: str, port: int, delay: int) -> str:  # noqa: PLR0917
    made = elb.create_target_group(
        Name=name[:32],
        Protocol="HTTP",
        Port=port,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
        Matcher={"HttpCode": "200"},
        Tags=tags,
    )
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[attribute])
    return arn


def _tags(places: Places, service: str = "", colour: str = "") -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in places.tags(service, colour).items()]


def _lower(tags: list[Json]) -> list[Json]:
    """As ECS spells them."""
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
