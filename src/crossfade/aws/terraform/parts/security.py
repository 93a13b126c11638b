"""The security: who may do what, and the secrets."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import secret_name
from crossfade.aws.places import COLOURS
from crossfade.aws.resources.hosts import in_containers, on_hosts, stay
from crossfade.aws.resources.names import identifier
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import DEPLOYER_POLICY, MODULES, NAME, REGION, from_module
from crossfade.aws.terraform.parts import told
from crossfade.aws.terraform.parts.monitoring import metrics_namespace
from crossfade.aws.terraform.revision import by_codedeploy, new_fleet
from crossfade.file.cloud.deployer import Deployer
from crossfade.file.model import App, Service


def security(app: App) -> Iterator[Block]:
    yield _iam(app)
    if app.cloud.secrets:
        yield _secrets(app)
        names = from_module("secrets", "names")
        yield block("output", "secrets", description="Secrets to put values in, by variable.", value=names)
    if app.cloud.deployer:
        arn = from_module("iam", "deployer_role_arn")
        yield block("output", "deployer_role", description="Role that whoever deploys takes on.", value=arn)


def _secrets(app: App) -> Block:
    def secret(variable: str, rotate: int | None) -> dict[str, Any]:
        return {"name": secret_name(app, variable)} | ({"rotate_days": rotate} if rotate else {})

    return block(
        "module",
        "secrets",
        source=f"{MODULES}/security/secrets",
        name=NAME,
        secrets={variable: secret(variable, wanted.rotate) for variable, wanted in app.cloud.secrets.items()},
        warning_topic_arn=from_module("monitoring", "warning_topic_arn"),
    )


def _iam(app: App) -> Block:
    return block(
        "module",
        "iam",
        source=f"{MODULES}/security/iam",
        name=NAME,
        region=REGION,
        load_balancer_arn=from_module("alb", "arn"),
        fargate=not on_hosts(app),
        services={name: _service(app, name, service) for name, service in app.services.items()},
        tracing=app.cloud.tracing or None,
        hosts=_hosts(app) if on_hosts(app) else None,
        codedeploy=_codedeploy(app) if by_codedeploy(app) else None,
        deployer=_deployer(app.cloud.deployer) if app.cloud.deployer else None,
        deployer_policy=Expression(f'"${{path.module}}/{DEPLOYER_POLICY}"') if app.cloud.deployer else None,
    )


def _service(app: App, name: str, service: Service) -> dict[str, Any]:
    own = [bucket for bucket, of in app.cloud.buckets.items() if of.services is None or name in of.services]
    compute = "hosts" if stay(app) else "asg" if on_hosts(app) else f"service_{identifier(name)}"
    log = from_module(compute, "log_group_arn")
    given = {
        "secret_arns": [
            *(Expression(f'module.secrets.arns["{variable}"]') for variable in _read_by(service)),
            *told.secret_arns(app, service),
        ],
        "repository_arns": [from_module(f"ecr_{identifier(name)}", "repository_arn")]
        if in_containers(app, service)
        else [],
        "bucket_arns": [from_module(f"bucket_{identifier(bucket)}", "arn") for bucket in own],
        "log_group_arns": [log],
    }
    return {kind: arns for kind, arns in given.items() if arns}


def _read_by(service: Service) -> list[str]:
    """The secrets that its tasks are started with, and the one by which their image is pulled."""
    login = service.image.credentials if service.image else None
    return [*service.secrets, *([login] if login and login not in service.secrets else [])]


def _hosts(app: App) -> dict[str, Any]:
    told = app.cloud.pipeline.checks.namespace if app.cloud.pipeline and by_codedeploy(app) else None
    hosts: dict[str, Any] = {"namespaces": [metrics_namespace(app), *([told] if told else [])]}
    if app.cloud.compute.metrics:
        hosts |= {"agent_parameter": True, "log_group_arns": from_module("monitoring", "log_group_arns")}
    if stay(app):
        hosts["host_keys"] = True
    if by_codedeploy(app):
        hosts["revisions"] = {"bucket_arn": from_module("deploys", "bucket_arn")}
    return hosts


def _codedeploy(app: App) -> dict[str, Any]:
    groups = [
        Expression(f'module.alb.target_groups["{name}"].{colour}.arn') for name in app.services for colour in COLOURS
    ]
    topic = from_module("monitoring", "warning_topic_arn")
    return {"target_group_arns": groups, "topic_arn": topic, "blue_green": new_fleet(app)}


def _deployer(deployer: Deployer) -> dict[str, Any]:
    given = {"github": deployer.github, "gitlab": deployer.gitlab, "principals": list(deployer.principals)}
    return {key: value for key, value in given.items() if value} | {
        "branch": deployer.branch,
        "providers": deployer.provider == "create",
    }
