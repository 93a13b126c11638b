"""What a deploy to hosts takes: versions of the launch template, refreshes of the group, and CodeDeploy's revisions."""

from collections.abc import Iterator

from crossfade.aws.resources.names import prefix
from crossfade.aws.rights.right import Right, arn, everywhere
from crossfade.file.model import App

_STARTED = ("instance", "network-interface", "volume")  # what a host is made of


def hosts(app: App) -> Iterator[Right]:
    name = prefix(app)
    yield Right(
        "LookAtHosts",
        ("autoscaling:Describe*", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplate*"),
    )
    yield Right(
        "Refresh",
        (
            "autoscaling:CancelInstanceRefresh",
            "autoscaling:RollbackInstanceRefresh",
            "autoscaling:StartInstanceRefresh",
            "autoscaling:UpdateAutoScalingGroup",
        ),
        (arn(app, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{name}"),),
    )
    yield Right(
        "LaunchTemplate",
        ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:RunInstances"),
        (arn(app, "ec2", "launch-template/*"),),
        {"StringLike": {"aws:ResourceTag/Name": [name, f"{name}-*"]}},
    )
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


def revisions(app: App) -> Iterator[Right]:
    """CodeDeploy, where a pipeline deploys by it."""
    if app.cloud.pipeline is None or app.cloud.pipeline.on_aws != "codedeploy":
        return
    name = prefix(app)
    bucket = everywhere("s3", f"{name}-revisions-*/*", account="")
    yield Right("Revisions", ("s3:GetObject", "s3:PutObject"), (bucket,))
    things = (f"application:{name}", f"deploymentgroup:{name}/{name}", "deploymentconfig:*")
    yield Right(
        "CodeDeploy",
        (
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
