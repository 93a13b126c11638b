"""Secrets of an environment on hosts: each host keeps the values that its next release starts with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crossfade.cli.call import Call
from crossfade.cli.hosts.where import Where, opened
from crossfade.telling.text import plural

Json = Mapping[str, Any]


def fill(call: Call, where: Where, name: str, value: str, users: Sequence[str]) -> None:
    """Give every host the value. All are reached before the first has it."""
    hosts = opened(where)
    hosts.open()
    hosts.journal()  # not while a release is on its way: it would have one value here and another there
    hosts.each(lambda host: host.api.post("/v1/secrets", app=where.app, values={name: value}))
    then = f"`crossfade deploy -e {where.environment}` brings it to {', '.join(users)}"
    told = {"variable": name, "hosts": list(where.hosts)}
    call.answer(
        {"ok": True, "environment": where.environment, "secret": told},
        f"{name} has a new value on {plural(len(where.hosts), 'host')}\n  {then}",
    )


def show(call: Call, where: Where, users: Mapping[str, Sequence[str]]) -> None:
    """Which of the file's secrets each host has a value for. No value is read."""
    hosts = opened(where)
    hosts.open(up=False)
    known = hosts.each(lambda host: host.api.get("/v1/secrets", app=where.app)["secrets"])
    shown = [
        {"host": host, "variable": name, "given_at": known[host].get(name), "services": list(services)}
        for host in where.hosts
        for name, services in users.items()
    ]
    width = max(map(len, users), default=0)
    lines = [
        f"{one['host']}: {one['variable']:{width}}  {_since(one['given_at'])}  for {', '.join(one['services'])}"
        for one in shown
    ]
    text = "\n".join(lines) or f"{where.environment} has no secrets"
    call.answer({"ok": True, "environment": where.environment, "secrets": shown}, text)


def _since(at: float | None) -> str:
    if at is None:
        return "not given: the shell that deploys has it, or the last release"
    return f"given {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
