"""The delivery of an environment: names, certificate, load balancer, and a site of files."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.cloud.words import Cidr, Days
from crossfade.file.part import Clash, Part
from crossfade.file.reading.problem import nearest
from crossfade.file.units import Duration, MeantError, Notation, Share, Text, Whole, write_duration

HOST = Text(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a host name in lower-case letters, such as example.com")
ZONE_ID = Text(r"Z[A-Z0-9]{5,31}", "the id of a hosted zone, such as Z0123456789ABCDEFGHIJ")
PATTERN = Text(r"/[\w./*-]*", "a path such as /_next/static/*")
HOOK = Duration(least=1, most=3600)  # the longest that CodeDeploy lets a script run
POLICIES = (
    *("ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
    *("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06"),
    *("ELBSecurityPolicy-TLS13-1-1-2021-06", "ELBSecurityPolicy-2016-08"),
)


class ApplicationLoadBalancer(Part):
    """The Application Load Balancer. Routes, health, stickiness and drain come from the services."""

    tls_policy: Annotated[str, Text("|".join(POLICIES), f"one of {', '.join(POLICIES)}")] = Field(
        default="ELBSecurityPolicy-TLS13-1-2-2021-06",
        description="TLS versions and ciphers.",
        examples=["ELBSecurityPolicy-TLS13-1-2-2021-06"],
    )
    algorithm: Literal["round_robin", "least_outstanding_requests"] = Field(
        default="round_robin", description="Which instance gets the next request.", examples=["round_robin"]
    )
    visitors: tuple[Annotated[str, Cidr()], ...] = Field(
        default=("0.0.0.0/0",), description="Networks that reach it. Default: everybody.", examples=[["203.0.113.0/24"]]
    )
    logs: bool = Field(default=False, strict=True, description="Keeps access logs in a bucket.", examples=[True])
    protect: bool | None = Field(
        default=None,
        strict=True,
        description="AWS refuses to delete it until this is taken back. Default: where it does so with the database.",
        examples=[True],
    )


class Move(Part):
    """While the domain moves here from an old host: both get visitors, by weight."""

    old: Annotated[str, Text(r"\d{1,3}(\.\d{1,3}){3}", "an IPv4 address such as 203.0.113.10")] = Field(
        description="Address of the old host.", examples=["203.0.113.10"]
    )
    share: Annotated[int, Share()] = Field(description="Share of the visitors that come here.", examples=["10%"])


class Domain(Part):
    """The name it is reached by, in Route 53."""

    name: Annotated[str, HOST] = Field(description="The name.", examples=["tiketi.gg"])
    api: Annotated[str, HOST] | None = Field(
        default=None,
        description="Name of the load balancer when a `site` has `name`. Default: api.<name>.",
        examples=["api.tiketi.gg"],
    )
    zone: Literal["create", "existing"] = Field(
        default="create", description="Whether the hosted zone is made or there already.", examples=["existing"]
    )
    zone_id: Annotated[str, ZONE_ID] | None = Field(
        default=None,
        description="Id of the existing zone. Default: the zone called `name` is looked up.",
        examples=["Z0123456789ABCDEFGHIJ"],
    )
    ttl: Annotated[float, Duration(least=1, most=172800)] = Field(
        default=300.0, description="How long resolvers keep records that are not aliases.", examples=["60s"]
    )
    move: Move | None = Field(
        default=None,
        description="Shares visitors with an old host while the name moves. Default: all come here.",
        examples=[{"old": "203.0.113.10", "share": "10%"}],
    )

    def impossible(self) -> Iterator[Clash]:
        if self.zone_id is not None and self.zone == "create":
            yield Clash(("zone_id",), "the id of a zone that is to be made", "zone: existing beside it")
        if self.api is not None and self.zone_id is None and not self.api.endswith(f".{self.name}"):
            yield Clash(("api",), f"{self.api}, which is not below {self.name}", f"a name such as api.{self.name}")


class Freshness(Part):
    """How long the CDN and browsers may keep files."""

    html: Annotated[float, Duration()] = Field(default=300.0, description="Pages.", examples=["5m"])
    assets: Annotated[float, Duration()] = Field(
        default=365 * 86400.0, description="JS and CSS whose names carry a hash.", examples=["365d"]
    )
    images: Annotated[float, Duration()] = Field(default=7 * 86400.0, description="Images.", examples=["7d"])


class Site(Part):
    """A static frontend: a private bucket behind CloudFront."""

    folder: str = Field(default="dist", description="What is uploaded.", examples=["build"])
    build: str | None = Field(
        default=None, description="Makes the folder. Default: it is there.", examples=["npm ci && npm run build"]
    )
    app: bool = Field(
        default=True,
        strict=True,
        description="Paths without a file get index.html, as single-page apps want.",
        examples=[False],
    )
    fresh: Freshness = Field(
        default=Freshness.unwritten(),
        description="How long files are kept by browsers and the CDN.",
        examples=[{"html": "5m"}],
    )
    expire_old: Annotated[int, Days(1)] = Field(default=30, description="When overwritten files go.", examples=["30d"])
    api: bool = Field(
        default=False, strict=True, description="A second distribution in front of the load balancer.", examples=[True]
    )
    everywhere: bool = Field(
        default=False,
        strict=True,
        description="All edge locations instead of those of North America, Europe and Asia.",
        examples=[True],
    )


class Cdn(Part):
    """CloudFront in front of the load balancer, and a bucket's files beside it."""

    bucket: str | None = Field(
        default=None, description="Bucket of `buckets` that `files` are in. Default: none.", examples=["static"]
    )
    files: dict[Annotated[str, PATTERN], Annotated[float, Duration()]] = Field(
        default={},
        description="Paths that the bucket answers, and how long they are kept.",
        examples=[{"/_next/static/*": "365d"}],
    )
    never: tuple[Annotated[str, PATTERN], ...] = Field(
        default=(), description="Paths of the services that are never kept.", examples=[["/api/*"]]
    )
    keep: Annotated[float, Duration()] = Field(
        default=0.0,
        description="How long answers of services are kept that do not say so themselves; what is one visitor's own "
        "has to say `Cache-Control: private`. 0s keeps none.",
        examples=["24h"],
    )
    everywhere: bool = Field(
        default=False,
        strict=True,
        description="All edge locations instead of those of North America, Europe and Asia.",
        examples=[True],
    )

    def impossible(self) -> Iterator[Clash]:
        if self.files and self.bucket is None:
            yield Clash(("files",), "files without a bucket that has them", "bucket: NAME beside them")
        if self.bucket is not None and not self.files:
            yield Clash(("bucket",), "a bucket none of whose files are served", "files: {PATH: HOW LONG} beside it")
        for index, path in enumerate(self.never):
            if path in self.files:
                yield Clash(("never", index), f"{path}, which stands in files too", "a path in one of both")


