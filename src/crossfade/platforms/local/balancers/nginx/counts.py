"""What was counted, from nginx's logs: it has no statistics of its own that tell services and instances apart."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from crossfade.core.counters import Counters
from crossfade.engine.ports import Traffic
from crossfade.platforms.local.balancers import files
from crossfade.platforms.local.balancers.buckets import bound, cumulative
from crossfade.platforms.local.balancers.tail import Tail

_SERVER_ERROR = 500
_CLIENT_LEFT = 499
_TRUNCATED = re.compile(rb'while reading upstream.*upstream: "https?://([^/"]+)')


class Line(NamedTuple):
    """A line of the requests log; see `settings`."""

    kind: str
    service: str
    group: str
    streaming: str
    status: str
    tries: str  # the status of each
    reached: str
    seconds: str


@dataclass
class Sums:
    """Totals of one service's clients, or of one group."""

    requests: int = 0
    retried: int = 0
    left: int = 0  # clients that left before their answer
    failed: Counter[str] = field(default_factory=Counter)
    buckets: Counter[float] = field(default_factory=Counter)

    @property
    def counters(self) -> Counters:
        return Counters(
            requests=self.requests,
            errors=self.failed.total(),
            retried=self.retried,
            latency=cumulative(self.buckets),
        )

    def add(self, line: Line, times: int) -> None:
        status = int(line.status)
        self.requests += times
        self.retried += line.tries.count(",") * times
        if not line.streaming:
            self.buckets[bound(float(line.seconds) * 1000)] += times
        if status == _CLIENT_LEFT:
            self.left += times
        elif status >= _SERVER_ERROR:
            self.failed[_cause(line)] += times


class Counts:
    """Totals that only grow, kept on disk together with how far the logs were read."""

    def __init__(self, path: Path, requests: Path, errors: Path) -> None:
        self._path = path
        saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._services = {name: _sums(sums) for name, sums in saved.get("services", {}).items()}
        self._groups = {name: _sums(sums) for name, sums in saved.get("groups", {}).items()}
        positions = [{int(i): offset for i, offset in p.items()} for p in saved.get("positions", ({}, {}))]
        self._requests, self._errors = Tail(requests, positions[0]), Tail(errors, positions[1])

    def read(self, groups: Mapping[str, tuple[str, str]]) -> None:
        """Take in what the logs say since last time. `groups` has (service, group) by an instance's address."""
        for raw, times in Counter(self._requests.lines()).items():
            line = Line(*raw.decode(errors="replace").split("\t"))
            if line.kind == "clients":
                self._services.setdefault(line.service, Sums()).add(line, times)
            if line.group:
                self._groups.setdefault(line.group, Sums()).add(line, times)
        for raw in self._errors.lines():
            found = _TRUNCATED.search(raw)
            if found is not None and (owner := groups.get(found[1].decode(errors="replace"))):
                service, group = owner
                for sums in (self._services.setdefault(service, Sums()), self._groups.setdefault(group, Sums())):
                    sums.failed["truncated answer"] += 1

    def traffic(self, service: str) -> Traffic:
        sums = self._services.get(service, Sums())
        return Traffic(total=sums.counters, failed=tuple(sorted(sums.failed.items())), client_closed=sums.left)

    def group(self, name: str) -> Counters:
        return self._groups.get(name, Sums()).counters

    def forget(self, service: str, groups: list[str]) -> None:
        self._services.pop(service, None)
        for name in groups:
            self._groups.pop(name, None)

    def rotate(self, limit: int) -> bool:
        """Move logs aside that are larger than `limit` bytes; nginx has to be told."""
        return any([self._requests.rotate(limit), self._errors.rotate(limit)])

    def save(self) -> None:
        state = {
            "services": {name: vars(sums) for name, sums in self._services.items()},
            "groups": {name: vars(sums) for name, sums in self._groups.items()},
            "positions": [self._requests.positions, self._errors.positions],
        }
        files.replace(self._path, json.dumps(state))


def _cause(line: Line) -> str:
    by_reach = {
        "none": "no release serving",
        "unreached": "no connection to instance",
        "reached": "timeout" if line.status == "504" else "reset by instance",
    }
    return by_reach.get(line.reached, f"{line.status} from instance")


def _sums(saved: dict[str, Any]) -> Sums:
    buckets = Counter({float(upper): times for upper, times in saved["buckets"].items()})
    return Sums(**{**saved, "failed": Counter(saved["failed"]), "buckets": buckets})
