"""The record of a demo: a line a step, and the sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.load import LoadReport
from crossfade.telling.text import plural, seconds, table

BAD = 500  # only the application answers it: what the balancer answers by itself is 502, 503 or 504


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStep:
    """One step, counted by the clients and by the balancer.

    `failed` are requests that we lost: no answer, a broken one, or an error of the balancer's own. `bad_answers` are
    complete answers of 500 that the release itself gave to its share of the traffic before it was taken back.
    """

    name: str
    state: str
    expected: str
    seconds: float
    switch_ms: float | None
    requests: int
    failed: int
    bad_answers: int
    causes: Mapping[str, int]  # of what the clients met as failed, whoever is to blame
    balancer: Mapping[str, Any] | None

    @property
    def ok(self) -> bool:
        return self.state == self.expected and not self.failed

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state,
            "seconds": round(self.seconds, 3),
            "switch_ms": self.switch_ms,
            "requests": self.requests,
            "failed": self.failed,
            "bad_answers": self.bad_answers,
            "causes": dict(self.causes),
            "balancer": self.balancer,
        }

    def line(self) -> str:
        """How it ended, in one line."""
        parts = [f"{self.state.replace('_', ' ')} in {seconds(self.seconds)}"]
        if self.switch_ms is not None:
            parts.append(f"switched in {self.switch_ms:.1f} ms")
        causes = ", ".join(f"{count} {cause}" for cause, count in self.causes.items()) if self.failed else ""
        lost = f"{self.failed} lost" + (f" ({causes})" if causes else "")
        parts.append(f"clients: {plural(self.requests, 'request')}, {lost}")
        if self.bad_answers:
            parts.append(f"{self.bad_answers} answered 500 by the bad release")
        if self.balancer:
            parts.append(f"balancer: {self.balancer['requests']:,} and {self.balancer['failed']} failed")
        return " · ".join(parts)


def step(
    name: str, expected: str, result: Mapping[str, Any], took: float, report: LoadReport | None, *, bad_release: bool
) -> DemoStep:
    """The record of one rollout, from its result and from what the clients saw meanwhile."""
    rollout, proof = result.get("rollout", {}), result.get("traffic")
    bad = report.statuses.get(BAD, 0) if report and bad_release else 0
    return DemoStep(
        name=name,
        state=rollout.get("state", "failed"),
        expected=expected,
        seconds=took,
        switch_ms=rollout.get("switch_ms"),
        requests=report.requests if report else 0,
        failed=report.failed - bad if report else 0,
        bad_answers=bad,
        causes={str(cause): count for cause, count in report.causes.items()} if report else {},
        balancer={"requests": proof["requests"], "failed": proof["failed"]} if proof else None,
    )


def summary(steps: list[DemoStep]) -> dict[str, Any]:
    """`demo --json`."""
    return {
        "ok": all(one.ok for one in steps),
        "requests": sum(one.requests for one in steps),
        "failed": sum(one.failed for one in steps),
        "bad_answers": sum(one.bad_answers for one in steps),
        "steps": [one.to_json() for one in steps],
    }


def as_table(steps: list[DemoStep]) -> str:
    head = ("STEP", "STATE", "SECONDS", "SWITCH", "REQUESTS", "LOST", "500s OF ITS OWN", "BALANCER SAYS FAILED")
    rows = [
        (
            one.name,
            one.state.replace("_", " "),
            f"{one.seconds:.1f}",
            "" if one.switch_ms is None else f"{one.switch_ms:.1f} ms",
            f"{one.requests:,}",
            str(one.failed),
            str(one.bad_answers or ""),
            "" if one.balancer is None else f"{one.balancer['failed']} of {one.balancer['requests']:,}",
        )
        for one in steps
    ]
    return table([head, *rows])