class Lifecycle(Part):
    """How long the scripts of CodeDeploy may take on a host, in their order."""

    application_stop: Annotated[float, HOOK] = Field(default=300.0, description="ApplicationStop.", examples=["300s"])
    before_install: Annotated[float, HOOK] = Field(
        default=300.0, description="BeforeInstall, which runs as root.", examples=["300s"]
    )
    after_install: Annotated[float, HOOK] = Field(default=600.0, description="AfterInstall.", examples=["600s"])
    application_start: Annotated[float, HOOK] = Field(default=300.0, description="ApplicationStart.", examples=["300s"])
    validate_service: Annotated[float, HOOK] = Field(default=300.0, description="ValidateService.", examples=["300s"])


class Checks(Part):
    """What ValidateService asks of a host before it counts as deployed."""

    tries: Annotated[int, Whole(1, 1000)] = Field(
        default=10, description="How often the health path is asked.", examples=[10]
    )
    every: Annotated[float, Duration(least=1, most=600)] = Field(
        default=5.0, description="Time between two tries.", examples=["5s"]
    )
    then: Annotated[str, Text(r"/[^\s#]*", 'a path that begins with "/"')] | None = Field(
        default=None, description="A path that must answer 200 after it. Default: none.", examples=["/api/version"]
    )
    namespace: str | None = Field(
        default=None,
        description="Namespace of the metric DeploymentSuccess. Default: that of `metrics`.",
        examples=["BlueGreen/Deployment"],
    )


ON_AWS = ("codepipeline", "codedeploy")
OF_CI = ("github", "gitlab")


