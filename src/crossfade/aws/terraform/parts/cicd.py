"""The way from a push to a release on AWS: CodePipeline to ECS, or CodeDeploy to hosts."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.places import COLOURS, GROUP
from crossfade.aws.resources.hosts import by_revision
from crossfade.aws.resources.names import identifier, places
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import DEPLOYER_POLICY, MODULES, NAME, REGION, from_module
from crossfade.aws.terraform.revision import by_codedeploy, new_fleet
from crossfade.file.cloud.delivery import Pipeline, Site
from crossfade.file.model import App, Deploy

HOSTS = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}
_HALF = 50
_LONGEST = 2880  # minutes that CodeDeploy keeps an old fleet at most


def cicd(app: App) -> Iterator[Block]:
    if app.cloud.pipeline is None or not app.cloud.pipeline.on_aws:
        return
    if by_codedeploy(app):
        yield _deploys(app, app.cloud.pipeline)
        bucket = from_module("deploys", "bucket")
        yield block("output", "revisions", description="Bucket that revisions are uploaded to.", value=bucket)
        return
    yield _pipeline(app, app.cloud.pipeline)
    arn = from_module("pipeline", "connection_arn")
    yield block("output", "connection", description="Agree to this connection once, in the console.", value=arn)


def _pipeline(app: App, pipeline: Pipeline) -> Block:
    cloud = app.cloud
    return block(
        "module",
        "pipeline",
        source=f"{MODULES}/cicd/codepipeline",
        name=NAME,
        region=REGION,
        host=HOSTS[pipeline.host],
        repository=pipeline.repository,
        branch=pipeline.branch,
        services={name: _built(name) for name in app.services},
        environment=app.environment,
        crossfade="crossfade[aws]",
        deployer_policy=Expression(f'"${{path.module}}/{DEPLOYER_POLICY}"'),
        site=_site(cloud.site) if cloud.site else None,
        approve=pipeline.approve,
        topic_arn=from_module("monitoring", "warning_topic_arn"),
        size=pipeline.size,
        arm=cloud.compute.architecture == "arm" or None,
        latest=not cloud.registry.immutable or None,
        log_days=cloud.logs.keep,
    )


def _built(name: str) -> dict[str, Any]:
    repository = f"ecr_{identifier(name)}"
    return {
        "repository_url": from_module(repository, "repository_url"),
        "repository_arn": from_module(repository, "repository_arn"),
        "repository_name": from_module(repository, "repository_name"),
    }


def _site(site: Site) -> dict[str, Any]:
    outputs = ("bucket", "bucket_arn", "distribution_id", "distribution_arn")
    return {"build": site.build or "", "folder": site.folder} | {name: from_module("site", name) for name in outputs}


def _deploys(app: App, pipeline: Pipeline) -> Block:
    (name, service), *_ = app.services.items()  # hosts run one service, which the file's own check holds
    if by_revision(app):
        return _brought(app, name)
    fleet = new_fleet(app)
    return block(
        "module",
        "deploys",
        source=f"{MODULES}/cicd/codedeploy",
        name=NAME,
        role_arn=from_module("iam", "codedeploy_role_arn"),
        group=from_module("asg", "name"),
        target_group=Expression(f'module.alb.target_groups["{name}"].blue.name'),
        blue_green=fleet,
        configuration=f"CodeDeployDefault.{_at_once(service.deploy, fleet=fleet)}",
        keep_minutes=min(round(service.deploy.keep_previous / 60), _LONGEST) if fleet else None,
        approve=pipeline.approve if fleet else None,
        alarm_names=from_module("monitoring", "rollback_alarm_names"),
        topic_arn=from_module("monitoring", "warning_topic_arn"),
    )


def _brought(app: App, name: str) -> Block:
    """A group for each colour. CodeDeploy moves no visitors and brings nothing back: whoever deploys does both."""
    return block(
        "module",
        "deploys",
        source=f"{MODULES}/cicd/codedeploy",
        name=NAME,
        role_arn=from_module("iam", "codedeploy_role_arn"),
        colours={places(app).coloured(name, colour): GROUP for colour in COLOURS},
        topic_arn=from_module("monitoring", "warning_topic_arn"),
    )


def _at_once(deploy: Deploy, *, fleet: bool) -> str:
    """How many hosts change, or get traffic, at the same time.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    if deploy.strategy == "recreate" or (fleet and deploy.strategy == "blue-green"):
        return "AllAtOnce"
    if deploy.strategy == "rolling" and deploy.min_healthy <= _HALF:
        return "HalfAtATime"
    return "OneAtATime"
