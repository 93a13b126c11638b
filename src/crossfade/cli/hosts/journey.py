"""A journey over hosts as a verb makes it: taken up or begun, told while it happens, answered when it ends."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from crossfade.cli.call import Call, who
from crossfade.cli.hosts.balanced import BalancedHost
from crossfade.cli.hosts.door import address, doors
from crossfade.cli.hosts.host import ControlledHost
from crossfade.cli.hosts.where import Hosts, Where
from crossfade.cli.ship.screens import Screen
from crossfade.core.hosts import HostPhase, HostsRollout
from crossfade.core.rollout import State
from crossfade.core.wire import encode
from crossfade.engine.hosts import fold
from crossfade.engine.hosts.carry import Carried
from crossfade.engine.ports.journal import Event
from crossfade.telling.text import clock, outcome, plain, plural, sentence

Json = Mapping[str, Any]


class HostsJourney:
    """The hosts of an environment with its record, opened by whoever changes something."""

    def __init__(self, hosts: Hosts, services: Sequence[Json], screen: Screen) -> None:
        """`services` are those of the file, encoded, in the order in which they go out."""
        self.where: Where = hosts.where
        self.screen = screen
        self.hosts = {name: self._host(hosts, name, services) for name in self.where.hosts}
        self.carried = Carried(hosts.journal(), self._tell)

    @property
    def left(self) -> HostsRollout | None:
        """What somebody left on its way."""
        return self.carried.ledger.active

    def take_back(self, reason: str) -> HostsRollout:
        """Bring what was left to where it came from."""
        self.carried.take_up(self.where.hosts, who())
        self.carried.turn_back(reason)
        return self.carry()

    def carry(self) -> HostsRollout:
        return self.carried.carry(self.hosts)

    def answered(self, call: Call, ended: HostsRollout, *, wanted: State = State.SUCCEEDED) -> int:
        """How it ended, as text or JSON and as an exit code."""
        if call.json:
            click.echo(
                json.dumps(
                    {
                        "rollout": encode(ended),
                        "hosts": [{"host": name, "rollouts": list(host.results)} for name, host in self.hosts.items()],
                    }
                )
            )
        else:
            for host in self.hosts.values():
                for result in host.results:
                    click.echo(plain("\n".join(f"{host.name}: {line}" for line in outcome(result))))
            click.echo(plain(said_of(ended, self.where)))
        return 0 if ended.state is wanted else 1

    def _host(self, hosts: Hosts, name: str, services: Sequence[Json]) -> ControlledHost:
        outside, connection = self.where.outside, hosts.reached[name].connection
        asks = doors(services, connection, name, self.where.own(name))
        own = len(asks)
        if outside["url"]:
            asks.append(address(outside["url"], outside["codes"], name))
        host = partial(BalancedHost, self.where.cloud) if self.where.cloud else ControlledHost
        return host(
            hosts.reached[name],
            self.where.app,
            [one["name"] for one in services],
            self.screen,
            asks=asks,
            own=own,
            passes=outside["passes"],
            seconds=outside["timeout"],
        )

    def _tell(self, event: Event) -> None:
        for line in told(event, self.where.home):
            self.screen.say(line)


def told(event: Event, home: str) -> list[str]:
    """An event of a journey in words; some need none."""
    rule = _RULES.get(event.kind)
    return [rule(event.data, home)] if rule else []


def _began(data: Json, home: str) -> str:
    what = f"to release {data['id']} ({data['version']})" if data["to"] is None else f"back to release {data['to']}"
    return f"{home} goes {what}, one host after the other: {', '.join(data['hosts'])}"


_RULES: Mapping[str, Callable[[Json, str], str]] = {
    fold.BEGAN: _began,
    fold.TAKEN_UP: lambda data, home: f"{home} was left on its way: {data['by']} takes it up",
    fold.DOWN: lambda data, home: f"{home} was taken down by {data['by']}",
    fold.HOST_BEGUN: lambda data, _: f"{data['host']} begins",
    fold.HOST_DONE: lambda data, _: f"{data['host']} has it, and answers",
    fold.HOST_FAILED: lambda data, _: f"{data['host']} failed: {data['why']}",
    fold.GOES_BACK: lambda data, _: f"going back: {data['reason']}",
    fold.HOST_BACK: lambda data, _: f"{data['host']} runs what it ran before",
    fold.HOST_LOST: lambda data, _: f"{data['host']} could not go back: {data['why']}",
}


def said_of(one: HostsRollout, where: Where) -> str:
    """How a journey ended, in one or two sentences."""
    what = f"release {one.id} ({one.version})" if one.to is None else f"release {one.to}"
    took = f" in {one.finished_at - one.started_at:.1f} s" if one.finished_at else ""
    if one.state is State.SUCCEEDED:
        return f"{where.home} runs {what} on {plural(len(one.hosts), 'host')}{took}."
    touched = [host for host in one.hosts if host.stage is not HostPhase.WAITING]
    back = "all of them run what they ran before" if touched else "no host was touched"
    if not one.state.terminal:
        lost = ", ".join(f"{host.name} ({host.why})" for host in one.hosts if host.stage is HostPhase.LOST)
        return _sentence(
            f"{what} was taken back, but not everywhere: {sentence(one.reason)} Left: {lost}. "
            f"Mend it or take it out of `hosts`: the next `crossfade abort -e {where.environment}` or deploy ends it."
        )
    return _sentence(f"{what} was taken back: {one.reason}; {back}.")


def refused_while_left(one: HostsRollout) -> str:
    """Who left what, and when, for verbs that cannot go on with it."""
    return f"{one.by} left a journey over hosts half done at {clock(one.started_at)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
