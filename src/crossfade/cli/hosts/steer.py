"""Orders over hosts: back to an earlier release, back from a journey that was left, and to every host alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from crossfade.cli.call import Call, who
from crossfade.cli.hosts.journey import HostsJourney, refused_while_left
from crossfade.cli.hosts.where import Hosts, Reached, Where, opened
from crossfade.cli.ship.screens import Screen, screen
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.hosts import HostsLedger, HostsRollout
from crossfade.core.rollout import State
from crossfade.engine.hosts.fold import DOWN, ENDED, ledger_of
from crossfade.engine.ports.hosts import HostsJournal
from crossfade.telling.text import plural

Json = Mapping[str, Any]


def rollback(call: Call, where: Where, *, service: str | None, to: str, force: bool, supersede: bool) -> int:
    """One host after the other back to an earlier release of all services; a journey that was left goes back first."""
    if service:
        raise WrongInputError(f"{service}: hosts go back to a release as a whole", f"leave {service} out")
    journey, shown = _begun(call, where)
    try:
        if journey.left:
            ended = journey.take_back(f"{who()} rolls back")
            if not supersede or not ended.state.terminal:
                return journey.answered(call, ended, wanted=ended.ending)
        target = destination(journey.carried.ledger, to, where)
        for name, host in journey.hosts.items():
            after = target.host(name).after
            host.goal = lambda host=host, after=after: host.change_to(after, force=force)  # type: ignore[misc]
        before = {name: host.runs() for name, host in journey.hosts.items()}
        what = f"back to {target.id}"
        journey.carried.begin(before, what, by=who(), version=target.version, to=target.id)
        ended = journey.carry()
    finally:
        shown.close()
    return journey.answered(call, ended)


def abort(call: Call, where: Where, *, service: str | None, reason: str) -> int:
    """Take back what was left on its way. Refused while somebody carries it: they can press Ctrl-C."""
    del service  # a journey is of all services
    journey, shown = _begun(call, where)
    try:
        if not journey.left:
            raise RefusedError(f"nothing is on its way over {where.home}", "`crossfade status` shows what runs")
        ended = journey.take_back(reason or f"aborted by {who()}")
    finally:
        shown.close()
    return journey.answered(call, ended, wanted=ended.ending)


def tell(call: Call, where: Where, verb: str, *, service: str | None) -> int:
    """Tell every host with a rollout under way to promote, pause or resume it; whoever carries it follows on."""
    hosts = opened(where)
    hosts.open(up=False)
    told: list[Json] = []
    for name, host in hosts.reached.items():
        moving = [one["name"] for one in host.api.get("/v1/status", app=where.app)["services"] if one["rollout"]]
        for one in moving if service is None else [service] if service in moving else []:
            host.api.post(f"/v1/order/{verb}", app=where.app, service=one, by=who())
            told.append({"host": name, "service": one})
    if not told:
        raise RefusedError(f"no rollout is under way on a host of {where.home}", "`crossfade status` shows what runs")
    lines = [f"{one['host']}: {where.app}/{one['service']} {_TOLD[verb]}" for one in told]
    call.answer({"hosts": told}, "\n".join(lines))
    return 0


_TOLD = {"promote": "goes on: its step is approved", "pause": "is paused", "resume": "goes on"}


def destination(ledger: HostsLedger, to: str, where: Where) -> HostsRollout:
    """The deploy whose releases come back: the last good one before what runs, or the one that is named."""
    known = {str(one.id): one for one in ledger.good} | {one.version: one for one in ledger.good if one.version}
    target = ledger.previous if to == "previous" else known.get(to)
    if target is None and to == "previous":
        raise RefusedError(f"{where.home} has no other good release to go back to", "deploy one: `crossfade deploy`")
    if target is None:
        raise WrongInputError(
            f"{where.home} has no good release {to}", f"`crossfade releases -e {where.environment}` shows them"
        )
    if target.id == ledger.current:
        raise RefusedError(f"release {target.id} is the one that runs", "name another: `crossfade releases`")
    new = [name for name in where.hosts if name not in {host.name for host in target.hosts}]
    if new:
        raise RefusedError(f"{', '.join(new)} never had release {target.id}", "deploy its commit again")
    return target


def scale(call: Call, where: Where, *, sizes: Sequence[tuple[str | None, int]], detach: bool) -> int:
    """As many instances on each host."""

    def one(host: Reached) -> list[Json]:
        return [
            host.api.post("/v1/scale", **_target(where, service), replicas=count, wait=not detach, by=who())
            for service, count in sizes
        ]

    answers = _settled(where)[0].each(one)
    has = "is to have" if detach else "has"
    lines = [
        f"{name}: {answer['service']} {has} {plural(answer['replicas'], 'instance')}"
        for name, found in answers.items()
        for answer in found
    ]
    call.answer({"hosts": [{"host": name, "services": found} for name, found in answers.items()]}, "\n".join(lines))
    return 0


def restart(call: Call, where: Where, *, service: str | None, detach: bool, force: bool) -> int:
    """Host after host; the first on which new instances exit ends it."""
    hosts, _ = _settled(where)
    answers: list[Json] = []
    for name in where.hosts:
        host = hosts.reached[name]
        target = _target(where, service)
        answer = host.api.post("/v1/restart", **target, wait=not detach, force=force, by=who())
        answers.append({"host": name, **answer})
        if answer["why"]:
            break
    does = "is being restarted" if detach else "is restarted"
    lines = [
        f"{one['host']}: {one['why']}; the old ones go on serving"
        if one["why"]
        else f"{one['host']}: {one['service']} {does}"
        for one in answers
    ]
    call.answer({"hosts": answers}, "\n".join(lines))
    return 1 if answers[-1]["why"] else 0


def down(call: Call, where: Where, *, app: str | None, service: str | None, force: bool, **other: Any) -> int:
    """Stop the app, or one service of it, on every host."""
    if wrong := next((name for name in ("only_controller", "everything", "with_data") if other[name]), ""):
        option = {"only_controller": "--controller", "everything": "--all", "with_data": "--with-data"}[wrong]
        raise WrongInputError(
            f"{option} is for one machine", f"log in to the host and use it there: ssh {where.hosts[0]}"
        )
    named, _, part = (app or where.app).partition("/")
    if named != where.app:
        raise WrongInputError(f"{named} is not the app of {where.home}", f"leave it out, or name {where.app}")
    hosts, journal = _settled(where, given_up=force and not (part or service))
    which = {"app": where.app, **({"service": part or service} if part or service else {})}
    if "service" not in which:
        journal.append(DOWN, {"by": who()})
    stopped = hosts.each(lambda host: host.api.post("/v1/down", **which, by=who(), force=force)["stopped"])
    lines = [f"{name}: stopped: {', '.join(those)}" for name, those in stopped.items()]
    call.answer({"hosts": [{"host": name, "stopped": those} for name, those in stopped.items()]}, "\n".join(lines))
    return 0


def _begun(call: Call, where: Where) -> tuple[HostsJourney, Screen]:
    from crossfade.file.deployable import deployable

    wanted = deployable(call.required().absolute(), called=str(call.required()), environment=where.environment)
    hosts, shown = opened(where), screen(as_json=call.json)
    hosts.open()
    return HostsJourney(hosts, wanted["services"], shown), shown


def _settled(where: Where, *, given_up: bool = False) -> tuple[Hosts, HostsJournal]:
    """The hosts, of which none is on its way anywhere; nobody else changes them until this command ends.

    A journey that was left is refused, unless it is `given_up`: then it is over, and its hosts are as they are.
    """
    hosts = opened(where)
    hosts.open()
    journal = hosts.journal()
    left = ledger_of(journal.events()).active
    if left and given_up:
        journal.append(ENDED, {"state": State.ABORTED, "reason": f"given up by {who()}"})
    elif left:
        way_out = f"the same deploy goes on, `crossfade abort -e {where.environment}` takes it back"
        raise RefusedError(refused_while_left(left), way_out)
    return hosts, journal


def _target(where: Where, service: str | None) -> dict[str, str]:
    """`app` and `service` as the API wants them."""
    name = service.rpartition("/")[2] if service else ""
    return {"app": where.app, "service": name} if name else {"app": where.app}
