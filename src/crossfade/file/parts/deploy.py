"""The way in which a new release takes over from the old one."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from crossfade.core.service import KEEPING, ChosenStrategy
from crossfade.file.part import Clash, Part
from crossfade.file.units import Duration, Number, Percent, Share, Whole

Baseline = Literal["previous", "none"]
Inconclusive = Literal["hold", "ask", "probe"]

WEEK = 7 * 86400.0


def _keep_previous(known: dict[str, Any]) -> float:
    return 600.0 if known.get("strategy") in KEEPING else 0.0


def _keep_assets(known: dict[str, Any]) -> float:
    return 0.0 if known.get("strategy") == "recreate" else 5.0


class RollbackOn(Part):
    """When a new release is bad. It is then taken back without asking."""

    error_rate: Annotated[float, Percent()] = Field(
        default=5.0, description="Largest share of requests that may fail (5xx, or no answer at all).", examples=["1%"]
    )
    p95: Annotated[float, Duration(least=0.001, most=3600)] | None = Field(
        default=None,
        description="Longest time within which 95 % of the requests must be answered. Default: not judged.",
        examples=["500ms"],
    )
    baseline: Baseline = Field(
        default="previous",
        description=(
            "`previous`: errors and a p95 that the old release had in the five minutes before are not held against the "
            "new one; `error_rate` and `p95` are for what is worse. `none`: they alone count."
        ),
        examples=["none"],
    )
    worse_than_previous: Annotated[float, Number(above=1, most=1000)] | None = Field(
        default=None,
        description=(
            "How many times worse than the old release, at the same time, the error rate or the p95 may be. "
            "Default: not compared."
        ),
        examples=[2.0],
    )
    min_requests: Annotated[int, Whole(0, 1_000_000_000)] = Field(
        default=20,
        description="Requests that must have come before they are judged; with fewer, `inconclusive` decides.",
        examples=[200],
    )
    unhealthy: Annotated[int, Whole(1, 100_000)] = Field(
        default=1, description="Instances that, once healthy, turn unhealthy before the release is bad.", examples=[1]
    )


class Deploy(Part):
    """How a new release takes over, what it is judged by, and what is kept to go back to."""

    strategy: ChosenStrategy = Field(
        default="blue-green",
        description=(
            "`blue-green`: a full new fleet beside the old one, then all traffic at once. "
            "`canary`: the same, but traffic moves in `steps`. `linear`: the same, in equal steps of `step`. "
            "`rolling`: the fleet is replaced in batches. "
            "`recreate`: the old is stopped, then the new started; requests in between fail."
        ),
        examples=["canary"],
    )
    steps: tuple[Annotated[int, Share(least=1)], ...] = Field(
        default=(10, 50, 100),
        description="canary: shares of the traffic, ascending and ending at 100.",
        examples=[[10, 50, 100]],
    )
    step: Annotated[int, Share(least=1)] = Field(
        default=20,
        description="linear: how much traffic moves each time; 20 goes 20, 40, 60, 80, 100.",
        examples=["20%"],
    )
    bake: Annotated[float, Duration(most=WEEK)] = Field(
        default=10.0,
        description="How long the new release is watched after each step before the next one.",
        examples=["5m"],
    )
    approve: tuple[Annotated[int, Share()], ...] = Field(
        default=(),
        description=(
            "Where the rollout waits for `crossfade promote`: shares of traffic it has reached (0: the new instances "
            "are healthy, nothing moved yet), or of the fleet with `rolling`: some of the `checkpoints`."
        ),
        examples=[[50]],
    )
    keep_previous: Annotated[float, Duration(most=WEEK)] = Field(
        default_factory=_keep_previous,
        description=(
            "How long the old fleet stays up after the switch, for an instant rollback. "
            "Default: 10m, and 0 for `rolling` and `recreate`, which keep none."
        ),
        examples=["1h"],
    )
    keep_assets: Annotated[float, Duration(most=3600)] = Field(
        default_factory=_keep_assets,
        description=(
            "How long a release that lost its last visitors is still asked for scripts, styles and images that only it "
            "has, because pages that it sent are being read. Default: 5s, and 0 for `recreate`, which keeps none. "
            "Not on AWS, but for hosts, nor with HAProxy: they ask no other release."
        ),
        examples=["30s"],
    )
    min_healthy: Annotated[int, Share()] = Field(
        default=100, description="rolling: share of `replicas` that stays healthy all the time.", examples=["50%"]
    )
    max_surge: Annotated[int, Share()] = Field(
        default=100,
        description="rolling: share of `replicas` that may run on top of them meanwhile.",
        examples=["25%"],
    )
    warmup: Annotated[float, Duration(most=86400)] = Field(
        default=0.0,
        description="rolling: how long a new instance must have been healthy before it counts.",
        examples=["300s"],
    )
    checkpoints: tuple[Annotated[int, Share(least=1)], ...] = Field(
        default=(),
        description="rolling: shares of the fleet, ascending, after which the rollout bakes; 100 is always the last.",
        examples=[[50, 100]],
    )
    rollback_on: RollbackOn = Field(
        default=RollbackOn.unwritten(),
        description="When the new release is bad.",
        examples=[{"error_rate": "1%", "p95": "500ms"}],
    )
    inconclusive: Inconclusive = Field(
        default="probe",
        description=(
            "What to do when fewer than `min_requests` came: `probe` sends requests of our own to the health path and "
            "judges those, `hold` bakes on until enough came, `ask` waits for `crossfade promote`."
        ),
        examples=["hold"],
    )
    crash_loop: Annotated[int, Whole(1, 1000)] = Field(
        default=3, description="Exits of new instances before the release is bad.", examples=[3]
    )
    timeout: Annotated[float, Duration(least=0.1, most=86400)] = Field(
        default=600.0,
        description="How long new instances may take to become healthy before the release is bad.",
        examples=["10m"],
    )
    retain: Annotated[int, Whole(2, 1000)] = Field(
        default=5, description="Releases that are kept to roll back to, the running one included.", examples=[5]
    )

    @property
    def traffic_steps(self) -> tuple[int, ...]:
        """Shares of the traffic that the new release gets one after the other; the last is 100."""
        if self.strategy == "canary":
            return self.steps
        if self.strategy == "linear":
            # 30 % goes 30, 60, 90, 100: the last step is the short one.
            return (*range(self.step, 100, self.step), 100)
        return (100,)

    @property
    def capacity_steps(self) -> tuple[int, ...]:
        """Shares of the fleet after which `rolling` bakes; the last is 100, written or not."""
        return self.checkpoints if 100 in self.checkpoints else (*self.checkpoints, 100)  # noqa: PLR2004 - percent

    def impossible(self) -> Iterator[Clash]:
        for key, owner in (("steps", "canary"), ("step", "linear")):
            if key in self.model_fields_set and "strategy" not in self.model_fields_set:
                found = f"{key} without a strategy, which would be {self.strategy}"
                yield Clash((key,), found, f"strategy: {owner} beside it")
        if not _ascending(self.steps) or self.steps[-1:] != (100,):
            yield Clash(("steps",), _listed(self.steps), "ascending percentages that end at 100, such as [10, 50, 100]")
        if not _ascending(self.checkpoints):
            yield Clash(("checkpoints",), _listed(self.checkpoints), "ascending percentages, such as [50, 100]")
        if self.strategy == "rolling" and (self.min_healthy, self.max_surge) == (100, 0):
            found = "min_healthy 100 with max_surge 0: no instance may stop before another starts, and none may start"
            yield Clash(("max_surge",), found, "min_healthy below 100, or max_surge above 0")
        yield from self._unreachable_approvals()

    def _unreachable_approvals(self) -> Iterator[Clash]:
        reached = {"rolling": self.capacity_steps, "recreate": (100,)}.get(self.strategy, (0, *self.traffic_steps))
        for index, share in enumerate(self.approve):
            if share not in reached:
                yield Clash(
                    ("approve", index), f"{share}, where {self.strategy} never stops", f"some of {_listed(reached)}"
                )


def _ascending(shares: Sequence[int]) -> bool:
    """True when each share is larger than the one before."""
    return all(before < after for before, after in pairwise(shares))


def _listed(shares: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shares))}]"
