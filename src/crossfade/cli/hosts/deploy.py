"""`crossfade deploy` and `crossfade plan` over hosts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click

from crossfade.cli.call import Call, who
from crossfade.cli.file.plan import said_of
from crossfade.cli.hosts.door import listened
from crossfade.cli.hosts.journey import HostsJourney
from crossfade.cli.hosts.where import Hosts, Reached, opened, where_of
from crossfade.cli.secrets import given
from crossfade.cli.ship.screens import Screen, screen
from crossfade.core.errors import UnchangedError
from crossfade.core.rollout import State
from crossfade.platforms.hosts.shipping import Parcel, pack, unpack
from crossfade.source.listing import listing
from crossfade.source.whole import WholeSource
from crossfade.telling.text import plain, plural

Json = Mapping[str, Any]
INTERRUPTED = "the hosts stay as they are: the same deploy goes on, `crossfade abort -e {}` takes it back"


def deploy_over_hosts(call: Call, wanted: Json, *, version: str, force: bool, supersede: bool) -> int:
    """Bring the services to one host after the other; all of them end at the new release, or all go back."""
    services, secrets = given(wanted)
    hosts = opened(where_of(wanted["hosts"]))
    shown = screen(as_json=call.json)
    try:
        with shown.doing(f"reaching {', '.join(hosts.where.hosts)}"):
            hosts.open()
        journey = HostsJourney(hosts, services, shown)
        parcels = _packed(services, hosts.folder, call.state.root)
        what = _mark(services, parcels, hosts.where.hosts)
        begun = journey.left
        if begun and (begun.what != what or begun.reason or supersede):
            journey.take_back(f"{who()} deploys something else")
            begun = journey.left
        if begun and begun.reason:
            return journey.answered(call, begun)  # somebody has to look: a host cannot be told to go back
        if begun:
            journey.carried.take_up(hosts.where.hosts, who())
        _ship(hosts, services, parcels, shown)
        for index, name in enumerate(hosts.where.hosts):
            mine = _there(hosts, name, services, migrates=index == 0)
            order = {
                "services": mine,
                "environment": {},
                "by": who(),
                "path": hosts.reached[name].path,
                "version": version,
                "force": force,
                "secrets_of": secrets,
            }
            host = journey.hosts[name]
            host.goal = lambda host=host, order=order: host.deploy(order)  # type: ignore[misc]  # bound now
        if not begun:
            for host in journey.hosts.values():
                host.require_rest()
            before = {name: host.runs() for name, host in journey.hosts.items()}
            journey.carried.begin(before, what, by=who(), version=version or _version(services))
        ended = journey.carry()
        if ended.state is State.SUCCEEDED and not ended.changed:
            raise UnchangedError("all hosts run exactly this already", "change something, or use --force")
    except KeyboardInterrupt:
        click.echo(f"\n{INTERRUPTED.format(wanted['environment'])}", err=True)
        raise
    finally:
        shown.close()
    return journey.answered(call, ended)


def plan_over_hosts(call: Call, wanted: Json) -> None:
    """What a deploy would do on each host, in its order."""
    hosts = opened(where_of(wanted["hosts"]))
    hosts.open(up=False)
    plans: list[Json] = []
    for name in hosts.where.hosts:
        for there in _there(hosts, name, wanted["services"], migrates=name == hosts.where.hosts[0]):
            together = [f"{one['app']}/{one['name']}" for one in wanted["services"]]
            plans.append({"host": name, **hosts.reached[name].api.post("/v1/plan", service=there, together=together)})
    parts = [f"{one['host']}: {one['service']}\n{said_of(one)}" for one in plans]
    call.answer({"plans": plans}, plain("\n\n".join(parts)))


def _packed(services: Sequence[Json], folder: Path, state: Path) -> dict[WholeSource, Parcel]:
    """What is shipped, by what it is made of: each once, however many services run from it."""
    wholes = dict.fromkeys(_whole(one) for one in services if one["source"])
    return {whole: pack(whole, folder / f"{index}.tar", without=state) for index, whole in enumerate(wholes)}


def _ship(hosts: Hosts, services: Sequence[Json], parcels: Mapping[WholeSource, Parcel], shown: Screen) -> None:
    """Bring the files to all hosts before the first one changes."""
    if not parcels:
        return
    files = sum(parcel.files for parcel in parcels.values())

    def to(host: Reached) -> None:
        for whole, parcel in parcels.items():
            unpack(host.connection, parcel, _place(hosts, host.name, whole, services))

    with shown.doing(f"bringing {plural(files, 'file')} to {plural(len(hosts.where.hosts), 'host')}"):
        hosts.each(to)


def _place(hosts: Hosts, name: str, whole: WholeSource, services: Sequence[Json]) -> str:
    """Where what was shipped lies on a host: called after the first service that runs from it."""
    first = next(one["name"] for one in services if one["source"] and _whole(one) == whole)
    return f"{hosts.reached[name].state}/shipped/{hosts.where.home}/{first}"


def _whole(service: Json) -> WholeSource:
    return WholeSource.of(Path(service["source"]), service["also"])


def _sources(hosts: Hosts, name: str, service: Json, services: Sequence[Json]) -> dict[str, Any]:
    """Where a service's files lie on a host, as they lie to each other here."""
    if not service["source"]:
        return {}
    whole = _whole(service)
    place = PurePosixPath(_place(hosts, name, whole, services))
    also = [f"{place / Path(one).relative_to(whole.root)}{'/' * one.endswith('/')}" for one in service["also"]]
    return {"source": str(place / whole.within), "also": also}


def _there(hosts: Hosts, name: str, services: Sequence[Json], *, migrates: bool) -> list[Json]:
    """The services as a host is to run them. One database is migrated once, by the first host."""
    return [
        {
            **service,
            **_sources(hosts, name, service, services),
            "listener": {**service["listener"], "host": listened(service, hosts.where.own(name))},
            "hooks": service["hooks"] if migrates else {**service["hooks"], "migrate": ""},
        }
        for service in services
    ]


def _mark(services: Sequence[Json], parcels: Mapping[WholeSource, Parcel], hosts: Sequence[str]) -> str:
    """What tells two deploys apart."""
    told = [{**one, "source": parcels[_whole(one)].digest if one["source"] else "", "also": ()} for one in services]
    return hashlib.sha256(json.dumps([told, list(hosts)], sort_keys=True).encode()).hexdigest()


def _version(services: Sequence[Json]) -> str:
    """What the release is called: git's label, or the image's; empty where neither says anything."""
    for one in services:
        commit = listing(_whole(one)).commit() if one["source"] else None
        if commit:
            return commit.version
        if one["image"]:
            return str(one["image"]).rpartition("/")[2].rpartition(":")[2]
    return ""
