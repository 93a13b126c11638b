"""The whole cloud part of an environment."""

import zoneinfo
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.cloud.accept import Acceptance
from crossfade.file.cloud.compute import Compute, Registry
from crossfade.file.cloud.data import Bucket, Cache, Database, Secret
from crossfade.file.cloud.delivery import ApplicationLoadBalancer, Cdn, Domain, Pipeline, Site
from crossfade.file.cloud.deployer import Deployer
from crossfade.file.cloud.network import Network
from crossfade.file.cloud.usage import Usage
from crossfade.file.cloud.watch import ALARMS, OF_CACHE, OF_DATABASE, Alarm, Budget, Logs, Notify, Targets
from crossfade.file.cloud.words import REGIONS, Word
from crossfade.file.part import Clash, Part
from crossfade.file.parts.service import NAME
from crossfade.file.parts.variables.secrets import VARIABLE
from crossfade.file.reading.problem import nearest
from crossfade.file.units import Text

BUCKET = Text(
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens"
)
TAG = Text(r"[^\n]{1,128}", "one line of text, up to 128 characters")


class TerraformState(Part):
    """Where Terraform keeps what it knows: a bucket, and a table or a file that lets one run at a time."""

    bucket: Annotated[str, BUCKET] | None = Field(
        default=None, description="The bucket. Default: <app>-terraform-state.", examples=["acme-terraform-state"]
    )
    lock: Literal["table", "file"] = Field(
        default="table",
        description="What lets one run at a time: the table, or from Terraform 1.10 on a file beside the state.",
        examples=["file"],
    )
    table: str | None = Field(
        default=None, description="The DynamoDB table. Default: <app>-terraform-lock.", examples=["acme-terraform-lock"]
    )

    def impossible(self) -> Iterator[Clash]:
        if self.lock == "file" and self.table is not None:
            yield Clash(("table",), f"table {self.table} with lock: file", "one of both")


class Guards(Part):
    """Watchers of the whole account. Turn them on in one environment only."""

    cloudtrail: bool = Field(
        default=False, strict=True, description="Records every call of AWS's API.", examples=[True]
    )
    guardduty: bool = Field(default=False, strict=True, description="Looks for intruders.", examples=[True])


