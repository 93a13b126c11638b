"""The watch over an environment: alarms, logs, budget, and who is told."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.cloud.words import RETENTION_DAYS, Days
from crossfade.file.part import Clash, Part
from crossfade.file.units import Duration, Number, Percent, Text

Measure = Literal[
    "cpu",
    "memory",
    "unhealthy-hosts",
    "errors",
    "latency",
    "db-cpu",
    "db-connections",
    "db-free-storage",
    "cache-cpu",
    "cache-memory",
    "cache-hit-rate",
]
Severity = Literal["critical", "warning"]
BELOW: frozenset[str] = frozenset({"db-free-storage", "cache-hit-rate"})  # bad when low; all others when high
PERCENT: frozenset[str] = frozenset(
    {"cpu", "memory", "db-cpu", "cache-cpu", "cache-memory", "cache-hit-rate", "db-free-storage"}
)
OF_DATABASE: frozenset[str] = frozenset({"db-cpu", "db-connections", "db-free-storage"})
OF_CACHE: frozenset[str] = frozenset({"cache-cpu", "cache-memory", "cache-hit-rate"})
CONTACT = Text(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|\+[1-9][0-9]{6,14}",
    "a mail address, or a phone number such as +821012345678 for SMS",
)


class Alarm(Part):
    """Somebody is told when a measure stays past a limit."""

    on: Measure = Field(
        description=(
            "What: CPU and memory of services in percent, `unhealthy-hosts`, `errors` (5xx of the application in a "
            "minute), `latency` (p95 in seconds), and of the database and cache their CPU, memory, connections, free "
            "storage and hit rate."
        ),
        examples=["errors"],
    )
    limit: Annotated[float, Number(above=-1, most=1e12)] = Field(
        description="Past this: below for free storage and hit rate, above for all others.", examples=[10]
    )
    stays: Annotated[float, Duration(least=60, most=86400)] = Field(
        default=300.0, description="For how long, in whole minutes.", examples=["5m"]
    )
    severity: Severity = Field(default="warning", description="Who is told: see `notify`.", examples=["critical"])

    def impossible(self) -> Iterator[Clash]:
        if self.on in PERCENT and self.limit > 100:  # noqa: PLR2004 - percent
            yield Clash(("limit",), f"{self.limit:g} of {self.on}", "a percentage up to 100")
        if self.stays % 60:
            yield Clash(("stays",), f"{self.stays:g} seconds", "whole minutes, such as 5m")


ALARMS = (
    Alarm.unwritten(on="unhealthy-hosts", limit=0, stays=120, severity="critical"),
    Alarm.unwritten(on="errors", limit=10, stays=60, severity="critical"),
    Alarm.unwritten(on="cpu", limit=80, stays=300),
)


class Notify(Part):
    """Mail addresses and phone numbers."""

    critical: tuple[Annotated[str, CONTACT], ...] = Field(
        default=(), description="Told of critical alarms.", examples=[["oncall@example.com", "+821012345678"]]
    )
    warning: tuple[Annotated[str, CONTACT], ...] = Field(
        default=(), description="Told of warnings.", examples=[["team@example.com"]]
    )


class Logs(Part):
    """What instances write, in CloudWatch."""

    keep: Annotated[int, Days(among=RETENTION_DAYS)] = Field(default=30, description="How long.", examples=["30d"])


class Budget(Part):
    """A warning before the bill."""

    monthly: Annotated[float, Number(above=0, most=1e9)] = Field(description="Dollars a month.", examples=[100])
    forecast: Annotated[float, Percent(least=1, most=1000)] | None = Field(
        default=80.0, description="Told when the forecast passes this share. Default: 80%.", examples=["80%"]
    )
    actual: Annotated[float, Percent(least=1, most=1000)] | None = Field(
        default=100.0, description="Told when the bill passes this share. Default: 100%.", examples=["100%"]
    )
    counts: Literal["account", "environment"] = Field(
        default="account",
        description=(
            "The bill of the whole `account`, or of what has the `environment`'s tag, once Environment is activated as "
            "a cost allocation tag."
        ),
        examples=["environment"],
    )


class Targets(Part):
    """What was promised to visitors and to the business. `audit` holds the rest of the file against it."""

    availability: Annotated[float, Percent(least=1)] | None = Field(
        default=None, description="Share of the time in which it answers, deploys included.", examples=["99.95%"]
    )
    errors: Annotated[float, Percent()] | None = Field(
        default=None, description="Largest share of failed requests.", examples=["1%"]
    )
    mean: Annotated[float, Duration(least=0.001, most=3600)] | None = Field(
        default=None, description="Mean time of an answer.", examples=["200ms"]
    )
    p95: Annotated[float, Duration(least=0.001, most=3600)] | None = Field(
        default=None, description="Time within which 95 % of the requests are answered.", examples=["150ms"]
    )
    health_check: Annotated[float, Duration(least=0.001, most=3600)] | None = Field(
        default=None, description="Time of a health check's answer.", examples=["100ms"]
    )
    requests: Annotated[float, Number(above=0, most=1e9)] | None = Field(
        default=None, description="Requests a second that it carries.", examples=[1000]
    )
    deploy: Annotated[float, Duration(least=1, most=86400)] | None = Field(
        default=None, description="How long a deploy takes at most.", examples=["3m"]
    )
    rollback: Annotated[float, Duration(least=1, most=86400)] | None = Field(
        default=None, description="How long a rollback takes at most.", examples=["20m"]
    )
    recovery: Annotated[float, Duration()] | None = Field(
        default=None, description="How long it may be gone after a failure (RTO).", examples=["1h"]
    )
    data_loss: Annotated[float, Duration()] | None = Field(
        default=None, description="How much of the newest data may be lost by it (RPO).", examples=["24h"]
    )
