"""The delivery: hosted zone, records, the site at the edge; and the way from a push to a release."""

from collections.abc import Iterator

from crossfade.aws.resources.areas.planned import bucket, planned
from crossfade.aws.resources.hostnames import (
    at_edge,
    balancer_names,
    behind_cdn,
    edge_names,
    given_to_edge,
    managed,
    one_certificate,
)
from crossfade.aws.resources.names import identifier, places, prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

_SITE = "module.site.aws_cloudfront_distribution.site"
_MACHINES = {"small": "BUILD_GENERAL1_SMALL", "medium": "BUILD_GENERAL1_MEDIUM", "large": "BUILD_GENERAL1_LARGE"}


def delivery(app: App) -> Iterator[Resource]:
    yield from _names(app)
    yield from _site(app)
    yield from _cdn(app)
    yield from _pipeline(app)


def _names(app: App) -> Iterator[Resource]:
    domain = app.cloud.domain
    if domain is None:
        return
    if domain.zone == "create":
        yield planned("module.dns.aws_route53_zone.this[0]", "cloud.domain", name=domain.name)
    if domain.move is not None:
        yield planned("module.dns.aws_route53_record.old_host[0]", "cloud.domain.move", name=domain.name, type="A")
    for module, name in _certificates(app):
        yield planned(f"module.{module}.aws_acm_certificate.this", "cloud.certificate", domain_name=name)


def _certificates(app: App) -> Iterator[tuple[str, str]]:
    """One for the load balancer, and one for CloudFront where that one does not do for it."""
    if managed(app):
        yield "certificate", balancer_names(app)[0]
    if at_edge(app) and not one_certificate(app) and given_to_edge(app) is None:
        yield "edge_certificate", edge_names(app)[0]


def _site(app: App) -> Iterator[Resource]:
    site, where = app.cloud.site, "cloud.site"
    if site is None:
        return
    files = "module.site.aws_s3_bucket.site"
    yield from bucket(files, where)
    yield planned(_SITE, where, {"origin.domain_name": (files,)}, enabled=True, comment=places(app).site)
    if site.app:
        yield planned("module.site.aws_cloudfront_function.single_page[0]", where, name=f"{prefix(app)}-single-page")


def _cdn(app: App) -> Iterator[Resource]:
    """Before the load balancer, with a bucket beside it where one has files."""
    if not behind_cdn(app):
        return
    cdn = app.cloud.cdn
    files = (f"module.bucket_{identifier(cdn.bucket)}.aws_s3_bucket.this",) if cdn and cdn.bucket else ()
    yield planned(
        "module.cdn.aws_cloudfront_distribution.this",
        "cloud.cdn" if cdn else "cloud.site.api",
        {"origin.domain_name": ("module.alb.aws_lb.this", *files)},
        enabled=True,
        comment=f"{prefix(app)} services",
    )


def _pipeline(app: App) -> Iterator[Resource]:
    pipeline, where = app.cloud.pipeline, "cloud.pipeline"
    if pipeline is None or not pipeline.on_aws:
        return
    if pipeline.on_aws == "codedeploy":
        yield from bucket("module.deploys.aws_s3_bucket.revisions", where)
        return
    yield planned("module.pipeline.aws_codepipeline.this", where, name=prefix(app))
    yield from bucket("module.pipeline.aws_s3_bucket.artifacts", where)
    for name in (*app.services, *(("site",) if app.cloud.site else ())):
        group = f"/{prefix(app)}/build/{name}"
        log = f'module.pipeline.aws_cloudwatch_log_group.builds["{name}"]'
        yield planned(log, "cloud.logs.keep", name=group, retention_in_days=app.cloud.logs.keep)
        yield planned(
            f'module.pipeline.aws_codebuild_project.this["{name}"]',
            where,
            name=f"{prefix(app)}-{name}",
            environment=[{"compute_type": _MACHINES[pipeline.size], "type": _kind(app)}],
        )

    group = f"/{prefix(app)}/build/release"
    log = "module.pipeline.aws_cloudwatch_log_group.release"
    yield planned(log, "cloud.logs.keep", name=group, retention_in_days=app.cloud.logs.keep)
    yield planned(
        "module.pipeline.aws_codebuild_project.release",
        where,
        name=f"{prefix(app)}-release",
        environment=[{"compute_type": _MACHINES["small"], "type": "LINUX_CONTAINER"}],
    )


def _kind(app: App) -> str:
    return "ARM_CONTAINER" if app.cloud.compute.architecture == "arm" else "LINUX_CONTAINER"
