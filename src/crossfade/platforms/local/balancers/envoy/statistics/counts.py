"""Counts over all processes that Envoy was: their statistics, and failures by cause from the log."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from crossfade.core.counters import Counters
from crossfade.engine.ports.balancer import Traffic
from crossfade.platforms.local.balancers import files
from crossfade.platforms.local.balancers.counted.tail import Tail
from crossfade.platforms.local.balancers.envoy.admin import histogram
from crossfade.platforms.local.balancers.envoy.bootstrap import REQUESTS
from crossfade.platforms.local.balancers.envoy.clusters import ASSETS, PREVIEW, group_of, is_clients
from crossfade.platforms.local.balancers.envoy.statistics.failures import NOBODY, Failure, failure

_COUNTED = re.compile(rf"cluster\.(?P<name>[^.]+?)(?P<streams>/streams)?\.upstream_rq_(?P<what>{REQUESTS})")


def pattern(service: str) -> str:
    """The statistics that one service is counted by."""
    clusters = rf"{re.escape(service)}/[0-9]+(/preview|/assets)?(/streams)?"
    return rf"^cluster\.{clusters}\.upstream_rq_({REQUESTS}|active)$"


def counted(stats: dict[str, str]) -> dict[str, Counters]:
    """By group: clients' requests as `feedback/web/7`, parts of pages and previews below it; errors are not in it.

    A stream lasts as long as its client likes: it is a request, but no latency. What comes ahead of an answer, such as
    a 100 or a 103, completes a request for Envoy, too; a 101 is the answer.
    """
    return {name: counters for name, (counters, _) in _numbers(stats).items()}


def _numbers(stats: dict[str, str]) -> dict[str, tuple[Counters, int]]:
    """What is `counted`, and what Envoy counts as completed."""
    numbers: Counter[tuple[str, str]] = Counter()
    latency: dict[str, Counters] = {}
    for stat, value in stats.items():
        found = _COUNTED.fullmatch(stat)
        if found is None:
            continue
        name, what = found["name"], found["what"]
        if what != "time":
            numbers[name, what] += int(value)
        elif not found["streams"]:
            latency[name] = Counters(latency=histogram(value))
    made = {}
    for name in {name for name, _ in numbers} | latency.keys():
        completed, ahead = numbers[name, "completed"], numbers[name, "1xx"] - numbers[name, "101"]
        plain = Counters(requests=max(0, completed - ahead), retried=numbers[name, "retry"])
        made[name] = plain + latency.get(name, Counters()), completed
    return made


class Counts:
    """Totals that only grow, kept on disk so that they outlive Envoy and the controller."""

    def __init__(self, path: Path, log: Path) -> None:
        self._path = path
        saved = files.saved(path)
        self._identity: str = saved.get("identity", "")  # the process that `seen` was counted by
        self._seen = _counters(saved.get("seen", {}))
        self._completed: dict[str, int] = saved.get("completed", {})  # of `seen`, as Envoy counts
        self._base = _counters(saved.get("base", {}))  # by the processes before
        self._failed = {key: Counter(causes) for key, causes in saved.get("failed", {}).items()}
        self._errors = Counter(saved.get("errors", {}))
        self._left = Counter(saved.get("left", {}))
        self._dead: list[str] = saved.get("dead", [])
        self._untold = Counter[str]()  # failures of the log since the statistics of their group were read last
        # What is counted of each service, by name. Hundreds are asked for in turn: who looked through the names of all
        # for one took time by the square of their number.
        self._names = defaultdict[str, set[str]](set)
        for name in (*self._seen, *self._base, *self._errors):
            self._note(name)
        self._tail = Tail(log, {int(inode): offset for inode, offset in saved.get("positions", {}).items()})

    def read_log(self) -> None:
        """Take in what the log says since last time.

        Before the statistics are asked for: of two numbers taken one after the other, the failures have to be the
        older ones, or 33 of 32 requests failed.
        """
        for line in self._tail.lines():
            self._count(line)

    def see(self, identity: str, stats: dict[str, str]) -> None:
        """Take in the statistics as they are now: of those that went back, Envoy dropped the old ones in between."""
        if identity != self._identity:
            self._carry()
            self._identity = identity
        for name, (now, completed) in _numbers(stats).items():
            before = self._seen.get(name, Counters())
            if completed < self._completed.get(name, before.requests):
                self._base[name] = self._base.get(name, Counters()) + before
                before = Counters()
            # Of two numbers that are read one after the other the second may be newer: no total ever goes back.
            self._seen[name] = replace(now, requests=max(now.requests, before.requests))
            self._completed[name] = completed
            self._untold.pop(name, None)
            self._note(name)

    def died(self, identity: str) -> None:
        """This process ended without being told to: what it counted since last time nobody knows.

        Of that it wrote down the failures: each was a request, or 23 of 1 would have failed.
        """
        if identity not in self._dead:  # whoever noted it may have died, too, before there was another
            self._dead.append(identity)
            self.read_log()
            for name, failures in self._untold.items():
                self._base[name] = self._base.get(name, Counters()) + Counters(requests=failures)
                self._note(name)
            self._untold.clear()
            self.save()

    def fold(self, service: str, known: Collection[str]) -> None:
        """Groups that are not `known` any more are gone for good: only what clients asked of them stays."""
        for name in tuple(self._names[service]):
            if group_of(name) in known:
                continue
            self._names[service].discard(name)
            if is_clients(name):
                self._base[service] = self._base.get(service, Counters()) + self._total(name)
            for counters in (self._seen, self._completed, self._base, self._errors):
                counters.pop(name, None)

    def group(self, service: str, release: int) -> Counters:
        """Clients' requests and previews."""
        name = f"{service}/{release}"
        counted = sum((self._total(f"{name}{which}") for which in ("", ASSETS, PREVIEW)), Counters())
        return counted + Counters(errors=self._errors[name])

    def traffic(self, service: str) -> Traffic:
        failed = self._failed.get(service, Counter())
        gone = self._base.get(service, Counters())
        unseen = Counters(requests=failed[NOBODY], errors=failed.total())
        return Traffic(
            total=sum((self._total(name) for name in self._names[service] if is_clients(name)), gone) + unseen,
            failed=tuple(sorted(failed.items())),
            client_closed=self._left[service],
            balancer_deaths=len(self._dead),
        )

    def forget(self, service: str) -> None:
        self._failed.pop(service, None)
        self._left.pop(service, None)
        self.fold(service, ())
        self._base.pop(service, None)
        self._names.pop(service, None)

    def rotate(self, limit: int) -> bool:
        """Move the log aside when it is larger than `limit` bytes; whoever writes it has to be told."""
        return self._tail.rotate(limit)

    def save(self) -> None:
        state = {
            "identity": self._identity,
            "seen": {name: asdict(counters) for name, counters in self._seen.items()},
            "completed": self._completed,
            "base": {name: asdict(counters) for name, counters in self._base.items()},
            "failed": self._failed,
            "errors": self._errors,
            "left": self._left,
            "dead": self._dead,
            "positions": self._tail.positions,
        }
        files.replace(self._path, json.dumps(state))

    def _carry(self) -> None:
        """The process that counted until now is gone, or only finishes: the next begins at zero."""
        for name, counters in self._seen.items():
            self._base[name] = self._base.get(name, Counters()) + counters
        self._seen, self._completed = {}, {}

    def _note(self, name: str) -> None:
        """`feedback/web` is what is left of groups that are gone, and counted by itself."""
        service = "/".join(name.split("/", 2)[:2])
        if name != service:
            self._names[service].add(name)

    def _total(self, name: str) -> Counters:
        return self._base.get(name, Counters()) + self._seen.get(name, Counters())

    def _count(self, line: bytes) -> None:
        try:
            found = failure(json.loads(line))
        except ValueError:
            return  # two processes wrote at once, while one replaced the other
        if found is not None:
            self._add(found)

    def _add(self, found: Failure) -> None:
        if not found.cause:
            self._left[found.service] += not found.preview
            return
        if found.group:
            self._errors[found.group] += 1
            self._note(found.group)
            self._untold[f"{found.group}{PREVIEW if found.preview else ''}"] += 1
        if not found.preview:
            self._failed.setdefault(found.service, Counter())[found.cause] += 1


def _counters(saved: dict[str, Any]) -> dict[str, Counters]:
    return {
        name: Counters(**{**fields, "latency": tuple((bound, count) for bound, count in fields["latency"])})
        for name, fields in saved.items()
    }
