"""Rights for a deploy to ECS: two services by colour, their tasks, scaling, images and secrets."""

from collections.abc import Iterator

from crossfade.aws.environment import secret_name
from crossfade.aws.places import COLOURS, ENVIRONMENT
from crossfade.aws.resources.names import places
from crossfade.aws.rights.database import dumps, snapshots
from crossfade.aws.rights.right import Right, arn, everywhere, ours
from crossfade.file.model import App

_LOOK = (
    *("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions"),
    *("ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"),
)
_SCALES = "ecs.application-autoscaling.amazonaws.com"


def containers(app: App) -> Iterator[Right]:
    called = places(app)
    families = [called.family(name) for name in app.services]
    yield Right("LookAtContainers", _LOOK)
    yield Right("Cluster", ("ecs:DescribeClusters",), (arn(app, "ecs", f"cluster/{called.prefix}"),))
    yield Right(
        "Services",
        ("ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:UpdateService"),
        tuple(
            arn(app, "ecs", f"service/{called.prefix}/{called.coloured(name, colour)}")
            for name in app.services
            for colour in COLOURS
        ),
    )
    yield Right("Restarts", ("ecs:StopServiceDeployment",), (arn(app, "ecs", f"service-deployment/{called.prefix}/*"),))
    yield Right(
        "TaskDefinitions",
        ("ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:TagResource"),
        tuple(arn(app, "ecs", f"task-definition/{family}:*") for family in families),
    )
    # This one takes no names, and changes nothing that runs: revisions that are taken away can still be read.
    yield Right("OldTaskDefinitions", ("ecs:DeregisterTaskDefinition",))
    tasks = arn(app, "ecs", f"task/{called.prefix}/*")
    yield Right("Tasks", ("ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"), (tasks,))
    cluster = {"ArnEquals": {"ecs:cluster": arn(app, "ecs", f"cluster/{called.prefix}")}}
    yield Right("ListTasks", ("ecs:ListTasks",), when=cluster)
    yield Right(
        "TaskRoles",
        ("iam:PassRole",),
        tuple(everywhere("iam", f"role/{family}-{kind}") for family in families for kind in ("execution", "task")),
        {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )
    yield Right(
        "Scaling",
        (
            "application-autoscaling:DeleteScheduledAction",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:RegisterScalableTarget",
        ),
        (arn(app, "application-autoscaling", "scalable-target/*"),),
        ours(app),
    )
    yield from _retiring(app)
    yield Right(
        "Logs",
        ("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"),
        tuple(arn(app, "logs", f"log-group:{called.log_group(name)}:*") for name in app.services),
    )
    yield from jobs(app)
    yield from snapshots(app)
    yield from dumps(app)
    yield from secret_versions(app)


def _retiring(app: App) -> Iterator[Right]:
    """A warm fleet goes home by a scheduled action, which takes a scalable target: one of our own where none scales.

    It is named when it is made, and what has a name already is not named anew.
    """
    if all(service.scale for service in app.services.values()):
        return
    named = {f"aws:RequestTag/{key}": value for key, value in places(app).tags().items()}
    yield Right(
        "OwnScaling",
        ("application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource"),
        (arn(app, "application-autoscaling", "scalable-target/*"),),
        {"StringEquals": named, "Null": {f"aws:ResourceTag/{ENVIRONMENT}": "true"}},
    )
    # AWS makes this role once, in the name of whoever has the first service of an account scale.
    yield Right(
        "ScalingRole",
        ("iam:CreateServiceLinkedRole",),
        (everywhere("iam", f"role/aws-service-role/{_SCALES}/*"),),
        {"StringEquals": {"iam:AWSServiceName": _SCALES}},
    )


def jobs(app: App) -> Iterator[Right]:
    """Schedules of this environment, the role that they begin tasks by, and how runs ended."""
    if not app.jobs:
        return
    called = places(app)
    changes = ("scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule")
    yield Right("Jobs", changes, (arn(app, "scheduler", f"schedule/{called.schedules}/*"),))
    yield Right("LookAtJobs", ("scheduler:ListSchedules",))  # this call takes no names
    yield Right(
        "JobsRole",
        ("iam:PassRole",),
        (everywhere("iam", f"role/{called.jobs_role}"),),
        {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    )
    yield Right("JobsLog", ("logs:FilterLogEvents",), (arn(app, "logs", f"log-group:{called.jobs_log_group}:*"),))


def secret_versions(app: App) -> Iterator[Right]:
    """Which version is current, and a label on the one that a release was deployed with. No value is read."""
    if app.cloud.secrets:
        pins = ("secretsmanager:DescribeSecret", "secretsmanager:UpdateSecretVersionStage")
        yield Right("SecretVersions", pins, tuple(_secrets(app)))


def filling(app: App) -> Iterator[Right]:
    """What `crossfade secrets set` takes, which a job that deploys has no need of."""
    if app.cloud.secrets:
        fills = ("secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue")
        yield Right("FillSecrets", fills, tuple(_secrets(app)))


def _secrets(app: App) -> Iterator[str]:
    """Secrets Manager ends each ARN in a hyphen and six characters of its own."""
    for variable in app.cloud.secrets:
        yield arn(app, "secretsmanager", f"secret:{secret_name(app, variable)}-??????")
