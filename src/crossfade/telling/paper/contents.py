"""The contents of a report, whatever paper it is on: facts, and rows of a table."""

import time
from collections.abc import Sequence

from crossfade.core.counters import Counters
from crossfade.telling.account import Json, ReleaseAccount
from crossfade.telling.text import outcome, release, seconds

STRETCHES = ("from", "for", "what", "release", "traffic", "requests", "failed", "p50", "p95")


def title(account: ReleaseAccount) -> str:
    return f"Rollout {account.rollout['id']} of {account.service}"


def summary(account: ReleaseAccount) -> list[str]:
    """The sentence that matters, then the proof; or that it is not over."""
    if account.result is None:
        return [f"It is not over: what follows is what was known at {moment(account.known_until)}."]
    return outcome(account.result)


def facts(account: ReleaseAccount) -> list[tuple[str, str]]:
    """Who, what, when, why, as (name, value)."""
    rollout, made = account.rollout, account.release
    old, new = rollout["source"], rollout["target"]
    known = [
        ("from", release(old, account.versions.get(old)) if old is not None else "nothing: it was the first"),
        ("to", release(new, account.versions.get(new) or (made or {}).get("version"))),
        ("by", rollout["by"] or "not known"),
        ("began", moment(account.began)),
        ("strategy", _strategy(rollout)),
    ]
    if account.result:
        ended = account.result["rollout"]
        known.append(("took", seconds(ended["seconds"] or 0)))
        known.append(("ended", ended["state"].replace("_", " ")))
        known.append(("because", ended["reason"]))
        if ended.get("group_id"):
            known.append(("together with", f"the services of release group {ended['group_id']}"))
    if made:
        known.append(("source", made["git_sha"] or "no commit is known"))
        known.append(("artifact", made["digest"]))
        known.append(("the release since", f"{made['outcome']}{': ' + made['why'] if made['why'] else ''}"))
    return known


def stretches(account: ReleaseAccount) -> list[tuple[str, ...]]:
    """A row for each stretch and release, as STRETCHES names its columns. What nobody counted has a dash."""
    rows = []
    for one in account.stretches:
        for number in account.releases:
            counted = one.counted.get(number)
            begins = (
                (clock(one.since), seconds(one.seconds), one.what) if number == account.releases[0] else ("", "", "")
            )
            share = f"{one.shares.get(number, 0):.3g} %"
            rows.append((*begins, release(number, account.versions.get(number)), share, *_counted(counted)))
    return rows


def unsaid(account: ReleaseAccount) -> list[str]:
    """What a reader might take for granted and should not."""
    if not account.traffic:
        return ["A worker has no traffic, so none was counted."]
    said = [
        "Counted by the balancer, from one step of the rollout to the next; p50 and p95 are read from its buckets.",
        "Without a request there is no latency, and of a release that had gone no reading: there a dash stands.",
    ]
    if account.result:
        said.append("The record above goes on until the last old request ended, so it may count more than the table.")
    return said


def moment(at: float) -> str:
    """A time with its day and zone: paper is read on other days."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _counted(counted: Counters | None) -> Sequence[str]:
    if counted is None:
        return ("-", "-", "-", "-")
    timed = bool(counted.latency and counted.latency[-1][1])
    quick = [f"{counted.quantile_ms(q):.1f} ms" if timed else "-" for q in (0.5, 0.95)]
    return (f"{counted.requests:,}", f"{counted.errors:,}", *quick)


def _strategy(rollout: Json) -> str:
    strategy = rollout["strategy"]
    steps = (
        ", ".join(f"{step} %" for step in strategy.get("steps") or ())
        if strategy["name"] in {"canary", "linear"}
        else ""
    )
    bake = f", each watched for {seconds(strategy['bake'])}" if strategy.get("bake") else ""
    return f"{strategy['name']}{': ' + steps if steps else ''}{bake}"