class By(Notation):
    """Who carries a push on: a word, or several as a list."""

    def read(self, value: object) -> tuple[str, ...]:
        words = [value] if isinstance(value, str) else value
        known = (*OF_CI, *ON_AWS)
        allowed = f"one of {', '.join(known)}, or several as a list"
        if not isinstance(words, list | tuple) or not words or len(set(map(str, words))) < len(words):
            raise ValueError(allowed)
        for word in words:
            if word not in known:
                raise MeantError(allowed, nearest(word, known))
        return tuple(map(str, words))

    def write(self, value: tuple[str, ...]) -> str | list[str]:
        return value[0] if len(value) == 1 else list(value)

    def schema(self) -> JsonSchemaValue:
        word = {"enum": [*OF_CI, *ON_AWS]}
        return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


class Setup(Part):
    """Languages that a job of CI has before its tests, by version."""

    node: str | None = Field(default=None, description="Node.js, with npm's cache.", examples=["22"])
    python: str | None = Field(default=None, description="Python, with pip's cache.", examples=["3.13"])
    java: str | None = Field(default=None, description="A JDK, with Maven's or Gradle's cache.", examples=["21"])


class Pipeline(Part):
    """How a push becomes a release."""

    by: Annotated[tuple[str, ...], By()] = Field(
        default=("codepipeline",),
        description="`codepipeline` builds images and deploys to ECS; `codedeploy` brings a zip to hosts. For `github` "
        "and `gitlab`, `crossfade pipeline init` writes workflows; beside `codepipeline` they test and roll back.",
        examples=["codedeploy", ["github", "codepipeline"]],
    )
    test: str | None = Field(
        default=None,
        description="Command of the tests, with the database and the cache beside it; a failed one stops the rest.",
        examples=["pytest -q"],
    )
    setup: Setup = Field(
        default=Setup.unwritten(), description="Languages that the tests want.", examples=[{"python": "3.13"}]
    )
    repository: Annotated[str, Text(r"[\w.-]+/[\w./-]+", "owner/name of a repository, such as acme/shop")] = Field(
        description="Where the source is.", examples=["acme/shop"]
    )
    host: Literal["github", "gitlab", "bitbucket"] = Field(
        default="github", description="Who keeps the repository.", examples=["gitlab"]
    )
    branch: str = Field(default="main", description="Which branch.", examples=["main"])
    approve: bool = Field(
        default=False, strict=True, description="Somebody has to agree before the deploy.", examples=[True]
    )
    size: Literal["small", "medium", "large"] = Field(
        default="small", description="Machine of the builds.", examples=["medium"]
    )

    strategy: Literal["hybrid", "codedeploy-only", "gitlab-only"] = Field(
        default="codedeploy-only",
        description="With `codedeploy`, who moves the traffic: CodeDeploy by itself with `codedeploy-only`, else "
        "`crossfade deploy`, once CodeDeploy has brought the source.",
        examples=["hybrid"],
    )
    lifecycle: Lifecycle = Field(
        default=Lifecycle.unwritten(),
        description="Limits of CodeDeploy's scripts.",
        examples=[{"after_install": "600s"}],
    )
    checks: Checks = Field(
        default=Checks.unwritten(), description="What CodeDeploy asks of a host.", examples=[{"then": "/api/version"}]
    )

    @property
    def on_aws(self) -> str:
        """`codepipeline` or `codedeploy`, where one of them carries releases; else nothing."""
        return next((word for word in self.by if word in ON_AWS), "")

    @property
    def brings(self) -> bool:
        """CodeDeploy brings a source to hosts, and leaves all else to whoever deploys."""
        return self.on_aws == "codedeploy" and self.strategy != "codedeploy-only"

    def impossible(self) -> Iterator[Clash]:
        if len([word for word in self.by if word in ON_AWS]) > 1:
            yield Clash(("by",), "codepipeline and codedeploy at once", "one of them")
        if not self.branch.strip():
            yield Clash(("branch",), "an empty branch", "a branch such as main")
        limit, waits = self.lifecycle.validate_service, self.checks.tries * self.checks.every
        if waits > limit:
            found = f"{self.checks.tries} tries in {write_duration(waits)}"
            allowed = f"what fits into lifecycle.validate_service, {write_duration(limit)}"
            yield Clash(("checks", "tries"), found, allowed)
