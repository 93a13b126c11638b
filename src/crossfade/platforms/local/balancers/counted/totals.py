"""Totals of what was counted from a balancer's log: they only grow, and lie on disk with how far it was read."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.core.counters import Counters
from crossfade.engine.ports.balancer import Traffic
from crossfade.platforms.local.balancers import files
from crossfade.platforms.local.balancers.counted.buckets import bound, cumulative


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """How a request ended. `cause` is empty when it did not fail; `milliseconds` None: a stream, which is not timed."""

    milliseconds: float | None
    retried: int = 0
    cause: str = ""
    left: bool = False  # the client, before its answer
    stands_for: int = 1  # so many, by its time; how many there were is counted elsewhere


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

    def add(self, outcome: RequestOutcome, times: int) -> None:
        if not times:
            return
        self.requests += times
        self.retried += outcome.retried * times
        if outcome.milliseconds is not None:
            self.buckets[bound(outcome.milliseconds)] += times * outcome.stands_for
        if outcome.left:
            self.left += times
        elif outcome.cause:
            self.failed[outcome.cause] += times


class Totals:
    """Sums by service and by group, and the positions in logs that they go with."""

    def __init__(self, path: Path) -> None:
        self._path = path
        saved = files.saved(path)
        self._services = {name: _sums(sums) for name, sums in saved.get("services", {}).items()}
        self._groups = {name: _sums(sums) for name, sums in saved.get("groups", {}).items()}
        self._deaths = int(saved.get("deaths", 0))
        self.notes: dict[str, Any] = saved.get("notes", {})  # whatever else has to be as old as the totals
        self.positions = [{int(i): offset for i, offset in p.items()} for p in saved.get("positions", ())]

    def service(self, name: str) -> Sums:
        return self._services.setdefault(name, Sums())

    def group(self, name: str) -> Sums:
        return self._groups.setdefault(name, Sums())

    def died(self) -> None:
        """The balancer did, with whatever it had not told."""
        self._deaths += 1

    def traffic(self, service: str) -> Traffic:
        sums = self._services.get(service, Sums())
        return Traffic(
            total=sums.counters,
            failed=tuple(sorted(sums.failed.items())),
            client_closed=sums.left,
            balancer_deaths=self._deaths,
        )

    def counters(self, group: str) -> Counters:
        return self._groups.get(group, Sums()).counters

    def forget(self, service: str, groups: Iterable[str]) -> None:
        self._services.pop(service, None)
        for name in groups:
            self._groups.pop(name, None)

    def save(self, positions: list[dict[int, int]], notes: Mapping[str, Any] | None = None) -> None:
        state = {
            "services": {name: vars(sums) for name, sums in self._services.items()},
            "groups": {name: vars(sums) for name, sums in self._groups.items()},
            "deaths": self._deaths,
            "positions": positions,
            "notes": notes or {},
        }
        files.replace(self._path, json.dumps(state))


def _sums(saved: dict[str, Any]) -> Sums:
    buckets = Counter({float(upper): times for upper, times in saved["buckets"].items()})
    return Sums(**{**saved, "failed": Counter(saved["failed"]), "buckets": buckets})
