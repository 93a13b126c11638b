"""The API's answers: the stable JSON shapes of status, releases and rollouts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossfade import cron
from crossfade.controller.api.stores import state_of
from crossfade.controller.deploys.builds import RunningBuild
from crossfade.controller.leftovers import Unknown
from crossfade.core.actions import (
    Action,
    Advance,
    AwaitApproval,
    AwaitHealthy,
    Bake,
    Drain,
    Effect,
    Finish,
    Hold,
    Launch,
    Move,
    Probe,
    Resize,
    RollBack,
    RunHook,
    Shift,
    StandBy,
    StartBake,
    Stop,
)
from crossfade.core.counters import Counters
from crossfade.core.fleet import Fleet, Instance
from crossfade.core.group import Group
from crossfade.core.job import Job, Run, Timetable
from crossfade.core.rollout import Rollout
from crossfade.core.routing import Routing
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.engine.ledger import Ledger, Record
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Exposed
from crossfade.engine.ports.journal import Event
from crossfade.strategies.phases import journey
from crossfade.strategies.several.group import Standing
from crossfade.strategies.verdict import window

Json = dict[str, Any]
_SOON = 1.0  # seconds of looking of which nothing can be said


def status(loop: Loop, now: float, wall: float | None = None) -> Json:
    """One service: what it is at, who runs, its jobs, and the rollout under way if there is one.

    `wall` is the time that schedules go by, where that is not `now`.
    """
    wall = now if wall is None else wall
    ledger = loop.ledger
    current = ledger.release(ledger.current) if ledger.current is not None else None
    pages = _pages(loop, now)
    return {
        "app": loop.key.split("/")[0],
        "name": loop.key.split("/")[1],
        "kind": ledger.kind,
        "release": ledger.current,
        "version": current.version if current else None,
        "replicas": ledger.wanted,
        "warm": _warm(ledger, now),
        "pages": pages,
        "locked": encode(ledger.freeze) if ledger.freeze else None,
        "trouble": loop.trouble or None,
        "stuck": {"cause": stuck.cause, "way_out": stuck.way_out} if (stuck := loop.hopeless or loop.without) else None,
        "instances": [_instance(i, loop, pages) for i in loop.fleet.instances],
        "lately": _lately(loop) if ledger.kind == "web" else None,
        "jobs": [_job(job, ledger.jobs.get(job.name), loop.runs.get(job.name), wall) for job in ledger.scheduled],
        "rollout": _under_way(ledger.active, loop, now) if ledger.active else None,
        "last": result(ledger.records[-1], ledger) if ledger.records else None,
    }


def _warm(ledger: Ledger, now: float) -> Json:
    """For how many seconds which release is kept ready. A rollout has no room for older ones: it sends them home."""
    return {} if ledger.active else {str(r): round(t - now, 1) for r, t in ledger.warm.items() if t > now}


def _pages(loop: Loop, now: float) -> Json:
    """For how many seconds which release is still asked for parts of pages that it sent."""
    ledger = loop.ledger
    if ledger.active or ledger.current is None:
        return {}
    seconds = ledger.release(ledger.current).service.strategy.keep_assets
    left = {r: round(since + seconds - now, 1) for r, since in loop.fleet.unshared if r not in ledger.warm}
    return {str(r): more for r, more in left.items() if more > 0}


def _job(job: Job, known: Timetable | None, begun: Run | None, wall: float) -> Json:
    """A job with its newest run, be it `begun` by the platform, and when the next is due."""
    run = begun or (known.run if known else None)
    return {
        "name": job.name,
        "schedule": job.schedule,
        "timezone": job.timezone,
        "next": cron.next_after(job.schedule, job.timezone, wall),
        "run": {**encode(run), "state": state_of(run)} if run else None,
        "skipped": {"due": known.since, "why": known.skipped} if known and known.skipped else None,
    }


def build(one: RunningBuild) -> Json:
    """A release that is being built."""
    return {"service": one.service, "by": one.by, "since": one.since}


def group(one: Group, standings: Mapping[str, Standing], ledgers: Mapping[str, Ledger]) -> Json:
    """A release group as `deploy --json` names it."""
    labels = {key: {r.number: r.version for r in ledger.releases} for key, ledger in ledgers.items()}
    return {
        "id": one.id,
        "app": one.app,
        "by": one.by,
        "state": one.state.value,
        "reason": one.reason,
        "since": one.started_at,
        "seconds": None if one.finished_at is None else round(one.finished_at - one.started_at, 3),
        "members": [
            {
                "service": m.service,
                "from": m.source,
                "to": m.target,
                "from_version": labels[m.service].get(m.source or 0),
                "to_version": labels[m.service].get(m.target),
                "state": standings[m.service].stand.value,
            }
            for m in one.members
        ],
    }


def unknown(one: Unknown) -> Json:
    """Something of ours that runs although no record says so."""
    return {"service": one.service, "what": one.what}


def ports(loops: Iterable[Loop], known: Mapping[str, Exposed]) -> set[int]:
    """The ports of this machine that the balancer has open for services, or is about to open."""
    services = [service for loop in loops for service in _exposed(loop.ledger)]
    services += [exposed.service for exposed in known.values()]
    wanted = {p for s in services for p in (s.listener.http, s.listener.https, s.preview.port)}
    return {port for port in wanted if port is not None}


def _exposed(ledger: Ledger) -> Iterator[Service]:
    if ledger.kind != "web":
        return
    if ledger.current is not None:
        yield ledger.release(ledger.current).service
    if ledger.active:
        yield ledger.release(ledger.active.target).service


def in_preview(routing: Routing) -> int | None:
    """The release that not all visitors have yet; one that has them is reached by everybody, whatever leads there."""
    alone = [release for release, _ in routing.weights] == [routing.preview]
    return None if alone else routing.preview


def _instance(instance: Instance, loop: Loop, pages: Json) -> Json:
    """Of a worker there is neither address nor traffic: these are None, which is not 0."""
    serves = loop.ledger.kind == "web"
    routing = loop.fleet.routing
    total = sum(weight for _, weight in routing.weights)
    group = next((g for g in routing.groups if g.release == instance.release), None)
    share = 0.0
    if group and instance.id in group.registered and total:
        share = 100 * routing.weight(instance.release) / total / len(group.registered)
    return {
        "id": instance.id,
        "release": instance.release,
        "state": _state(instance, loop, pages),
        "address": instance.address or None,
        "weight": round(share, 1) if serves else None,
        "in_flight": instance.in_flight if serves else None,
        "streams": instance.streams if serves else None,
        "detail": instance.detail,
    }


def _state(instance: Instance, loop: Loop, pages: Json) -> str:
    if instance.stopping:
        return "stopping"
    if instance.draining_since is not None and instance.up:
        return "draining"
    if instance.usable and instance.release in loop.ledger.warm:
        return "warm"
    if instance.usable and str(instance.release) in pages:
        return "kept"
    return instance.health.value


def _under_way(rollout: Rollout, loop: Loop, now: float) -> Json:
    steps = journey(rollout)
    return {
        **rollout_view(rollout, loop.ledger),
        "step": rollout.step + 1,
        "steps": [phase.label for phase in steps],
        "paused": rollout.paused,
        "since": rollout.started_at,
        "seconds": round(now - rollout.started_at, 3),
        "waiting_for": _waiting(loop, now),
        "traffic": encode(loop.window.proof()) if loop.window and rollout.kind == "web" else None,
        "judged": [
            {"release": release, **_rates(window(rollout, loop.fleet, release))}
            for release in (rollout.releases if rollout.kind == "web" else ())
        ],
        "before": None
        if rollout.source is None or rollout.kind != "web"
        else {"release": rollout.source, **_rates(rollout.usual)},
    }


def _lately(loop: Loop) -> Json | None:
    """The last minute, or as much of it as somebody looked; None by who has just begun, as each command does on AWS."""
    counted, seconds = loop.recent.lately()
    return None if seconds < _SOON else {"seconds": round(seconds, 1), **_rates(counted)}


def _rates(counted: Counters) -> Json:
    """What is not known is null: a rate of no requests, a latency of none that was timed."""
    timed = bool(counted.latency and counted.latency[-1][1])
    return {
        "requests": counted.requests,
        "failed": counted.errors,
        "error_rate": round(counted.error_rate, 5) if counted.requests else None,
        "p95_ms": round(counted.quantile_ms(0.95), 3) if timed else None,
    }


def rollout_view(rollout: Rollout, ledger: Ledger) -> Json:
    """A rollout as `deploy --json` names it; releases by number and version label."""
    labels = {r.number: r.version for r in ledger.releases}
    return {
        "id": rollout.id,
        "service": rollout.service,
        "from": rollout.source,
        "to": rollout.target,
        "from_version": labels.get(rollout.source or 0),
        "to_version": labels.get(rollout.target),
        "kind": rollout.kind,
        "strategy": rollout.strategy.name,
        "state": rollout.state.value,
        "reason": rollout.reason,
        "denied": rollout.denied,
        "group_id": rollout.group or None,
        "gone": ledger.removed,
        "by": rollout.by,
        "seconds": None if rollout.finished_at is None else round(rollout.finished_at - rollout.started_at, 3),
    }


def result(record: Record, ledger: Ledger) -> Json:
    """The record of a finished rollout with its proof: the last line of `deploy --json`.

    A worker has no traffic, and no count of it: what its old instances came to is told instead.
    """
    proof = dict(record.proof)
    if record.rollout.kind == "worker":
        ends = {name: proof.get(name, 0) for name in ("stopped", "ending", "killed")}
        ends["uncounted"] = sorted(ends.keys() & set(proof.get("uncounted", ())))
        return {"rollout": rollout_view(record.rollout, ledger), "traffic": None, "ended": ends}
    switch = proof.pop("switch_ms", None)
    return {"rollout": {**rollout_view(record.rollout, ledger), "switch_ms": switch}, "traffic": proof}


def releases(ledger: Ledger) -> list[Json]:
    """The ledger, newest first."""
    return [
        {
            "number": r.number,
            "version": r.version,
            "outcome": r.outcome.value,
            "why": r.why,
            "tags": sorted(
                [tag for tag, number in ledger.tags.items() if number == r.number]
                + (["current"] if r.number == ledger.current else [])
                + (["previous"] if ledger.previous and r.number == ledger.previous.number else [])
            ),
            "digest": r.digest,
            "git_sha": r.git_sha,
            "by": r.by,
            "at": r.at,
            "kept": r.number in ledger.retained(),
        }
        for r in reversed(ledger.releases)
    ]


def waiting(action: Action, fleet: Fleet, now: float) -> str:
    """What a wait is for, in words; of anything else, what is being done."""
    match action:
        case AwaitHealthy(release=release, ready=ready, wanted=wanted, until=until):
            why = next((f"; {i.id} {i.detail}" for i in fleet.of(release) if i.detail and not i.usable), "")
            left = "" if until is None else f", and have at most {max(0.0, until - now):.0f} s more"
            return f"{ready} of {wanted} instances of release {release} are ready{left}{why}"
        case Drain(instances=instances, until=until):
            return f"{len(instances)} {_leaving(instances, fleet)}, at most {max(0.0, until - now):.0f} s more"
        case Bake(until=until):
            return f"baking, {max(0.0, until - now):.0f} s left"
        case AwaitApproval(why=why) | Hold(why=why):
            return why
        case StandBy(release=release):
            return f"release {release} is kept warm"
        case _:
            return _doing(action)


def _leaving(instances: Iterable[str], fleet: Fleet) -> str:
    """What those that are to go do meanwhile: the ones that are still reached are reached by somebody."""
    reached = fleet.routing.registered() & set(instances)
    if not reached:
        return "draining"
    stay = any(i.id in reached and i.release in fleet.routing.pinned for i in fleet.instances)
    return "kept for visitors who stay with them" if stay else "kept for pages that they sent"


def _doing(action: Effect | Move) -> str:  # noqa: PLR0911  a table
    match action:
        case Launch(release=release, count=count):
            return f"starting {count} of release {release}"
        case Resize(release=release, count=count):
            return f"sizing release {release} to {count}"
        case Shift():
            return "moving traffic"
        case Stop(instance=instance):
            return f"stopping {instance}"
        case RunHook(hook=hook):
            return f"running the {hook} hook"
        case Probe(count=count):
            return f"sending {count} requests of our own"
        case StartBake(step=step) | Advance(step=step):
            return f"going on to step {step + 1}"
        case RollBack(reason=reason) | Finish(reason=reason):
            return reason


def _waiting(loop: Loop, now: float) -> list[str]:
    return [waiting(action, loop.fleet, now) for action in loop.waits]


def event(item: Event) -> Json:
    """One line of `crossfade events --json`."""
    return encode(item)  # type: ignore[no-any-return]  # a dict by construction
