"""Counts from nginx's logs: it has no statistics of its own that tell services and instances apart."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.balancers.counted.tail import Tail
from crossfade.platforms.local.balancers.counted.totals import RequestOutcome, Totals

_LEAST, _SWITCHED, _SERVER_ERROR = 200, 101, 500
_CLIENT_LEFT = 499
# An instance that is gone by the time in which the beginning of its answer is passed on is missed while sending.
_MISSED = rb"while reading upstream|(?:prematurely closed connection|recv\(\) failed [^,]*) while sending to client"
_TRUNCATED = re.compile(rb'(?:%b).*upstream: "https?://(unix:[^":]+|[^/"]+)' % _MISSED)


class LogLine(NamedTuple):
    """A line of the requests log; see `settings`."""

    kind: str
    service: str
    group: str
    streaming: str
    status: str
    tries: str  # the status of each
    reached: str
    seconds: str


class Counts:
    """Totals that only grow, kept on disk together with how far the logs were read."""

    def __init__(self, path: Path, requests: Path, errors: Path) -> None:
        self.totals = Totals(path)
        positions = self.totals.positions or [{}, {}]
        self._requests, self._errors = Tail(requests, positions[0]), Tail(errors, positions[1])

    def read(self, groups: Mapping[str, tuple[str, str]]) -> None:
        """Take in what the logs say since last time. `groups` has (service, group) by instance, as nginx writes it."""
        for raw, times in Counter(self._requests.lines()).items():
            line = LogLine(*raw.decode(errors="replace").split("\t"))
            if line.kind == "clients":
                self.totals.service(line.service).add(_outcome(line), times)
            if line.group:
                self.totals.group(line.group).add(_outcome(line), times)
        for raw in self._errors.lines():
            found = _TRUNCATED.search(raw)
            if found is not None and (owner := groups.get(found[1].decode(errors="replace"))):
                service, group = owner
                for sums in (self.totals.service(service), self.totals.group(group)):
                    sums.failed["truncated answer"] += 1

    def rotate(self, limit: int) -> bool:
        """Move logs aside that are larger than `limit` bytes; nginx has to be told."""
        return any([self._requests.rotate(limit), self._errors.rotate(limit)])

    def save(self) -> None:
        """Write the totals, with how far the logs were read."""
        self.totals.save([self._requests.positions, self._errors.positions])


def _outcome(line: LogLine) -> RequestOutcome:
    status = int(line.status)
    return RequestOutcome(
        milliseconds=None if line.streaming else float(line.seconds) * 1000,
        retried=line.tries.count(",") + line.tries.count(" : "),  # of one release, and of another
        cause=_cause(line) if status >= _SERVER_ERROR or _is_no_answer(status) else "",
        left=status == _CLIENT_LEFT,
    )


def _is_no_answer(status: int) -> bool:
    """It was only announced, which nginx takes for the answer, or came in no HTTP, which is a 009 to it."""
    return status < _LEAST and status != _SWITCHED


def _cause(line: LogLine) -> str:
    by_reach = {
        "none": "no release serving",
        "unreached": "no connection to instance",
        "reached": "timeout" if line.status == "504" else "reset by instance",
    }
    return by_reach.get(line.reached, f"{line.status} from instance")
