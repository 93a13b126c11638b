"""Counts from HAProxy's log and its totals, of every worker, also of those that were replaced.

The log has each request but good answers of a release that is asked often, of which it has a sample; how many of these
there were is what HAProxy's totals have more than the log.
"""

import os
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.balancers.counted.tail import Tail, rotate
from crossfade.platforms.local.balancers.counted.totals import RequestOutcome, Totals
from crossfade.platforms.local.balancers.haproxy.runtime_api import BackendTally
from crossfade.platforms.local.balancers.haproxy.settings import EACH, PREVIEW, PREVIEW_STREAM, SAMPLE, STREAM

_SERVER_ERROR = 500
_ANSWERED = 100
LOOKS = 8
_NOBODY = "<NOSRV>"
_MARKS = {"r": 1, f"{SAMPLE.decode()}r": EACH}  # how many requests the time of such a line stands for
_LEFT = frozenset("Cc")  # who ended it: the client, by closing or by saying nothing
_FIELDS = 10
_THREADS = os.cpu_count() or 64  # of a worker at most, each of which writes one line at a time; HAProxy has up to 64


Looks = deque[tuple[int, int, int]]  # closed without an answer, not in the log, and of these failed


class BackendOwner(NamedTuple):
    """What a backend stands for."""

    service: str
    group: str  # empty while no release has it


class LogLine(NamedTuple):
    """A line of the log; see `settings`. `-` is nothing."""

    mark: str  # whether it is one of the sample
    worker: str  # its pid
    service: str  # where that could not be told by the backend
    backend: str
    server: str
    ended: str  # by whom, and when: two letters, `--` for as it should be
    status: str
    retries: str  # `+1` when the last went to another server
    milliseconds: str
    kind: str


class Counts:
    """Reads the log of requests, and writes the lines of the access log that come with it."""

    def __init__(self, path: Path, requests: Path, access: Path) -> None:
        self.totals = Totals(path)
        self._requests = Tail(requests, *self.totals.positions[:1])
        self._access = access
        # By worker and backend, what of its tally was counted, and what was missing when it was looked at last.
        self._known: defaultdict[int, defaultdict[str, Counter[str]]] = defaultdict(_counters)
        self._missing: defaultdict[int, defaultdict[str, Looks]] = defaultdict(_looks)
        for worker, known in self.totals.notes.items():
            self._known[int(worker)].update({backend: Counter(sums) for backend, sums in known.items()})

    def read(self, origins: Mapping[str, BackendOwner]) -> None:
        """Take in what the log says since last time. `origins` has what each backend stands for, by its name."""
        told = []
        counted = Counter[bytes]()
        for raw in self._requests.lines():
            if raw.startswith(b"<") and not raw.startswith(SAMPLE):
                continue  # the sample's copy of a line that is there by itself
            request, brace, access = raw.partition(b" {")
            counted[request] += 1
            if brace:
                told.append(b"{" + access)
        if told:
            with self._access.open("ab") as log:
                log.write(b"\n".join([*told, b""]))
        for raw, times in counted.items():
            words = raw.decode(errors="replace").split(" ")
            if len(words) == _FIELDS and words[0] in _MARKS:  # else HAProxy's own words about its servers
                self._add(LogLine(*words), times, origins)

    def _add(self, line: LogLine, times: int, origins: Mapping[str, BackendOwner]) -> None:
        outcome = _outcome(line)
        service, group = origins.get(line.backend, BackendOwner(line.service, ""))
        if service != "-" and line.kind not in {PREVIEW, PREVIEW_STREAM}:
            self.totals.service(service).add(outcome, times)
        if group:
            self.totals.group(group).add(outcome, times)
        known = self._known[int(line.worker)][line.backend]
        known["answered" if int(line.status) >= _ANSWERED else "unanswered"] += times
        known["failed"] += times if int(line.status) >= _SERVER_ERROR else 0

    def compare(
        self, worker: int, tallies: Mapping[str, BackendTally], origins: Mapping[str, BackendOwner]
    ) -> set[str]:
        """Count what is in no log. `tallies` are what a worker said by backend, before all of the log was read.

        Those are good answers beside the sample. Of what is missing `_THREADS` may be lines that are about to be
        written; the others are counted at once, so that failures, which have lines, are seen among all requests.

        And HAProxy drops a line rather than wait for another thread that writes one, some of ten thousand on a busy
        machine; and when an instance dies under the second or a later request of a client's connection, it closes that
        without an answer and writes nothing: the client is to ask again. A request that just begins or ends can look
        like that for a moment, so only what was missing `LOOKS` times is counted. Returned are backends that have such.
        """
        for backend, tally in tallies.items():
            known, missing = self._known[worker][backend], self._missing[worker][backend]
            origin = origins.get(backend, BackendOwner("", ""))
            closed = tally.ended - tally.answered - known["unanswered"]
            failed = tally.failed - known["failed"]
            silent = max(0, tally.answered - known["answered"] - max(0, failed) - _THREADS)
            if silent:
                known.update(answered=silent)
                self._add_unlogged(origin, 0, silent, 0)
            dropped = tally.answered - known["answered"]
            missing.append((closed, dropped, min(dropped, failed)))
            if len(missing) == LOOKS:
                closed, dropped, failed = (max(0, min(looks)) for looks in zip(*missing, strict=True))
                if closed or dropped:
                    known.update(unanswered=closed, answered=dropped, failed=failed)
                    self._add_unlogged(origin, closed, dropped, failed)
                    missing.clear()
        return {backend for backend, looks in self._missing[worker].items() if looks and max(looks[-1]) > 0}

    def even(self, worker: int) -> bool:
        """Whether at the last look a worker's totals and what was counted of it were the same.

        While it answers, lines that came since hide others that are missing, and then neither has to be more.
        """
        return all(looks and looks[-1][1] == 0 for looks in self._missing[worker].values())

    def _add_unlogged(self, origin: BackendOwner, closed: int, dropped: int, failed: int) -> None:
        sums = [self.totals.service(origin.service)] if origin.service else []
        sums += [self.totals.group(origin.group)] if origin.group else []
        for cause, times in (("reset by instance", closed), ("not told by the log", failed), ("", dropped - failed)):
            for one in sums:
                one.add(RequestOutcome(milliseconds=None, cause=cause), times)

    def forget_workers(self, but: Collection[int]) -> None:
        for worker in (self._known.keys() | self._missing.keys()) - set(but):
            self._known.pop(worker, None)
            self._missing.pop(worker, None)

    def save(self) -> None:
        """Write the totals, with how far the log was read."""
        self.totals.save([self._requests.positions], {str(worker): known for worker, known in self._known.items()})

    def trim(self, limit: int) -> None:
        """Give back to the disk what was read of a log of more than `limit` bytes; it has to be saved before."""
        self._requests.give_back(limit)
        rotate(self._access, limit)

    def begin_anew(self) -> None:
        """An empty log, for a process that is about to begin: nobody has the one of before open."""
        self._requests.empty()
        self._known.clear()
        self._missing.clear()


