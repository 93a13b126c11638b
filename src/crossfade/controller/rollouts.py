"""Rollouts begun and taken back: what orders and release groups do alike."""

from collections.abc import Sequence
from dataclasses import replace

from crossfade.core.counters import Counters
from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.wire import encode
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import LoadBalancer, Report, last_report

_STEPS = 2


async def add(loop: Loop, release: Release, notes: Sequence[str] = ()) -> None:
    """Put a release on record, with what is to be said of its artifact."""
    told = {"notes": list(notes)} if notes else {}
    await loop.record("release created", {"release": encode(release), **told})


async def begin(balancer: LoadBalancer, loop: Loop, rollout: Rollout) -> Rollout:
    """Put a rollout on record; the loop carries it."""
    report = Report() if rollout.kind == "worker" else await last_report(balancer, loop.key)
    usual = Counters() if rollout.source is None else loop.recent.usual(rollout.source)
    rollout = replace(rollout, baseline=tuple(sorted(report.groups.items())), usual=usual)
    ends = [loop.ledger.release(number) for number in (rollout.source, rollout.target) if number is not None]
    versions = {str(release.number): release.version for release in ends}  # for who reads no earlier event
    told = {"rollout": encode(rollout), "traffic": encode(report.traffic), "versions": versions}
    await loop.record("rollout started", told)
    loop.wake()
    return rollout


async def abort(loop: Loop, by: str, reason: str) -> None:
    """Have the rollout under way taken back."""
    await loop.record("rollout aborted", {"by": by, "reason": reason})
    loop.wake()


async def take_back(loop: Loop, by: str, reason: str) -> None:
    """The same, and return when it is over; nothing happens when there is none. PlatformError when that has to wait
    until somebody does something.
    """
    if loop.ledger.active is None:
        return
    await abort(loop, by, reason)
    steps = 0

    def over(loop: Loop) -> bool:
        nonlocal steps
        steps += 1  # the first to end may have begun before
        return loop.ledger.active is None or (steps > _STEPS and loop.hopeless is not None)

    await loop.until(over)
    if loop.ledger.active and (why := loop.hopeless):
        left = f"{loop.key} goes back as soon as that is mended"
        raise PlatformError(why.cause, f"{why.way_out}; {left}" if why.way_out else left)


async def remove(loop: Loop, by: str, taken_back: str = "") -> None:
    """Put on record that a service is to go; `taken_back` says why the release that runs is not to be kept as good."""
    await loop.record("service removed", {"by": by, "taken_back": taken_back})
