"""Rights for a deploy to hosts: groups by colour and their launch template, or ways in; and CodeDeploy's revisions."""

from collections.abc import Iterator

from crossfade.aws.places import BLUE, COLOURS
from crossfade.aws.resources.hosts import by_colour, by_revision, fixed, hosts_log_group
from crossfade.aws.resources.names import places, prefix
from crossfade.aws.rights.containers import secret_versions
from crossfade.aws.rights.database import dumps, snapshots
from crossfade.aws.rights.right import Right, arn, everywhere, ours
from crossfade.file.model import App

_STARTED = ("instance", "network-interface", "volume")  # what a host is made of


def hosts(app: App) -> Iterator[Right]:
    name = prefix(app)
    yield Right(
        "LookAtHosts",
        ("autoscaling:Describe*", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplate*"),
    )
    yield Right(
        "Groups",
        (
            "autoscaling:CancelInstanceRefresh",
            "autoscaling:ResumeProcesses",
            "autoscaling:StartInstanceRefresh",
            "autoscaling:SuspendProcesses",
            "autoscaling:UpdateAutoScalingGroup",
        ),
        tuple(
            arn(app, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{places(app).coloured(service, colour)}")
            for service in app.services
            for colour in COLOURS
        ),
    )
    yield Right(
        "LaunchTemplate",
        ("ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplateVersions", "ec2:RunInstances"),
        (arn(app, "ec2", "launch-template/*"),),
        {"StringLike": {"aws:ResourceTag/Name": [name, f"{name}-*"]}},
    )
    # Which image of Amazon's a name stands for today: a release names the image itself.
    named = f"arn:${{partition}}:ssm:{app.cloud.region}::parameter/aws/service/ami-amazon-linux-latest/*"
    yield Right("HostImageNames", ("ssm:GetParameters",), (named,))
    if group := hosts_log_group(app):
        yield Right("HostLogs", ("logs:FilterLogEvents",), (arn(app, "logs", f"log-group:{group}:*"),))
    yield from hooks(app)
    yield from snapshots(app)
    yield from dumps(app)
    yield from secret_versions(app)
    runs = (*_STARTED, "security-group", "subnet")
    yield Right("Hosts", ("ec2:RunInstances",), tuple(arn(app, "ec2", f"{kind}/*") for kind in runs))
    # Images of AWS belong to no account of ours.
    image = f"arn:${{partition}}:ec2:{app.cloud.region}::image/*"
    yield Right("HostImages", ("ec2:RunInstances",), (image,))
    # What it starts is named when it is started, and nothing else of the account at any time.
    yield Right(
        "HostTags",
        ("ec2:CreateTags",),
        tuple(arn(app, "ec2", f"{kind}/*") for kind in _STARTED),
        {"StringEquals": {"ec2:CreateAction": "RunInstances"}},
    )
    yield Right(
        "HostRole",
        ("iam:PassRole",),
        (everywhere("iam", f"role/{name}-host"),),
        {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
    )


def hooks(app: App) -> Iterator[Right]:
    """Commands on hosts, which their agent runs as root: on hosts of this environment alone, and by one document."""
    if not by_colour(app) or by_revision(app):
        return
    document = f"arn:${{partition}}:ssm:{app.cloud.region}::document/AWS-RunShellScript"
    yield Right("Hooks", ("ssm:SendCommand",), (arn(app, "ec2", "instance/*"),), ours(app))
    yield Right("HookScript", ("ssm:SendCommand",), (document,))
    # These calls take no names.
    looks = ("ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands")
    yield Right("LookAtHooks", looks)


def servers(app: App) -> Iterator[Right]:
    """Hosts that stay: their keys, a way in for as long as a deploy takes, and places in the target group."""
    name = prefix(app)
    yield Right(
        "LookAtHosts",
        (
            *("ec2:DescribeInstances", "ec2:DescribeSecurityGroupRules"),
            "elasticloadbalancing:DescribeTargetGroupAttributes",
        ),
    )
    yield Right("HostKeys", ("ssm:GetParametersByPath",), (arn(app, "ssm", f"parameter/{name}/host-keys"),))
    groups = tuple(
        arn(app, "elasticloadbalancing", f"targetgroup/{places(app).coloured(service, BLUE)}/*")
        for service in app.services
    )
    yield Right("Targets", ("elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"), groups)
    if fixed(app):
        ways = ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
        yield Right("WayIn", ways, (arn(app, "ec2", "security-group/*"),), ours(app))
        # A rule has no tags of its own until it is there. Each of these calls needs its group as well, which has them:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        yield Right("WayInRule", ways, (arn(app, "ec2", "security-group-rule/*"),))
        return
    yield Right("Session", ("ssm:StartSession",), (arn(app, "ec2", "instance/*"),), ours(app))
    ssh = f"arn:${{partition}}:ssm:{app.cloud.region}::document/AWS-StartSSHSession"
    yield Right("SessionOfSsh", ("ssm:StartSession",), (ssh,))
    own = everywhere("ssm", "session/${aws:userid}-*").replace("ssm::", "ssm:*:")
    yield Right("OwnSessions", ("ssm:ResumeSession", "ssm:TerminateSession"), (own,))


def revisions(app: App) -> Iterator[Right]:
    """CodeDeploy, where a pipeline deploys by it."""
    if app.cloud.pipeline is None or app.cloud.pipeline.on_aws != "codedeploy":
        return
    name = prefix(app)
    bucket = everywhere("s3", f"{name}-revisions-*/*", account="")
    yield Right("Revisions", ("s3:GetObject", "s3:PutObject"), (bucket,))
    if by_revision(app):
        yield from _by_colour(app)
        return
    things = (f"application:{name}", f"deploymentgroup:{name}/{name}", "deploymentconfig:*")
    yield Right(
        "CodeDeploy",
        (
            "codedeploy:ContinueDeployment",
            "codedeploy:CreateDeployment",
            "codedeploy:GetApplicationRevision",
            "codedeploy:GetDeployment",
            "codedeploy:GetDeploymentConfig",
            "codedeploy:ListDeployments",
            "codedeploy:RegisterApplicationRevision",
            "codedeploy:StopDeployment",
        ),
        tuple(arn(app, "codedeploy", thing) for thing in things),
    )


def _by_colour(app: App) -> Iterator[Right]:
    """Deployments to the group of a colour, and whether what it launches gets them, too."""
    name = prefix(app)
    groups = tuple(f"{name}/{places(app).coloured(service, colour)}" for service in app.services for colour in COLOURS)
    yield Right(
        "CodeDeploy",
        (
            "codedeploy:BatchGetDeploymentTargets",
            "codedeploy:CreateDeployment",
            "codedeploy:GetApplicationRevision",
            "codedeploy:GetDeployment",
            "codedeploy:GetDeploymentConfig",
            "codedeploy:GetDeploymentGroup",
            "codedeploy:ListDeployments",
            "codedeploy:ListDeploymentTargets",
            "codedeploy:RegisterApplicationRevision",
            "codedeploy:StopDeployment",
            "codedeploy:UpdateDeploymentGroup",
        ),
        tuple(
            arn(app, "codedeploy", thing)
            for thing in (
                f"application:{name}",
                *(f"deploymentgroup:{group}" for group in groups),
                "deploymentconfig:*",
            )
        ),
    )
    # A host that came while a deployment was under way goes, for another one.
    yield Right(
        "LateHosts",
        ("autoscaling:TerminateInstanceInAutoScalingGroup",),
        tuple(
            arn(app, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{places(app).coloured(service, colour)}")
            for service in app.services
            for colour in COLOURS
        ),
    )