class Cloud(Part):
    """An environment on AWS. Everything has a default; what is not named (database, cache, site) is not there."""

    region: Annotated[str, Word(REGIONS, "a region such as us-east-1 or ap-northeast-2")] = Field(
        default="us-east-1", description="Where.", examples=["ap-northeast-2"]
    )
    account: Annotated[str, Text(r"\d{12}", "twelve digits in quotes")] | None = Field(
        default=None,
        description="Whose it is: credentials of another account are refused. Default: that of whoever deploys.",
        examples=["123456789012"],
    )
    zones: tuple[Literal["a", "b", "c", "d", "e", "f"], ...] = Field(
        default=("a", "b"),
        description="Availability zones of the region; the load balancer needs two.",
        examples=[["a", "c"]],
    )
    timezone: str = Field(default="UTC", description="In which times of day are written here.", examples=["Asia/Seoul"])
    network: Network = Field(default=Network.unwritten(), description="The network.", examples=[{"nat": "per-zone"}])
    compute: Compute = Field(
        default=Compute.unwritten(), description="What runs the services.", examples=[{"kind": "autoscaling"}]
    )
    load_balancer: ApplicationLoadBalancer = Field(
        default=ApplicationLoadBalancer.unwritten(),
        description="The Application Load Balancer.",
        examples=[{"logs": True}],
    )
    database: Database | None = Field(
        default=None, description="A database. Default: none.", examples=[{"engine": "postgres", "multi_az": True}]
    )
    cache: Cache | None = Field(default=None, description="A cache. Default: none.", examples=[{"replicas": 1}])
    buckets: dict[Annotated[str, NAME], Bucket] = Field(
        default={}, description="Buckets, by name.", examples=[{"uploads": {"expire": "365d"}}]
    )
    site: Site | None = Field(
        default=None, description="A static frontend behind a CDN. Default: none.", examples=[{"folder": "build"}]
    )
    cdn: Cdn | None = Field(
        default=None, description="A CDN in front of the services. Default: none.", examples=[{"never": ["/api/*"]}]
    )
    domain: Domain | None = Field(
        default=None, description="The name it is reached by. Default: AWS's own.", examples=[{"name": "tiketi.gg"}]
    )
    certificate: (
        Annotated[str, Text(r"managed|arn:aws[\w-]*:acm:\S+", "managed, or the ARN of a certificate")] | None
    ) = Field(
        default=None,
        description="For HTTPS: `managed` by ACM, or the ARN of one. Default: managed when there is a domain.",
        examples=["managed"],
    )
    registry: Registry = Field(
        default=Registry.unwritten(), description="Where images are kept.", examples=[{"keep": 10}]
    )
    secrets: dict[Annotated[str, VARIABLE], Secret] = Field(
        default={},
        description="Secrets, by the variable in which instances get them.",
        examples=[{"DB_PASSWORD": {"rotate": "90d"}}],
    )
    logs: Logs = Field(default=Logs.unwritten(), description="What instances write.", examples=[{"keep": "7d"}])
    alarms: tuple[Alarm, ...] = Field(
        default=ALARMS,
        description="When somebody is told. Default: unhealthy instances, 10 errors a minute, CPU above 80 %.",
        examples=[[{"on": "errors", "limit": 10, "stays": "1m", "severity": "critical"}]],
    )
    notify: Notify = Field(
        default=Notify.unwritten(), description="Who is told.", examples=[{"critical": ["oncall@example.com"]}]
    )
    dashboard: bool = Field(default=True, strict=True, description="A dashboard in CloudWatch.", examples=[False])
    tracing: bool = Field(default=False, strict=True, description="X-Ray.", examples=[True])
    budget: Budget | None = Field(
        default=None, description="A warning before the bill. Default: none.", examples=[{"monthly": 100}]
    )
    targets: Targets = Field(
        default=Targets.unwritten(),
        description="What was promised.",
        examples=[{"availability": "99.95%", "p95": "150ms"}],
    )
    guards: Guards = Field(
        default=Guards.unwritten(), description="Watchers of the account.", examples=[{"cloudtrail": True}]
    )
    pipeline: Pipeline | None = Field(
        default=None,
        description="How a push becomes a release. Default: `crossfade deploy`.",
        examples=[{"repository": "acme/shop"}],
    )
    deployer: Deployer | None = Field(
        default=None,
        description="Who else may deploy: jobs of CI, people. Default: whoever may change the account.",
        examples=[{"github": "acme/shop"}],
    )
    state: TerraformState = Field(
        default=TerraformState.unwritten(),
        description="Where Terraform keeps what it knows.",
        examples=[{"bucket": "acme-terraform-state"}],
    )
    tags: dict[Annotated[str, TAG], Annotated[str, TAG]] = Field(
        default={}, description="On everything, beside Environment, Project and ManagedBy.", examples=[{"Team": "shop"}]
    )
    usage: Usage = Field(
        default=Usage.unwritten(), description="Assumptions of `crossfade cost`.", examples=[{"egress": "100G"}]
    )
    accept: tuple[Acceptance, ...] = Field(
        default=(),
        description="Findings of `crossfade audit` that do not count for a while.",
        examples=[[{"id": "CF-NET-001", "reason": "A firewall stands before it", "until": "2027-03-31"}]],
    )

    @property
    def https(self) -> bool:
        """A certificate is given, or can be made because there is a name for it."""
        return self.certificate is not None or self.domain is not None

    def impossible(self) -> Iterator[Clash]:
        yield from self._zones()
        yield from self._timezone()
        if self.certificate == "managed" and self.domain is None:
            yield Clash(("certificate",), "managed without a domain to make it for", "domain: {name: ...} beside it")
        for index, alarm in enumerate(self.alarms):
            if alarm.on in OF_DATABASE and (self.database is None or self.database.host):
                yield Clash(
                    ("alarms", index, "on"), f"{alarm.on} without a database of RDS", "database: {...} beside it"
                )
            if alarm.on in OF_CACHE and self.cache is None:
                yield Clash(("alarms", index, "on"), f"{alarm.on} without a cache", "cache: {...} beside it")
            if alarm.on == "memory" and self.compute.kind == "autoscaling" and self.compute.metrics is None:
                yield Clash(("alarms", index, "on"), "memory of hosts without the agent", "compute: {metrics: {...}}")
        yield from self._cdn()
        if self.network.nat == "none" and self.compute.kind == "fargate" and "ecr" not in self.network.endpoints:
            found = "none, so that tasks cannot fetch their images"
            yield Clash(("network", "nat"), found, "one, per-zone or instance; or endpoints: [s3, ecr, logs]")

    def _cdn(self) -> Iterator[Clash]:
        if self.cdn is None:
            return
        if self.site is not None:
            yield Clash(("cdn",), "a CDN of services beside a site, which has its own", "site: {api: true}")
        name = self.cdn.bucket
        if name is not None and name not in self.buckets:
            known = ", ".join(self.buckets)
            allowed = f"one of {known}" if known else f"buckets: {{{name}: {{}}}}"
            yield Clash(("cdn", "bucket"), f'"{name}", which is not a bucket', allowed, nearest(name, [*self.buckets]))

    def _timezone(self) -> Iterator[Clash]:
        """One zone is looked up; listing all takes a tenth of a second, which only the message is worth."""
        if self.timezone == "UTC":  # known also where no tzdata is installed
            return
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
            meant = nearest(self.timezone, sorted(zoneinfo.available_timezones()))
            yield Clash(("timezone",), f'"{self.timezone}"', "a time zone such as Asia/Seoul or UTC", meant)

    def _zones(self) -> Iterator[Clash]:
        count = len(self.zones)
        if count < 2 or len(set(self.zones)) < count:  # noqa: PLR2004 - what a load balancer needs
            yield Clash(("zones",), f"[{', '.join(self.zones)}]", "two or more different zones, such as [a, b]")
        for kind in ("public", "private", "database"):
            given = getattr(self.network, kind)
            if given and len(given) != count:
                yield Clash(("network", kind), f"{len(given)} subnets for {count} zones", "one subnet a zone")
