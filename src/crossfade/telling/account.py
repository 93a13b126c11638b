"""The account of one rollout: who, what, when and why, and what its clients got, stretch by stretch.

Made of the journal's events and of nothing else, so that it can be written a year later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.core.counters import Counters
from crossfade.telling.story import Story

Event = Mapping[str, Any]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What each release got between two readings of the balancer's counters. `shares` are percent at its end.

    A release that is not in `counted` was not read at the end of it: it had gone, or had not come yet.
    """

    since: float
    until: float
    what: str
    shares: Mapping[int, float]
    counted: Mapping[int, Counters]

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAccount:
    """`result` is the record with its proof, None while the rollout is under way; `release` is the target's facts."""

    service: str
    rollout: Json  # as `rollout started` has it
    versions: Mapping[int, str]
    began: float
    known_until: float
    routed: tuple[tuple[float, Mapping[int, float]], ...]  # the shares in percent, from then on
    stretches: tuple[Stretch, ...]
    story: tuple[tuple[float, str], ...]
    result: Json | None
    release: Json | None

    @property
    def releases(self) -> tuple[int, ...]:
        """The old one first, if there was one."""
        both = (self.rollout["source"], self.rollout["target"])
        return tuple(number for number in both if number is not None)

    @property
    def traffic(self) -> bool:
        """It had some that a balancer counted: workers have none."""
        return bool(self.rollout.get("kind", "web") != "worker")


def events_of(events: Iterable[Event], rollout: int) -> Iterator[Event]:
    """The events from the beginning of a rollout to the end of its record, or to what is known."""
    inside = False
    for event in events:
        if event["kind"] == "rollout started":
            if inside:
                return
            inside = event["rollout"] == rollout
        if inside:
            yield event
            if event["kind"] == "record closed":
                return


def account(events: Iterable[Event], result: Json | None, release: Json | None) -> ReleaseAccount | None:
    """The account of the rollout that these events are of; None when its beginning is not among them."""
    found = list(events)
    if not found or found[0]["kind"] != "rollout started":
        return None
    started = found[0]
    rollout = started["data"]["rollout"]
    story = Story()
    return ReleaseAccount(
        service=started["service"],
        rollout=rollout,
        versions={int(number): version for number, version in started["data"].get("versions", {}).items()},
        began=started["at"],
        known_until=found[-1]["at"],
        routed=tuple(_routed(started, found)),
        stretches=tuple(_stretches(started, found)),
        story=tuple((event["at"], line) for event in found for line in story.tell(event)),
        result=result,
        release=release,
    )


def _routed(started: Event, events: Iterable[Event]) -> Iterator[tuple[float, Mapping[int, float]]]:
    source = started["data"]["rollout"]["source"]
    shares: Mapping[int, float] = {} if source is None else {source: 100.0}
    yield started["at"], shares
    for event in events:
        if event["kind"] == "routed" and (now := _shares(event)) != shares:
            shares = now
            yield event["at"], shares


def _shares(event: Event) -> Mapping[int, float]:
    weights = [(int(number), weight) for number, weight in event["data"]["action"]["routing"]["weights"]]
    total = sum(weight for _, weight in weights)
    return {number: 100 * weight / total for number, weight in weights} if total else {}


def _stretches(started: Event, events: Iterable[Event]) -> Iterator[Stretch]:
    """From each reading to the next. Their requests add up to the last reading less the first."""
    rollout = started["data"]["rollout"]
    if rollout.get("kind", "web") == "worker":
        return
    before = {number: _counters(counted) for number, counted in rollout.get("baseline", ())}
    since, what = started["at"], "getting ready"
    shares: Mapping[int, float] = {} if rollout["source"] is None else {rollout["source"]: 100.0}
    for event in events:
        if event["kind"] == "routed":
            shares = _shares(event)
        if event["kind"] != "move" or "counters" not in event["data"]:
            continue
        now = {number: _counters(counted) for number, counted in event["data"]["counters"]}
        counted = {number: total.since(before.get(number, Counters())) for number, total in now.items()}
        yield Stretch(since=since, until=event["at"], what=what, shares=shares, counted=counted)
        before |= now
        since, what = event["at"], _after(event["data"]["action"])


def _after(action: Json) -> str:
    match action["do"]:
        case "StartBake":
            return f"step {action['step'] + 1} watched"
        case "Advance":
            return f"going on to step {action['step'] + 1}"
        case "RollBack":
            return "taking it back"
        case _:
            return "after its end"


def _counters(said: Json) -> Counters:
    return Counters(
        requests=said["requests"],
        errors=said["errors"],
        retried=said["retried"],
        latency=tuple((float("inf") if bound is None else float(bound), count) for bound, count in said["latency"]),
    )
