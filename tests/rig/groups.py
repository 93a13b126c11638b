"""What `infra apply` makes for a web service on hosts: two Auto Scaling groups by colour, made with botocore."""

import base64
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig.place import APP, PORT, PREVIEW_HEADER, journal, subnet, tagged, target_group, weights
from tests.rig.rig import Rig
from tests.rig.wire import Json

from crossfade.aws.places import COLOURS, GROUP, LEAST, PREVIEW, Places

# Patient, for whoever is asked is behind two doors, and a busy machine is no reason to replace a host.
CHECKS = {"HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 29, "UnhealthyThresholdCount": 4}
USER_DATA = Path(__file__).with_name("user-data.sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Names and ARNs; a dictionary has one for each colour. `rule` is the one whose weights a release moves."""

    app: str
    environment: str
    service: str
    repository: str
    load_balancer: str
    rule: str
    target_groups: dict[str, str]
    template: str  # the launch template's id
    groups: dict[str, str]
    log_group: str


def make(
    rig: Rig,
    app: str = "shop",
    environment: str = "dev",
    service: str = "web",
    *,
    desired: int = 2,
    most: int = 4,
    delay: int = 30,
    warmup: int = 300,
    release: str = "1",
    data: Json | None = None,
    **settings: str,
) -> Groups:
    """A new place, its blue group with `desired` instances of what it began with, and all weight.

    `settings` are the app's: FAULT, BOOT. `delay` is of deregistration. `data` is of hosts that boot something else.
    """
    places = Places(app, environment)
    name, tags = places.prefix, tagged(places)
    ec2, elb, scaling = (rig.client(one) for one in ("ec2", "elbv2", "autoscaling"))
    repository = places.family(service)
    rig.images.add(f"{repository}:{release}", [sys.executable, str(APP)])
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [subnet(ec2, vpc, at, zone) for at, zone in enumerate(("us-east-1a", "us-east-1b"))]
    group = ec2.create_security_group(GroupName=name, Description="hosts", VpcId=vpc)["GroupId"]
    made = elb.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=[group], Tags=tags)
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    targets = {
        colour: target_group(
            elb,
            places.coloured(service, colour),
            tagged(places, service, colour),
            vpc,
            PORT,
            delay,
            "instance",
            **CHECKS,
        )
        for colour in COLOURS
    }
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer], Tags=tags
    )["Listeners"][0]["ListenerArn"]
    header = {"HttpHeaderName": PREVIEW_HEADER, "Values": ["rig-preview"]}
    elb.create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "http-header", "HttpHeaderConfig": header}],
        Actions=weights(targets, blue=0, green=100),
        Tags=[*tags, {"Key": PREVIEW, "Value": service}],
    )
    rule = elb.create_rule(
        ListenerArn=listener,
        Priority=100,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        Actions=weights(targets, blue=100, green=0),
        Tags=tagged(places, service),
    )
    log_group = f"/{name}/hosts"
    rig.client("logs").create_log_group(logGroupName=log_group)
    said = data or template_data(f"{repository}:{release}", log_group, group, RELEASE=release, **settings)
    template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=said)["LaunchTemplate"]
    ec2.create_launch_template(LaunchTemplateName=f"{name}-releases", LaunchTemplateData={"InstanceType": "t3.micro"})
    groups = {colour: places.coloured(service, colour) for colour in COLOURS}
    for colour, called in groups.items():
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=called,
            MinSize=0,
            MaxSize=most,
            DesiredCapacity=desired if colour == "blue" else 0,
            VPCZoneIdentifier=",".join(subnets),
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
            TargetGroupARNs=[targets[colour]],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=warmup,
            DefaultInstanceWarmup=warmup,
            Tags=[
                *({**tag, "PropagateAtLaunch": False} for tag in tagged(places, service, colour)),
                {"Key": LEAST, "Value": "1", "PropagateAtLaunch": False},
                {"Key": GROUP, "Value": called, "PropagateAtLaunch": True},
            ],
        )
    journal(rig, places.journal)
    return Groups(
        app=app,
        environment=environment,
        service=service,
        repository=repository,
        load_balancer=balancer,
        rule=rule["Rules"][0]["RuleArn"],
        target_groups=targets,
        template=template["LaunchTemplateId"],
        groups=groups,
        log_group=log_group,
    )


def template_data(image: str, log_group: str, security_group: str, **environment: str) -> Json:
    """LaunchTemplateData of a host with one container of the image."""
    exports = "".join(f"export {name}='{value}'\n" for name, value in sorted(environment.items()))
    script = (
        USER_DATA.read_text()
        .replace("@IMAGE@", image)
        .replace("@EXPORTS@\n", exports)
        .replace("@NAMES@", " ".join(sorted(environment)))
        .replace("@LOG_GROUP@", log_group)
        .replace("@PORT@", str(PORT))
    )
    return {
        "ImageId": "ami-12c6146b",
        "InstanceType": "t3.micro",
        "SecurityGroupIds": [security_group],
        "UserData": base64.b64encode(script.encode()).decode(),
    }


def empty(rig: Rig, place: Groups) -> None:
    """Nothing runs there any more."""
    scaling: Any = rig.client("autoscaling")
    for name in place.groups.values():
        scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
