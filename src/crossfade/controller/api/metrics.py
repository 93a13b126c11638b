"""Metrics for Prometheus: the state of every service, and the totals that its balancer counted."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from crossfade import __version__
from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import CrossfadeError
from crossfade.core.rollout import State
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Traffic

CONTENT_TYPE = CONTENT_TYPE_LATEST
SERVICE = ("app", "service")
_SECOND = 1000.0  # milliseconds


async def exposition(registry: LoopRegistry, ended: Mapping[tuple[str, str], int]) -> bytes:
    """All series in Prometheus' text format; `ended` counts rollouts by (service, state).

    Of a balancer that does not answer there are no counts, and `crossfade_balancer_up` is 0.
    """
    loops = registry.of(None)
    traffic: dict[str, Traffic] = {}
    answers = True
    for loop in loops:
        if loop.ledger.kind == "web":
            try:
                traffic[loop.key] = (await registry.world.balancer.report(loop.key)).traffic
            except CrossfadeError:
                answers = False
    families = [*_about(answers=answers), *_services(loops), *_rollouts(loops, ended), *_traffic(traffic)]
    return generate_latest(_Given(families))


class _Given(Collector):
    """Series that were made before they are asked for."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _about(*, answers: bool) -> Iterator[Metric]:
    yield InfoMetricFamily("crossfade", "The controller.", value={"version": __version__})
    yield GaugeMetricFamily("crossfade_balancer_up", "1 when the balancer says what it counted.", value=answers)


def _services(loops: list[Loop]) -> Iterator[Metric]:
    release = GaugeMetricFamily("crossfade_release", "The release that has the traffic.", labels=SERVICE)
    wanted = GaugeMetricFamily("crossfade_instances_wanted", "Instances that it should have.", labels=SERVICE)
    there = GaugeMetricFamily(
        "crossfade_instances", "Instances by release and health.", labels=(*SERVICE, "release", "health")
    )
    weight = GaugeMetricFamily(
        "crossfade_traffic_share", "The share of new requests a release gets, 0 to 1.", labels=(*SERVICE, "release")
    )
    trouble = GaugeMetricFamily("crossfade_trouble", "1 when the last step of its loop failed.", labels=SERVICE)
    for loop in loops:
        names = loop.key.split("/")
        if loop.ledger.current is not None:
            release.add_metric(names, loop.ledger.current)
        wanted.add_metric(names, loop.ledger.wanted)
        for (number, health), count in sorted(Counter((i.release, i.health) for i in loop.fleet.instances).items()):
            there.add_metric([*names, str(number), health.value], count)
        weights = loop.fleet.routing.weights
        total = sum(share for _, share in weights)
        for number, share in weights:
            weight.add_metric([*names, str(number)], share / total if total else 0.0)
        trouble.add_metric(names, bool(loop.trouble))
    yield from (release, wanted, there, weight, trouble)


def _rollouts(loops: list[Loop], ended: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    active = GaugeMetricFamily("crossfade_rollout_active", "1 while a rollout is under way.", labels=SERVICE)
    last = GaugeMetricFamily(
        "crossfade_rollout_last_seconds", "How long the last rollout took.", labels=(*SERVICE, "state")
    )
    for loop in loops:
        names = loop.key.split("/")
        active.add_metric(names, loop.ledger.active is not None)
        rollout = loop.ledger.records[-1].rollout if loop.ledger.records else None
        if rollout and rollout.finished_at is not None:
            last.add_metric([*names, rollout.state.value], rollout.finished_at - rollout.started_at)
    over = CounterMetricFamily(
        "crossfade_rollouts", "Rollouts that ended since the controller began.", labels=(*SERVICE, "state")
    )
    # Prometheus sees no increase to a series' first value.
    never = {(loop.key, state.value): 0 for loop in loops for state in State if state.terminal}
    for (key, state), count in sorted({**never, **ended}.items()):
        over.add_metric([*key.split("/"), state], count)
    yield from (active, last, over)


def _traffic(traffic: dict[str, Traffic]) -> Iterator[Metric]:
    """Counters of the balancer outlive controller and balancer; a failure is a request that got no good answer."""
    requests = CounterMetricFamily("crossfade_requests", "Requests that were answered or failed.", labels=SERVICE)
    failed = CounterMetricFamily(
        "crossfade_requests_failed", "Those that got no answer, or one of 500 and above.", labels=SERVICE
    )
    causes = CounterMetricFamily(
        "crossfade_request_failures", "The same by cause, each from when it was first met.", labels=(*SERVICE, "cause")
    )
    retried = CounterMetricFamily("crossfade_request_retries", "Those that were asked again elsewhere.", labels=SERVICE)
    left = CounterMetricFamily("crossfade_requests_left", "Those whose client went away first.", labels=SERVICE)
    took = HistogramMetricFamily(
        "crossfade_request_duration_seconds", "From a request's first byte to its answer's last.", labels=SERVICE
    )
    for key, counted in sorted(traffic.items()):
        names, total = key.split("/"), counted.total
        requests.add_metric(names, total.requests)
        failed.add_metric(names, total.errors)
        retried.add_metric(names, total.retried)
        left.add_metric(names, counted.client_closed)
        for cause, count in counted.failed:
            causes.add_metric([*names, cause], count)
        if total.latency:
            buckets = [(f"{bound / _SECOND:g}", float(n)) for bound, n in total.latency if not math.isinf(bound)]
            took.add_metric(names, [*buckets, ("+Inf", float(total.latency[-1][1]))], sum_value=None)
    yield from (requests, failed, causes, retried, left, took)