def _counters() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


def _looks() -> defaultdict[str, Looks]:
    return defaultdict(lambda: deque(maxlen=LOOKS))


def _outcome(line: LogLine) -> RequestOutcome:
    status, (who, when) = int(line.status), (line.ended[0], line.ended[1])
    streaming = line.kind in {STREAM, PREVIEW_STREAM}
    left = who in _LEFT
    cause = ""
    if not left and not streaming and (status >= _SERVER_ERROR or status < 0 or who in "SsPIKD"):
        cause = _cause(line, who, when, status)
    return RequestOutcome(
        milliseconds=None if streaming else float(line.milliseconds.lstrip("+")),
        retried=int(line.retries.lstrip("+")),
        cause=cause,
        left=left and not streaming,
        stands_for=_MARKS[line.mark],
    )


def _cause(line: LogLine, who: str, when: str, status: int) -> str:
    """In plain words; empty for what is no failure of ours, such as an answer of 404 by ourselves."""
    unreached = "no healthy instance" if line.server == _NOBODY else "connection refused"
    failed = status >= _SERVER_ERROR
    told = {
        "-": f"{status} from instance",
        "L": "no release serving" if failed else "",
        "S": _BY_SERVER.get(when, "truncated answer"),
        "s": _BY_SILENCE.get(when, "idle timeout"),
        "P": "wrong HTTP from instance" if when in "HD" else "balancer overloaded" if failed else "",
    }.get(who, "balancer overloaded" if failed else "")
    return unreached if who in "SD" and when in "CQ" else told


# What the second letter says of when it ended: queue, connection, headers of the answer; else its data.
_BY_SERVER = {"H": "reset by instance", "R": "reset by instance"}
_BY_SILENCE = {"C": "no connection to instance", "Q": "no healthy instance", "H": "timeout"}
