"""The region and the edge of a picture: names, CDN, buckets, images, secrets, alarms, money."""

from collections.abc import Iterator
from itertools import pairwise

from crossfade.aws.diagram.scene import NAMES, Arrow, Node
from crossfade.aws.resources.hostnames import behind_cdn
from crossfade.aws.resources.hosts import exposed
from crossfade.file.cloud.data import Bucket
from crossfade.file.model import App

VISITORS = Node(id="visitors", title="Visitors", lines=("browsers and apps",), kind="edge")
_CLASSES = {
    "standard-ia": "Standard-IA",
    "intelligent-tiering": "Intelligent-Tiering",
    "glacier-ir": "Glacier IR",
    "glacier": "Glacier",
    "deep-archive": "Deep Archive",
}


def entrance(app: App) -> Iterator[Node]:
    """The way to the load balancer, from the top."""
    domain, web = app.cloud.domain, app.cloud.site
    if domain is not None:
        names = (domain.name, domain.api or f"api.{domain.name}") if web is not None else (domain.name,)
        yield Node(id=NAMES, title="Route 53", lines=(", ".join(names),), kind="edge")
    if behind_cdn(app):
        files = f"; files of S3 {app.cloud.cdn.bucket}" if app.cloud.cdn and app.cloud.cdn.bucket else ""
        yield Node(id="cdn-api", title="CloudFront", lines=(f"before the load balancer{files}",), kind="edge")


def site(app: App) -> Node | None:
    """The CDN of the static frontend."""
    web = app.cloud.site
    if web is None:
        return None
    fresh = web.fresh
    lines = (f"pages {_time(fresh.html)}, assets {_time(fresh.assets)}, images {_time(fresh.images)}",)
    return Node(id="cdn", title="CloudFront, the site", lines=lines, kind="edge")


def aside(app: App) -> Iterator[Node]:
    cloud = app.cloud
    if cloud.site is not None:
        lines = (f"private, versioned, old files {cloud.site.expire_old} d",)
        yield Node(id="site-bucket", title="S3 site", lines=lines, kind="storage")
    for name, bucket in cloud.buckets.items():
        yield Node(id=f"bucket-{name}", title=f"S3 {name}", lines=tuple(_life(bucket)), kind="storage")
    if _from_images(app):
        tags = "tags never move" if cloud.registry.immutable else "tags may move"
        lines = (f"{', '.join(app.services)}; newest {cloud.registry.keep}, {tags}",)
        yield Node(id="registry", title="ECR images", lines=lines, kind="storage")
    if cloud.pipeline is not None:
        yield Node(id="pipeline", title=_pipeline(app), lines=tuple(_source(app)), kind="compute")
    if cloud.secrets:
        yield Node(id="secrets", title="Secrets Manager", lines=tuple(_secrets(app)), kind="data")
    yield Node(id="watch", title="CloudWatch", lines=tuple(_watch(app)), kind="watch")
    if cloud.budget is not None:
        shares = [f"{kind} {share:g} %" for kind, share in _shares(app) if share is not None]
        yield Node(id="budget", title=f"Budget ${cloud.budget.monthly:g}", lines=(", ".join(shares),), kind="watch")


def arrows(app: App) -> Iterator[Arrow]:
    chain = [VISITORS.id, *(node.id for node in entrance(app)), "balancer"]
    labels = {NAMES: "name", "cdn-api": "443", "balancer": "443" if app.cloud.https else "80"}
    for source, target in pairwise(chain):
        yield Arrow(source=source, target=target, label=labels[target])
    if app.cloud.site is not None:
        yield Arrow(source=NAMES if app.cloud.domain else VISITORS.id, target="cdn", label="443")
        yield Arrow(source="cdn", target="site-bucket", label="files")
    tier = "tier-public" if exposed(app) else "tier-private"
    for name in app.cloud.buckets:
        if name != "logs":
            yield Arrow(source=tier, target=f"bucket-{name}", way="side")
    if _from_images(app):
        yield Arrow(source="registry", target=tier, label="images", way="side")
        if app.cloud.pipeline is not None:
            yield Arrow(source="pipeline", target="registry", way="side")
    elif app.cloud.pipeline is not None:
        yield Arrow(source="pipeline", target=tier, label="releases", way="side")
    if app.cloud.secrets:
        yield Arrow(source="secrets", target=tier, label="values", way="side")


def _from_images(app: App) -> bool:
    return any(service.image for service in app.services.values())


def _life(bucket: Bucket) -> Iterator[str]:
    yield "private, versioned" if bucket.versioned else "private"
    steps = [f"{move.after} d {_CLASSES[move.to]}" for move in bucket.moves]
    steps += [f"{bucket.expire} d gone"] if bucket.expire else []
    if steps:
        yield ", ".join(steps)


_CARRIERS = {"codedeploy": "CodeDeploy", "github": "GitHub Actions", "gitlab": "GitLab CI"}


def _pipeline(app: App) -> str:
    by = app.cloud.pipeline.on_aws or app.cloud.pipeline.by[0] if app.cloud.pipeline else ""
    return _CARRIERS.get(by, "CodePipeline")


def _source(app: App) -> Iterator[str]:
    if (pipeline := app.cloud.pipeline) is not None:
        yield f"{pipeline.repository}, {pipeline.branch}"
        yield "after an approval" if pipeline.approve else "on every push"


def _secrets(app: App) -> Iterator[str]:
    yield ", ".join(app.cloud.secrets)
    if every := sorted({secret.rotate for secret in app.cloud.secrets.values() if secret.rotate}):
        yield f"changed every {', '.join(map(str, every))} d"


def _watch(app: App) -> Iterator[str]:
    cloud = app.cloud
    more = [word for word, there in (("dashboard", cloud.dashboard), ("X-Ray", cloud.tracing)) if there]
    yield ", ".join([f"logs {cloud.logs.keep} d", f"{len(cloud.alarms)} alarms", *more])
    told = len({*cloud.notify.critical, *cloud.notify.warning})
    yield f"tells {told} {'address' if told == 1 else 'addresses'}" if told else "tells nobody"
    if guards := [
        word for word, on in (("CloudTrail", cloud.guards.cloudtrail), ("GuardDuty", cloud.guards.guardduty)) if on
    ]:
        yield ", ".join(guards)


def _shares(app: App) -> Iterator[tuple[str, float | None]]:
    if app.cloud.budget is not None:
        yield "forecast", app.cloud.budget.forecast
        yield "actual", app.cloud.budget.actual


def _time(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
