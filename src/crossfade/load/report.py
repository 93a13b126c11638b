"""The report of a run of traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeVar

from crossfade.load.latency import Latency

K = TypeVar("K")
V = TypeVar("V", int, "Count", "Span")


class Mode(StrEnum):
    """How clients talk to the service."""

    KEEPALIVE = "keepalive"  # GETs, one after the other on a connection each
    CONNECTION = "connection"  # GETs, a new connection for each
    POST = "post"  # small and 1 MB bodies, with a length and chunked
    DOWNLOAD = "download"  # slow bodies, checked to the last byte
    WEBSOCKET = "websocket"  # numbered messages that must come back
    SSE = "sse"  # event streams whose ids must be contiguous


class Cause(StrEnum):
    """Why a request was lost."""

    REFUSED = "refused"  # no connection
    RESET = "reset"  # the connection broke after the request was sent, before any answer
    CLOSED = "closed"  # the same, but ended in an orderly way
    TRUNCATED = "truncated"  # the answer began and did not end
    TIMEOUT = "timeout"
    STATUS = "status"  # answered, with 500 or above
    MALFORMED = "malformed"  # the answer is not HTTP, or not WebSocket
    MISMATCH = "mismatch"  # a complete answer with the wrong content
    CUT = "cut"  # a WebSocket or event stream ended without being told to
    UNSENT = "unsent"  # this machine had no port or file descriptor left; the service is not to blame


@dataclass(frozen=True, slots=True)
class Count:
    requests: int
    failed: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.requests + other.requests, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Span:
    """When one release answered: seconds of CLOCK_MONOTONIC, which is one for all processes of a machine.

    A request that was sent before a switch may be answered by the old release long after it: `last_sent` is when the
    last request that this release answered was sent, `last_seen` when its last answer was complete.
    """

    requests: int
    failed: int
    first_seen: float
    last_seen: float
    last_sent: float

    def __add__(self, other: "Span") -> "Span":
        return Span(
            requests=self.requests + other.requests,
            failed=self.failed + other.failed,
            first_seen=min(self.first_seen, other.first_seen),
            last_seen=max(self.last_seen, other.last_seen),
            last_sent=max(self.last_sent, other.last_sent),
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """One lost request, for whoever must find out why. `at` is monotonic."""

    at: float
    mode: Mode
    cause: Cause
    detail: str


# The first losses explain; the thousandth says nothing new.
LOSSES_KEPT = 20


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A request is one exchange: a GET, a POST, a download, a WebSocket handshake or round trip, an event stream's
    opening or one event of it. It counts when it ends, lost or answered; requests under way are not in here.

    `wall_offset` plus a monotonic time is Unix time, as it was when the run began.
    """

    started: float
    ended: float
    wall_offset: float
    causes: Mapping[Cause, int] = field(default_factory=dict)
    statuses: Mapping[int, int] = field(default_factory=dict)
    modes: Mapping[Mode, Count] = field(default_factory=dict)
    releases: Mapping[str, Span] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    connections: int = 0  # opened
    told_to_close: int = 0  # WebSockets and event streams that the server ended in an orderly way
    resent: int = 0  # WebSocket messages under way when the server said close, sent again on the next connection
    stray: int = 0  # connections dropped because bytes came that nobody had asked for
    losses: tuple[Loss, ...] = ()

    @property
    def requests(self) -> int:
        return sum(count.requests for count in self.modes.values())

    @property
    def failed(self) -> int:
        return sum(self.causes.values())

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def wall(self, monotonic: float) -> float:
        """Unix time of a moment of this report."""
        return self.wall_offset + monotonic

    def switch_ms(self, old: str, new: str) -> float:
        """How long both releases answered: from the first answer of `new` to the last of `old`, in ms.

        Negative when the last answer of `old` came first.

        Raises:
            KeyError: one of them never answered.
        """
        return (self.releases[old].last_seen - self.releases[new].first_seen) * 1000

    def __add__(self, other: "LoadReport") -> "LoadReport":
        """Both runs as one: of several modes, several processes, or one after the other."""
        return LoadReport(
            started=min(self.started, other.started),
            ended=max(self.ended, other.ended),
            wall_offset=self.wall_offset,
            causes=_sum(self.causes, other.causes),
            statuses=_sum(self.statuses, other.statuses),
            modes=_sum(self.modes, other.modes),
            releases=_sum(self.releases, other.releases),
            latency=self.latency + other.latency,
            connections=self.connections + other.connections,
            told_to_close=self.told_to_close + other.told_to_close,
            resent=self.resent + other.resent,
            stray=self.stray + other.stray,
            losses=tuple(sorted(self.losses + other.losses, key=lambda loss: loss.at))[:LOSSES_KEPT],
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; the fields that `from_json` does not need are there for whoever reads it."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "per_second": round(self.requests / self.seconds, 1) if self.seconds else 0.0,
            "p50_ms": self.latency.percentile_ms(50),
            "p95_ms": self.latency.percentile_ms(95),
            "p99_ms": self.latency.percentile_ms(99),
            "max_ms": self.latency.percentile_ms(100),
            "causes": dict(self.causes),
            "statuses": {str(status): number for status, number in self.statuses.items()},
            "modes": {mode: {"requests": n.requests, "failed": n.failed} for mode, n in self.modes.items()},
            "releases": {
                name: {
                    "requests": seen.requests,
                    "failed": seen.failed,
                    "first_seen": seen.first_seen,
                    "last_seen": seen.last_seen,
                    "last_sent": seen.last_sent,
                    "first_seen_wall": self.wall(seen.first_seen),
                    "last_seen_wall": self.wall(seen.last_seen),
                }
                for name, seen in self.releases.items()
            },
            "connections": self.connections,
            "told_to_close": self.told_to_close,
            "resent": self.resent,
            "stray": self.stray,
            "losses": [
                {"at": loss.at, "mode": loss.mode, "cause": loss.cause, "detail": loss.detail} for loss in self.losses
            ],
            "started": self.started,
            "ended": self.ended,
            "wall_offset": self.wall_offset,
            "latency_us": {str(number): count for number, count in self.latency.buckets.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The report that `to_json` wrote, in this process or another."""
        return cls(
            started=data["started"],
            ended=data["ended"],
            wall_offset=data["wall_offset"],
            causes={Cause(cause): number for cause, number in data["causes"].items()},
            statuses={int(status): number for status, number in data["statuses"].items()},
            modes={Mode(mode): Count(**count) for mode, count in data["modes"].items()},
            releases={
                name: Span(**{key: value for key, value in seen.items() if not key.endswith("_wall")})
                for name, seen in data["releases"].items()
            },
            latency=Latency({int(number): count for number, count in data["latency_us"].items()}),
            connections=data["connections"],
            told_to_close=data["told_to_close"],
            resent=data["resent"],
            stray=data["stray"],
            losses=tuple(
                Loss(loss["at"], Mode(loss["mode"]), Cause(loss["cause"]), loss["detail"]) for loss in data["losses"]
            ),
        )


def _sum(left: Mapping[K, V], right: Mapping[K, V]) -> dict[K, V]:
    merged = dict(left)
    for key, value in right.items():
        merged[key] = merged[key] + value if key in merged else value
    return merged
