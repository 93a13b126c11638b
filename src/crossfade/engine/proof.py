"""The proof of a rollout: what its clients got while it happened, counted by the balancer."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from crossfade.core.counters import Counters
from crossfade.core.wire import decode
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One rollout's window. `failed` sums to the requests that got no answer or one of 500 and above."""

    requests: int = 0
    failed: int = 0
    causes: dict[str, int] = field(default_factory=dict)
    retried: int = 0
    drained: int = 0  # requests that were in flight on an instance when it got its last one, and were allowed to finish
    cut: int = 0  # of those, the ones that outlasted the deregistration delay
    streams_closed: int = 0  # WebSocket and SSE connections that were told to close
    stopped: int = 0  # instances that were told to go and are gone
    ending: int = 0  # those that were told to go and are not gone yet
    killed: int = 0  # of the stopped, the ones that SIGKILL ended after their grace: what they were at is lost
    client_closed: int = 0
    balancer_deaths: int = 0  # what the balancer held when it died is known to the clients alone
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    switch_ms: float | None = None
    uncounted: list[str] = field(default_factory=list)  # which of these the balancer cannot tell: their 0 says nothing


class ProofWindow:
    """Adds up traffic from the moment it is opened; of totals that stay behind those read before, it says so."""

    def __init__(self, start: Traffic) -> None:
        self._last = start
        self._total = Counters()
        self._failed: Counter[str] = Counter()
        self._client_closed = 0
        self._balancer_deaths = 0
        self._drained = 0
        self._stopped: dict[str, tuple[int, int]] = {}  # instance -> in flight, streams when it was told to go
        self._killed: dict[str, bool] = {}  # by instance that is gone
        self._switch_ms: float | None = None
        self._uncounted: set[str] = set()
        self._behind = False  # the last totals were lower than those before

    def note(self, event: Event) -> None:
        """Take in what the loop did: a routing that silenced instances, a stop of one that still held something."""
        self._uncounted.update(event.data.get("uncounted", ()))
        if event.kind == "routed":
            self._drained += event.data["drained"]
            if event.data["switched"]:
                self._switch_ms = event.data["ms"]
        elif event.kind == "intent" and event.data["action"]["do"] == "Stop":
            instance = event.data["action"]["instance"]
            _, told = self._stopped.get(instance, (0, 0))  # by a controller that died: some may have closed since
            self._stopped[instance] = (event.data["in_flight"], max(told, event.data["streams"]))
        elif event.kind == "done" and event.data["action"]["do"] == "Stop":
            self._killed[event.data["action"]["instance"]] = event.data.get("killed", False)

    def add(self, now: Traffic) -> None:
        """Take in what was counted since the last call.

        Totals only grow. Lower ones are an older reading: of a list that was a moment behind, or of an adapter that had
        yet to write down what it counted last when its controller was killed. Nothing in them is new.
        """
        self._uncounted.update(now.uncounted)
        self._behind = now.total.requests < self._last.total.requests
        if self._behind or now == self._last:
            return
        now = _highest(now, self._last)
        self._total += now.total.since(self._last.total)
        if now.failed != self._last.failed:
            self._failed += Counter(dict(now.failed))
            self._failed -= Counter(dict(self._last.failed))
        self._client_closed += now.client_closed - self._last.client_closed
        self._balancer_deaths += now.balancer_deaths - self._last.balancer_deaths
        self._last = now

    @property
    def ending(self) -> frozenset[str]:
        """Instances that were told to go, of whom it is not on record that they are gone."""
        return frozenset(self._stopped.keys() - self._killed.keys())

    def proof(self) -> Proof:
        return Proof(
            requests=self._total.requests,
            failed=self._total.errors,
            causes={cause: n for cause, n in sorted(self._failed.items()) if n},
            retried=self._total.retried,
            drained=self._drained,
            cut=sum(in_flight for in_flight, _ in self._stopped.values()),
            streams_closed=sum(streams for _, streams in self._stopped.values()),
            stopped=len(self._killed),
            ending=len(self.ending),
            killed=sum(self._killed.values()),
            client_closed=self._client_closed,
            balancer_deaths=self._balancer_deaths,
            p50_ms=round(self._total.quantile_ms(0.5), 3),
            p99_ms=round(self._total.quantile_ms(0.99), 3),
            switch_ms=self._switch_ms,
            uncounted=sorted(self._uncounted | ({"requests", "failed"} if self._behind else set())),
        )


def _highest(now: Traffic, before: Traffic) -> Traffic:
    """`now`, with what is lower in it as it was before: of one that went down and up again, nothing counts twice."""
    errors, retried = max(now.total.errors, before.total.errors), max(now.total.retried, before.total.retried)
    total, failed = now.total, now.failed
    if (errors, retried) != (total.errors, total.retried):
        total = replace(total, errors=errors, retried=retried)
    if failed != before.failed:
        failed = tuple(sorted((Counter(dict(now.failed)) | Counter(dict(before.failed))).items()))
    return Traffic(
        total=total,
        failed=failed,
        client_closed=max(now.client_closed, before.client_closed),
        balancer_deaths=max(now.balancer_deaths, before.balancer_deaths),
    )


def reopen(events: Iterable[Event]) -> ProofWindow:
    """The window of a rollout that a controller before us began, from what its journal holds from there on."""
    window = ProofWindow(Traffic())
    for event in events:
        if event.kind == "rollout started":
            window = ProofWindow(decode(Traffic, event.data["traffic"]))
        else:
            window.note(event)
    return window
