"""Files that Compose hands to a service: its secrets below /run/secrets, and its configs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from crossfade.file.init.compose.source.project import Project
from crossfade.file.reading.document import Keys
from crossfade.file.reading.problem import shown
from crossfade.paths import from_folder
from crossfade.source.there import is_file, why_no_file

_PLACES = {"secrets": "/run/secrets/", "configs": "/"}


@dataclass(frozen=True)
class Handed:
    """One entry of `secrets` or `configs`: the file that it is, from the project's folder; or why it is none, and the
    keys that say so.
    """

    section: str
    name: str
    target: str
    file: str = ""
    why: str = ""
    keys: Keys = ()
    rights: tuple[str, ...] = ()  # what is said of its owner and mode


def handed(project: Project, name: str) -> Iterator[Handed]:
    """What a service is handed, with where it finds it."""
    service = project.plain["services"][name]
    for section, place in _PLACES.items():
        entries = service.get(section)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            given = entry if isinstance(entry, dict) else {"source": entry}
            called = str(given.get("source") or "")
            target = str(PurePosixPath(place) / str(given.get("target") or called))
            rights = tuple(key for key in ("uid", "gid", "mode") if key in given)
            yield replace(_found(project, section, called, target, ("services", name, section, index)), rights=rights)


def _found(project: Project, section: str, name: str, target: str, asked: Keys) -> Handed:
    declared = project.plain.get(section)
    known = declared if isinstance(declared, dict) else {}
    origin = known.get(name)
    if not isinstance(origin, dict):
        allowed = f"one of {', '.join(known)}" if known else f"a name that {section} of the file has, which are none"
        why = f"found {shown(name)}, which is none of the file's {section}; allowed: {allowed}"
        return Handed(section, name, target, why=why, keys=asked)
    file = origin.get("file")
    if isinstance(file, str) and file:
        there = from_folder(project.folder, file)
        why = "" if is_file(there) else f"found {shown(file)}, {why_no_file(there)}"
        return Handed(section, name, target, file, why, (section, name, "file"))
    variable = origin.get("environment")
    said = f"it was the variable {variable}" if variable else "its text stands in the Compose file"
    why = "it is external, which no file tells" if origin.get("external") else f"{said}; here it is a file"
    return Handed(section, name, target, why=why, keys=(section, name))
