"""The usage of a month: assumptions behind the lines of the bill that depend on use."""

from typing import Annotated

from pydantic import Field

from crossfade.file.cloud.month import USUAL, Foreign, Month
from crossfade.file.part import Part
from crossfade.file.units import Duration, Number, Size, Text, Whole

MOST = 1e15
Key = Annotated[str, Text(r"[a-z0-9][A-Za-z0-9._-]{1,99}", "a key of the price book")]


class Other(Part):
    """A bill from somebody else, or one that crossfade does not know."""

    name: Annotated[str, Text(r"[^\n]{1,80}", "one line of text")] = Field(description="What.", examples=["LLM API"])
    monthly: Annotated[float, Number(above=-1, most=1e9)] = Field(description="Dollars a month.", examples=[150])


class Usage(Part):
    """Assumptions of `crossfade cost` about one month. They change nothing but the bill."""

    instances: dict[str, Annotated[float, Number(above=0, most=5000)]] = Field(
        default={},
        description="Average number of instances by service. Default: as many as `replicas`.",
        examples=[{"api": 3}],
    )
    jobs: dict[str, Annotated[float, Duration(most=86_400)]] = Field(
        default={},
        description="How long a run of a job takes. Default: 1m, the least that Fargate bills.",
        examples=[{"tidy": "10m"}],
    )
    hours: Annotated[float, Number(above=0, most=744)] = Field(
        default=USUAL.hours, description="Hours in which it runs.", examples=[730]
    )
    lcu: Annotated[float, Number(above=-1, most=MOST)] = Field(
        default=USUAL.lcu, description="Average capacity units (LCU) of the load balancer.", examples=[1]
    )
    egress: Annotated[int, Size()] = Field(
        default=USUAL.egress, description="Sent to the internet by the load balancer and hosts.", examples=["100G"]
    )
    nat: Annotated[int, Size()] = Field(
        default=USUAL.nat, description="Through each NAT gateway or instance.", examples=["50G"]
    )
    between_zones: Annotated[int, Size()] = Field(
        default=USUAL.between_zones, description="From one zone to another.", examples=["10G"]
    )
    logs: Annotated[int, Size()] = Field(default=USUAL.logs, description="Logs that come in.", examples=["20G"])
    metrics: Annotated[int, Whole(0, 1_000_000)] = Field(
        default=USUAL.metrics, description="Metrics of your own, beside those of the agent.", examples=[10]
    )
    buckets: dict[str, Annotated[int, Size()]] = Field(
        default={},
        description="Kept in each bucket; `site`, `logs`, `artifacts`, `revisions` and `trail` too. Default: 10G each.",
        examples=[{"uploads": "50G"}],
    )
    bucket_writes: Annotated[int, Whole(0, 10**12)] = Field(
        default=USUAL.bucket_writes, description="PUT, COPY, POST and LIST requests, all buckets.", examples=[100000]
    )
    bucket_reads: Annotated[int, Whole(0, 10**12)] = Field(
        default=USUAL.bucket_reads, description="GET requests, all buckets.", examples=[1000000]
    )
    cdn: Annotated[int, Size()] = Field(default=USUAL.cdn, description="Sent by CloudFront.", examples=["1T"])
    dns: Annotated[int, Whole(0, 10**12)] = Field(default=USUAL.dns, description="DNS queries.", examples=[1000000])
    images: Annotated[int, Size()] = Field(default=USUAL.images, description="Kept in each registry.", examples=["5G"])
    builds: Annotated[int, Whole(0, 10**9)] = Field(
        default=USUAL.builds, description="Minutes of builds.", examples=[600]
    )
    db_backups: Annotated[int, Size()] = Field(
        default=USUAL.db_backups,
        description="Backups beyond the size of the database, which are free.",
        examples=["50G"],
    )
    secret_calls: Annotated[int, Whole(0, 10**12)] = Field(
        default=USUAL.secret_calls, description="Times a secret is read.", examples=[10000]
    )
    traces: Annotated[int, Whole(0, 10**12)] = Field(
        default=USUAL.traces, description="Traces of X-Ray.", examples=[1000000]
    )
    units: dict[Key, Annotated[float, Number(above=0, most=MOST)]] = Field(
        default={},
        description="How much of what is only paid by use, in the unit of its price. Default: unknown.",
        examples=[{"lambda.requests-1m": 3}],
    )
    other: tuple[Other, ...] = Field(
        default=(), description="Lines of your own.", examples=[[{"name": "LLM API", "monthly": 150}]]
    )

    @property
    def month(self) -> Month:
        """What of it is said and what is assumed, for bills."""
        said = {name: getattr(self, name) for name in type(self).model_fields if name not in {"jobs", "other"}}
        return Month(**said, other=tuple(Foreign(name=each.name, monthly=each.monthly) for each in self.other))
