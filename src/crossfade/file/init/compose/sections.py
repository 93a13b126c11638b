"""What stands beside the services of a Compose file: networks of others, volumes' drivers, and what is nothing here."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.addresses import network_of
from crossfade.file.init.compose.judge.features import names_of
from crossfade.file.init.compose.notes import Notes
from crossfade.file.init.compose.source.project import USUAL, Project
from crossfade.file.init.todo import Rank, Todo
from crossfade.paths import from_folder
from crossfade.source.there import is_file

_READ = frozenset({"version", "name", "services", "include", "secrets", "configs", "volumes", "networks"})
_OF_A_VOLUME = frozenset({"name", "external", "labels"})  # which one it is; what it holds is brought along
_OF_A_NETWORK = frozenset({"name", "external", "labels", "attachable"})
_USUAL = ("driver", "bridge")
_OF_PROXIES = re.compile(r"proxy|traefik|ingress|caddy|nginx", re.IGNORECASE)


def tell_sections(project: Project, notes: Notes) -> None:
    """Say what of them is not in our file."""
    _tell_override(project, notes)
    for section in project.plain:
        if section not in _READ and not section.startswith("x-"):
            notes.leave((section,), section, "crossfade has nothing like it")
    for name, settings in _declared(project, "volumes").items():
        lost = [key for key in settings if key not in _OF_A_VOLUME]
        if lost:
            why = (
                "a volume here is one of Docker's own, on this machine; a folder that has its data can be named instead"
            )
            notes.leave(("volumes", name), f"{', '.join(lost)} of the volume {name}", why)
    for name, settings in _declared(project, "networks").items():
        lost = [key for key, value in settings.items() if key not in _OF_A_NETWORK and (key, value) != _USUAL]
        if lost:
            why = "the containers of an app share one network, made as Docker makes it"
            notes.leave(("networks", name), f"{', '.join(lost)} of the network {name}", why)
            if settings.get("internal") is True:
                what = f"keep what was in the network {name} inside by a firewall: it was internal, and is not now"
                notes.todos.append(Todo(Rank.EXPOSED, "services", what))


def _tell_override(project: Project, notes: Notes) -> None:
    """Of a file that Compose lays over the usual one by itself, and not over one that is named, as here."""
    if len(project.given) != 1 or Path(project.given[0]).name not in USUAL:
        return
    named = Path(project.given[0])
    for ending in (".yaml", ".yml"):
        beside = named.with_name(f"{named.stem}.override{ending}")
        if is_file(from_folder(project.folder, str(beside.name))):
            why = f"Compose reads it where no file is named; here --from {named} --from {beside} does"
            notes.leave((), beside.name, why)


def joined(project: Project, services: Iterable[str], notes: Notes) -> str:
    """The network that these services share with containers of others; empty where there is none. One can be joined.

    One that only leads to a proxy is not needed any more.
    """
    declared = _declared(project, "networks")
    found = dict[str, str]()
    for service in services:
        compose = project.plain["services"][service]
        networks = compose.get("networks") or ([] if compose.get("network_mode") else ["default"])
        for name in networks if isinstance(networks, dict | list) else ():
            of_proxy = _OF_PROXIES.search(name) or "traefik.docker.network" in names_of(compose.get("labels"))
            if declared.get(name, {}).get("external") and not of_proxy:
                found[name] = network_of(project, name)
    named = {name: network for name, network in found.items() if network}
    first = next(iter(named.values()), "")
    for name, network in named.items():
        if network != first:
            notes.leave(("networks", name), f"network {network}", f"a file joins one network, and this one {first}")
    return first


def _declared(project: Project, section: str) -> dict[str, Any]:
    """By name; what says nothing is empty."""
    them = project.plain.get(section)
    declared = them if isinstance(them, dict) else {}
    return {name: settings if isinstance(settings, dict) else {} for name, settings in declared.items()}
