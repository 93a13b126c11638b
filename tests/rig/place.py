"""What `infra apply` makes for one web service in two colours, made with botocore: a place that a release can go to."""

import json
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
    beside: Place | None = None,
    path: str = "/*",
) -> Place:
    """A new place, its blue service with `desired` tasks of release 1 and all weight. `delay` is of deregistration.

    `secrets` are names in Secrets Manager by the variables that have their values; all of them have one. `beside` is
    another service of the same environment, behind whose load balancer this one has what comes to `path`.
    """
    places = Places(app, environment)
    name, tags = places.family(service), tagged(places)
    ec2, elb, ecs = (rig.client(one) for one in ("ec2", "elbv2", "ecs"))
    image = f"{name}@{rig.images.add(f'{name}:1', [sys.executable, str(APP)])}"
    vpc = beside.vpc if beside else ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    zones = enumerate(("us-east-1a", "us-east-1b"))
    subnets = beside.subnets if beside else tuple(subnet(ec2, vpc, at, zone) for at, zone in zones)
    group = ec2.create_security_group(GroupName=name, Description="tasks", VpcId=vpc)["GroupId"]
    balancer = beside.load_balancer if beside else _load_balancer(elb, places.prefix, subnets, group, tags)
    groups = {
        colour: target_group(elb, places.coloured(service, colour), tagged(places, service, colour), vpc, port, delay)
        for colour in COLOURS
    }
    arn = beside.listener if beside else _listener(elb, balancer, tags)
    token = f"rig-preview-{service}" if beside else "rig-preview"
    preview = elb.create_rule(
        ListenerArn=arn,
        Priority=9 if beside else 10,
        Conditions=[
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": PREVIEW_HEADER, "Values": [token]}}
        ],
        Actions=weights(groups, blue=0, green=100),
        Tags=[*tags, {"Key": PREVIEW, "Value": service}],
    )
    rule = elb.create_rule(
        ListenerArn=arn,
        Priority=99 if beside else 100,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
        Actions=weights(groups, blue=100, green=0),
        Tags=tagged(places, service),
    )
    rig.client("logs").create_log_group(logGroupName=places.log_group(service))
    cluster = beside.cluster if beside else _cluster(ecs, places.prefix, tags)
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
            tags=_lower(tagged(places, service, colour)),
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


def make_worker(rig: Rig, beside: Place, service: str, image: str) -> dict[str, str]:
    """Both services of a worker beside a web service, by colour: behind no load balancer, and empty until a release."""
    places = Places(beside.app, beside.environment)
    ecs, name = rig.client("ecs"), places.family(service)
    rig.client("logs").create_log_group(logGroupName=places.log_group(service))
    asked = task_definition(name, service, image)
    del asked["containerDefinitions"][0]["portMappings"]
    definition = ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": list(beside.subnets), "securityGroups": [beside.security_group]}}
    return {
        colour: ecs.create_service(
            cluster=beside.cluster,
            serviceName=places.coloured(service, colour),
            taskDefinition=definition,
            desiredCount=0,
            launchType="FARGATE",
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
            networkConfiguration=network,
            propagateTags="SERVICE",
            tags=_lower(tagged(places, service, colour)),
        )["service"]["serviceArn"]
        for colour in COLOURS
    }


def make_jobs(rig: Rig, place: Place) -> str:
    """What jobs by the clock need beside services: a group of schedules, the role that begins them, and a log.

    The URL of a queue that hears of failed runs what others hear by mail.
    """
    places = Places(place.app, place.environment)
    rig.client("scheduler").create_schedule_group(Name=places.schedules)
    rig.client("iam").create_role(RoleName=places.jobs_role, AssumeRolePolicyDocument="{}")
    logs, events = rig.client("logs"), rig.client("events")
    logs.create_log_group(logGroupName=places.jobs_log_group)
    kept = logs.describe_log_groups(logGroupNamePrefix=places.jobs_log_group)["logGroups"][0]["arn"]
    ended = {"clusterArn": [place.cluster], "group": [{"prefix": "job:"}], "lastStatus": ["STOPPED"]}
    exited = {"containers": {"name": [place.service], "exitCode": [{"anything-but": 0}]}}
    failed = {**ended, "$or": [exited, {"stopCode": ["TaskFailedToStart"]}]}
    topic = rig.client("sns").create_topic(Name=f"{places.prefix}-warning")["TopicArn"]
    paths = {"job": "$.detail.group", "task": "$.detail.taskArn", "why": "$.detail.stoppedReason"}
    template = f'"{places.prefix}: <job> failed: <why> (<task>)"'
    told = {"Arn": topic, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    for name, detail, target in (("ended", ended, {"Arn": kept.removesuffix(":*")}), ("failed", failed, told)):
        rule = f"{places.jobs_role}-{name}"
        pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "one", **target}])
    return _heard(rig, topic)


def _heard(rig: Rig, topic: str) -> str:
    """A queue of whoever listens to a topic."""
    sqs, name = rig.client("sqs"), topic.rpartition(":")[2]
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rig.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


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


def _cluster(ecs: Any, name: str, tags: list[Json]) -> str:
    return str(ecs.create_cluster(clusterName=name, tags=_lower(tags))["cluster"]["clusterArn"])


def _load_balancer(elb: Any, name: str, subnets: tuple[str, ...], group: str, tags: list[Json]) -> str:
    made = elb.create_load_balancer(Name=name, Subnets=list(subnets), SecurityGroups=[group], Tags=tags)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def _listener(elb: Any, balancer: str, tags: list[Json]) -> str:
    """It answers nothing but what rules lead to."""
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer], Tags=tags)
    return str(made["Listeners"][0]["ListenerArn"])


def _secret(rig: Rig, name: str) -> str:
    """Its ARN; the value is new, and nobody needs to know it."""
    made = rig.client("secretsmanager").create_secret(Name=name, SecretString=token_urlsafe())
    return str(made["ARN"])


def subnet(ec2: Any, vpc: str, at: int, zone: str) -> str:
    """One of two, its id."""
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{at}.0/24", AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def target_group(  # noqa: PLR0917
    elb: Any, name: str, tags: list[Json], vpc: str, port: int, delay: int, kind: str = "ip", **checks: int
) -> str:
    """Its ARN; the names of a group's attributes are those of its Terraform."""
    made = elb.create_target_group(
        Name=name[:32],
        Protocol="HTTP",
        Port=port,
        VpcId=vpc,
        TargetType=kind,
        HealthCheckPath="/health",
        **{
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            **checks,
        },
        Matcher={"HttpCode": "200"},
        Tags=tags,
    )
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[attribute])
    return arn


def tagged(places: Places, service: str = "", colour: str = "") -> list[Json]:
    """What a place is found by."""
    return [{"Key": key, "Value": value} for key, value in places.tags(service, colour).items()]


def _lower(tags: list[Json]) -> list[Json]:
    """As ECS spells them."""
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
