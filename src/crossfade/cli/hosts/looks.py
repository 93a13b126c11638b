"""Looks over hosts: what runs on each, what the record says, what was written. None of them changes anything."""

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import click

from crossfade.cli.call import Call
from crossfade.cli.hosts.journey import told
from crossfade.cli.hosts.where import Hosts, Where, opened
from crossfade.cli.look.logs import query as log_query
from crossfade.cli.look.logs import shown
from crossfade.cli.look.status import NOTHING, described, only
from crossfade.core.errors import CrossfadeError
from crossfade.core.hosts import HostPhase, HostsLedger, HostsRollout
from crossfade.core.rollout import State
from crossfade.core.wire import encode
from crossfade.engine.hosts.fold import ledger_of
from crossfade.engine.ports.hosts import HostLostError
from crossfade.telling.story import Story
from crossfade.telling.text import clock, plain, table

Json = Mapping[str, Any]
_END = object()


def status(call: Call, where: Where, *, service: str | None) -> int:
    """What runs on each host, or a service of it, and the journey that is under way or was left."""
    hosts = opened(where)
    lost = {name: error.cause for name, error in hosts.open_some().items()}
    found: dict[str, Json] = {}
    for name, host in hosts.reached.items():
        try:
            there = host.api.get("/v1/status", app=where.app)
            found[name] = only(there, service.rpartition("/")[2]) if service else there
        except HostLostError:
            found[name] = {"services": []}  # its controller does not run: nothing was deployed there, or it was stopped
    ledger, trouble = _ledger(hosts)
    rows = [
        {"host": name, "trouble": lost.get(name) or None, **found.get(name, {"services": []})} for name in where.hosts
    ]
    active = ledger.active if ledger else None
    data = {
        "environment": where.home,
        "release": ledger.current if ledger else None,
        "rollout": encode(active) if active else None,
        "hosts": rows,
        "trouble": [trouble] if trouble else [],
    }
    lines = [_heading(where, ledger)] if ledger else [f"trouble: {trouble}"]
    for row in rows:
        services = "\n".join(described(service) for service in row["services"])
        lines.append(
            f"{row['host']}: {row['trouble'] or ''}".rstrip(": ") + f"\n{services or NOTHING}" * (not row["trouble"])
        )
    call.answer(data, "\n\n".join(lines))
    return 0


def releases(call: Call, where: Where, *, service: str | None) -> int:
    """The releases that went over the hosts, newest first."""
    del service  # they are of all services
    hosts = opened(where)
    hosts.open(up=False)
    ledger = ledger_of(hosts.record())
    rows = [_row(one, ledger) for one in reversed(ledger.rollouts)]
    data = {
        "environment": where.home,
        "current": ledger.current,
        "releases": [encode(one) for one in reversed(ledger.rollouts)],
    }
    head = ("RELEASE", "VERSION", "OUTCOME", "", "WHEN", "BY", "")
    call.answer(data, f"{where.home}\n{table([head, *rows])}")
    return 0


def events(call: Call, where: Where, *, service: str | None, follow: bool, limit: int) -> int:
    """The record of all journeys, and with SERVICE or --follow what happens to it on every host."""
    hosts = opened(where)
    hosts.open(up=False)
    if not service and not follow:
        for event in hosts.record()[-limit:]:
            if call.json:
                click.echo(json.dumps(encode(event)))
            for line in [] if call.json else told(event, where.home):
                click.echo(plain(f"{clock(event.at)}  {line}"))
        return 0
    which: dict[str, Any] = {"app": where.app, "service": service} if service else {"whole": where.app}
    stories: dict[tuple[str, str], Story] = {}
    for name, event in _together(hosts, "/v1/events", **which, limit=limit, follow=1 if follow else None):
        if call.json:
            click.echo(json.dumps({"host": name, **event}))
            continue
        for line in stories.setdefault((name, event["service"]), Story()).tell(event):
            click.echo(plain(f"{clock(event['at'])}  {name}  {event['service']}  {line}"))
    return 0


def logs(call: Call, where: Where, *, service: str | None, follow: bool, **wanted: Any) -> int:
    """What instances, builds, hooks and jobs wrote, on all hosts: in order, or as it comes."""
    hosts = opened(where)
    hosts.open(up=False)
    which = {"app": where.app, "service": service, **log_query(wanted)}
    found = _together(hosts, "/v1/logs", **which, follow=1 if follow else None)
    for name, said in found if follow else sorted(found, key=lambda one: float(one[1]["at"])):
        click.echo(json.dumps({"host": name, **said}) if call.json else shown(said, name))
    return 0


def _together(hosts: Hosts, path: str, **query: Any) -> Iterator[tuple[str, Any]]:
    """The lines of all hosts: as they come where they are followed, else host after host."""
    if query["follow"]:
        yield from _followed(hosts, path, query)
        return
    for name, host in hosts.reached.items():
        for line in host.api.lines(path, **query):
            yield name, line


def _followed(hosts: Hosts, path: str, query: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    heard: queue.Queue[tuple[str, Any]] = queue.Queue()

    def listen(name: str) -> None:
        try:
            for line in hosts.reached[name].api.lines(path, **query):
                heard.put((name, line))
        except CrossfadeError as error:
            heard.put((name, error))
        else:
            heard.put((name, _END))

    for name in hosts.reached:
        threading.Thread(target=listen, args=(name,), daemon=True).start()
    following = len(hosts.reached)
    while following:
        name, line = heard.get()
        if isinstance(line, CrossfadeError):
            raise line
        if line is _END:
            following -= 1
        else:
            yield name, line


def _ledger(hosts: Hosts) -> tuple[HostsLedger | None, str]:
    try:
        return ledger_of(hosts.record()), ""
    except CrossfadeError as error:
        return None, error.cause


def _heading(where: Where, ledger: HostsLedger) -> str:
    current = next((one for one in ledger.good if one.id == ledger.current), None)
    runs = f"release {current.id} ({current.version})" if current else "no release yet"
    lines = [f"{where.home}: {runs}, {len(where.hosts)} hosts"]
    if ledger.active:
        one = ledger.active
        at = ", ".join(f"{host.name} {host.stage}" for host in one.hosts)
        way = f"going back: {one.reason}" if one.reason else f"on its way to release {one.to or one.id} ({one.version})"
        lines.append(f"  {way}, by {one.by} since {clock(one.started_at)}: {at}")
    return "\n".join(lines)


def _row(one: HostsRollout, ledger: HostsLedger) -> tuple[str, ...]:
    if one.to is not None:
        what = f"back to {one.to}"
    elif one.state is State.SUCCEEDED and not one.changed:
        what = "changed nothing"
    else:
        what = one.state.value.replace("_", " ")
    mark = "current" if one.id == ledger.current else "previous" if one is ledger.previous else ""
    lost = one.reached(HostPhase.LOST)
    why = one.reason + (f"; left: {', '.join(lost)}" if lost else "")
    return (str(one.id), one.version, what, mark, clock(one.started_at), one.by, why)
