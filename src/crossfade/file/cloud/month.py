"""A month as bills reckon it. Apart from the file's model, so that a plan is billed without what reads a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A bill from somebody else, in dollars a month."""

    name: str
    monthly: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How much is used in it, sizes in bytes: what `cloud.usage` says, or what is assumed where it says nothing."""

    instances: Mapping[str, float] = field(default_factory=dict)
    jobs: Mapping[str, float] = field(default_factory=dict)  # hours in which jobs run, by the service they run in
    hours: float = 730.0
    lcu: float = 1.0
    egress: int = 10 * _GIB
    nat: int = 10 * _GIB
    between_zones: int = 0
    logs: int = 5 * _GIB
    metrics: int = 0
    buckets: Mapping[str, int] = field(default_factory=dict)
    bucket_writes: int = 10_000
    bucket_reads: int = 100_000
    cdn: int = 50 * _GIB
    dns: int = 1_000_000
    images: int = 2 * _GIB
    builds: int = 100
    db_backups: int = 0
    secret_calls: int = 10_000
    traces: int = 0
    units: Mapping[str, float] = field(default_factory=dict)
    other: tuple[Foreign, ...] = ()


USUAL = Month()
