"""The policy of whoever deploys an environment: all that shipping takes, and for what has names nothing beside them."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.resources.hosts import in_containers, on_hosts, stay
from crossfade.aws.resources.names import places
from crossfade.aws.rights.containers import containers, filling
from crossfade.aws.rights.database import restoring
from crossfade.aws.rights.hosts import hosts, revisions, servers
from crossfade.aws.rights.right import Right, arn, everywhere, ours
from crossfade.file.model import App

VERSION = "2012-10-17"
_LOOK = (
    *("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_JOURNAL = (
    *("dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem"),
    *("dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
)


def policy(app: App, *, fills_secrets: bool = False, restores: bool = False) -> dict[str, Any]:
    """As IAM takes it, with `${partition}` and `${account}` in its ARNs."""
    asked = [*rights(app), *(filling(app) if fills_secrets else ()), *(restoring(app) if restores else ())]
    return {"Version": VERSION, "Statement": [right.statement() for right in asked]}


def rights(app: App) -> Iterator[Right]:
    called = places(app)
    yield Right("Look", _LOOK)  # these calls take no names
    ways = ("listener", "listener-rule")
    yield Right(
        "Traffic",
        ("elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"),
        tuple(arn(app, "elasticloadbalancing", f"{way}/app/{called.prefix}/*") for way in ways),
    )
    yield Right(
        "Journal",
        _JOURNAL,
        (arn(app, "dynamodb", f"table/{called.journal}"),),
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [called.journal_place]}},
    )
    images = [name for name, service in app.services.items() if in_containers(app, service)]
    if images:
        yield Right("RegistryToken", ("ecr:GetAuthorizationToken",))  # for the account's registry, which has no ARN
        yield Right("Images", _PUSH, tuple(arn(app, "ecr", f"repository/{called.repository(name)}") for name in images))
    yield from servers(app) if stay(app) else hosts(app) if on_hosts(app) else containers(app)
    yield from revisions(app)
    if app.cloud.site is not None:
        bucket = everywhere("s3", f"{called.prefix}-site-*", account="")
        yield Right("SiteBucket", ("s3:ListBucket",), (bucket,))
        yield Right("SiteFiles", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), (f"{bucket}/*",))
        yield Right("LookForSite", ("cloudfront:ListDistributions",))
        edge = ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation")
        yield Right("SiteEdge", edge, (everywhere("cloudfront", "distribution/*"),), ours(app))
