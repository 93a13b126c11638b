"""Files that Compose hands to a service: its secrets below /run/secrets, and its configs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from crossfade.file.init.compose.source.project import Project
from crossfade.source.there import is_file

_PLACES = {"secrets": "/run/secrets/", "configs": "/"}


@dataclass(frozen=True)
class Handed:
    """One entry of `secrets` or `configs`: the file that it is, from the project's folder; or why it is none."""

    section: str
    name: str
    target: str
    file: str = ""
    why: str = ""


def handed(project: Project, service: dict[str, Any]) -> Iterator[Handed]:
    """What a service is handed, with where it finds it."""
    for section, place in _PLACES.items():
        entries = service.get(section)
        for entry in entries if isinstance(entries, list) else ():
            given = entry if isinstance(entry, dict) else {"source": entry}
            name = str(given.get("source") or "")
            target = str(PurePosixPath(place) / str(given.get("target") or name))
            known = project.plain.get(section)
            origin = known.get(name) if isinstance(known, dict) else None
            yield _found(section, name, target, origin, project)


def _found(section: str, name: str, target: str, origin: Any, project: Project) -> Handed:
    kind = section.removesuffix("s")
    if not isinstance(origin, dict):
        return Handed(section, name, target, why=f"the {kind} {name} is not among the file's {section}")
    file = origin.get("file")
    if isinstance(file, str) and file:
        there = is_file(project.folder / file)
        return Handed(section, name, target, file, "" if there else f"{file} is not there")
    variable = origin.get("environment")
    said = f"it was the variable {variable}" if variable else "its text stands in the Compose file"
    return Handed(section, name, target, why=f"{said}; here it is a file" if not origin.get("external") else "external")
