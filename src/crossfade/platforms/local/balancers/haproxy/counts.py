"""Counts from HAProxy's log: that has every request of every worker, also of those that were replaced."""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.balancers.counted.tail import Tail, rotate
from crossfade.platforms.local.balancers.counted.totals import RequestOutcome, Totals
from crossfade.platforms.local.balancers.haproxy.runtime_api import BackendTally

_SERVER_ERROR = 500
_ANSWERED = 100
LOOKS = 8
_NOBODY = "<NOSRV>"
_LEFT = frozenset("Cc")  # who ended it: the client, by closing or by saying nothing
_FIELDS = 11


Looks = deque[tuple[int, int, int]]  # closed without an answer, dropped by the log, and of these failed


class LogLine(NamedTuple):
    """A line of the log; see `settings`. `-` is nothing."""

    mark: str
    worker: str  # its pid
    service: str
    backend: str
    server: str
    ended: str  # by whom, and when: two letters, `--` for as it should be
    status: str
    retries: str  # `+1` when the last went to another server
    milliseconds: str
    stream: str
    preview: str


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

    def read(self, groups: Mapping[str, str]) -> None:
        """Take in what the log says since last time. `groups` has the group by its backend's name."""
        told = []
        counted = Counter[bytes]()
        for raw in self._requests.lines():
            request, brace, access = raw.partition(b" {")
            counted[request] += 1
            if brace:
                told.append(b"{" + access)
        if told:
            with self._access.open("ab") as log:
                log.write(b"\n".join([*told, b""]))
        for raw, times in counted.items():
            words = raw.decode(errors="replace").split(" ")
            if len(words) == _FIELDS and words[0] == "r":  # else HAProxy's own words about its servers
                self._add(LogLine(*words), times, groups)

    def _add(self, line: LogLine, times: int, groups: Mapping[str, str]) -> None:
        outcome = _outcome(line)
        if line.preview == "-" and line.service != "-":
            self.totals.service(line.service).add(outcome, times)
        if group := groups.get(line.backend):
            self.totals.group(group).add(outcome, times)
        known = self._known[int(line.worker)][line.backend]
        known["answered" if int(line.status) >= _ANSWERED else "unanswered"] += times
        known["failed"] += times if int(line.status) >= _SERVER_ERROR else 0

    def compare(self, worker: int, tallies: Mapping[str, BackendTally], groups: Mapping[str, str]) -> bool:
        """Count what is in no log. `tallies` are what a worker said by backend, before all of the log was read.

        HAProxy drops a line rather than wait for another thread that writes one, some of ten thousand on a busy
        machine. And when an instance dies under the second or a later request of a client's connection, it closes that
        without an answer and writes nothing: the client is to ask again. A request that just begins or ends can look
        like that for a moment, so only what was missing `LOOKS` times is counted. True when there is such a one.
        """
        for backend, tally in tallies.items():
            known, missing = self._known[worker][backend], self._missing[worker][backend]
            closed = tally.ended - tally.answered - known["unanswered"]
            dropped = tally.answered - known["answered"]
            missing.append((closed, dropped, min(dropped, tally.failed - known["failed"])))
            if len(missing) == LOOKS:
                closed, dropped, failed = (max(0, min(looks)) for looks in zip(*missing, strict=True))
                known.update(unanswered=closed, answered=dropped, failed=failed)
                self._add_unlogged(groups.get(backend, ""), closed, dropped, failed)
                if closed or dropped:
                    missing.clear()
        return any(looks and max(looks[-1]) > 0 for looks in self._missing[worker].values())

    def _add_unlogged(self, group: str, closed: int, dropped: int, failed: int) -> None:
        found = (("reset by instance", closed), ("not told by the log", failed), ("", dropped - failed))
        for cause, times in found if group else ():
            for sums in (self.totals.service(group.rpartition("/")[0]), self.totals.group(group)):
                sums.add(RequestOutcome(milliseconds=None, cause=cause), times)

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
    streaming = line.stream != "-"
    left = who in _LEFT
    cause = ""
    if not left and not streaming and (status >= _SERVER_ERROR or status < 0 or who in "SsPIKD"):
        cause = _cause(line, who, when, status)
    return RequestOutcome(
        milliseconds=None if streaming else float(line.milliseconds.lstrip("+")),
        retried=int(line.retries.lstrip("+")),
        cause=cause,
        left=left and not streaming,
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
