"""Is the new release good? From its exits, its error rate and its latency, against thresholds and the old release."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crossfade.core.counters import NOTHING, Counters
from crossfade.core.fleet import Fleet
from crossfade.core.rollout import Hook, Rollout

# Two releases do alike when the new one's errors or p95 are at most this many times the old one's: 5 % beside 4 %.
ALIKE = 1.25
# A rate is known from a sample: of 20 requests that fail at 8 % now and then 5 fail. So much more than expected, in
# standard deviations of a count, may come by chance: beside 8 % that is up to 6 of 20, 19 of 100, 130 of 1,000.
CHANCE = 3.0
# Of fewer requests nobody can say what is usual, however few a verdict may be made of.
MEASURABLE = 20
# Whoever fails more than this share of requests is broken, and no measure for anybody.
BROKEN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`why` is one sentence that a tired person understands; not `blamed`: it is no fault of the new release."""

    ruling: Literal["good", "bad", "inconclusive"]
    why: str = ""
    blamed: bool = True


GOOD = Verdict(ruling="good")


def judge(rollout: Rollout, fleet: Fleet) -> Verdict:
    """The verdict on the rollout's target by all that is known since its step began.

    While it is smoke tested, its only requests are the test's: what they are worth is for the test to say. A worker
    has no requests at all, and is judged by whether it lives.
    """
    by_health = _by_health(rollout, fleet)
    untold = Hook.SMOKE in rollout.hooks or rollout.kind == "worker"
    return by_health or (GOOD if untold else _by_traffic(rollout, fleet))


def window(rollout: Rollout, fleet: Fleet, release: int) -> Counters:
    """What a release is judged by: what it got since the step began."""
    return fleet.counted(release).since(rollout.base(release))


def _by_health(rollout: Rollout, fleet: Fleet) -> Verdict | None:
    rules, target = rollout.strategy.rollback_on, rollout.target
    ended = [e for e in fleet.exits if e.release == target and e.at >= rollout.started_at]
    for last in ended:
        if last.final:
            return Verdict(
                ruling="bad", why=f"release {target} failed: {last.instance} {last.detail}", blamed=last.blamed
            )
    exits = [e for e in ended if e.blamed]
    if not exits:
        return None
    last = exits[-1]
    said = f"{last.instance} {last.detail}"
    fell = sum(e.was_healthy for e in exits)
    if 0 < rules.unhealthy <= fell:
        return Verdict(
            ruling="bad", why=f"release {target} lost {_plural(fell, 'instance')} that had been healthy: {said}"
        )
    if 0 < rules.crash_loop <= len(exits):
        return Verdict(ruling="bad", why=f"release {target} exited {len(exits)} times while starting: {said}")
    return None


def _by_traffic(rollout: Rollout, fleet: Fleet) -> Verdict:
    rules = rollout.strategy.rollback_on
    new, old = window(rollout, fleet, rollout.target), NOTHING
    if rollout.source is not None:
        old = window(rollout, fleet, rollout.source)
    complaints = list(_complaints(rollout, new, old))
    for complaint in complaints:
        if not complaint.alike:
            return Verdict(ruling="bad", why=complaint.why)
    if complaints:
        # The old release does just as badly at the same time: the cause is not in the new one.
        why = f"{complaints[0].why}, and release {rollout.source} does no better"
        return Verdict(ruling="inconclusive", why=why, blamed=False)
    if new.requests < rules.min_requests:
        why = f"only {new.requests} of the {rules.min_requests} requests a verdict needs came"
        return Verdict(ruling="inconclusive", why=why, blamed=False)
    return GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    """What speaks against the new release, and whether it speaks against the old one too."""

    why: str
    alike: bool = False


def _usual(rollout: Rollout) -> Counters:
    """What the old release did in the minutes before, when that is enough to be a measure; else nothing."""
    rules, usual = rollout.strategy.rollback_on, rollout.usual
    enough = usual.requests >= max(MEASURABLE, rules.min_requests) and usual.error_rate <= BROKEN
    return usual if enough and not rules.judged_alone else NOTHING


def _ordinary(usual: Counters, requests: int) -> float:
    """How many of so many requests may fail when as many fail as usual: 0 where nothing usually does."""
    expected = ALIKE * usual.error_rate * requests
    return expected + CHANCE * math.sqrt(expected)


def _complaints(rollout: Rollout, new: Counters, old: Counters) -> Iterator[_Complaint]:
    """Errors are counted against the minimum sample until that is reached.

    With 1 % of 200 the third error is too many even after ten requests: 190 good ones could not make it good again.
    """
    rules, target, usual = rollout.strategy.rollback_on, rollout.target, _usual(rollout)
    enough = max(1, rules.min_requests)
    comparable = old.requests >= enough
    allowed = rules.error_rate
    sample = max(new.requests, rules.min_requests)
    if allowed is not None and new.errors > max(allowed * sample, _ordinary(usual, sample)):
        alike = comparable and new.error_rate <= ALIKE * old.error_rate
        before = f", release {rollout.source} before {usual.error_rate:.1%}" if usual.errors else ""
        rates = f"({new.error_rate:.1%}, allowed {allowed:.1%}{before})"
        yield _Complaint(
            why=f"release {target} failed {new.errors} of {_plural(new.requests, 'request')} {rates}", alike=alike
        )
    if new.requests < enough:
        return
    p95, old_p95 = new.quantile_ms(0.95), old.quantile_ms(0.95)
    if rules.p95_ms is not None and p95 > max(rules.p95_ms, ALIKE * usual.quantile_ms(0.95)):
        yield _Complaint(
            why=f"release {target} answers 95 % of requests within {p95:.0f} ms, allowed {rules.p95_ms:.0f} ms",
            alike=comparable and p95 <= ALIKE * old_p95,
        )
    ratio = rules.worse_than_previous
    if ratio is None or not comparable:
        return
    if new.errors and new.error_rate > ratio * old.error_rate:
        yield _Complaint(
            why=f"release {target} fails {new.error_rate:.1%} of requests, "
            f"more than {ratio:g} times the old release's {old.error_rate:.1%}"
        )
    if p95 > ratio * old_p95:
        yield _Complaint(
            why=f"release {target} answers 95 % of requests within {p95:.0f} ms, "
            f"more than {ratio:g} times the old release's {old_p95:.0f} ms"
        )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
