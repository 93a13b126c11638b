"""Volumes of a service, which last beyond a release: by name, or as folders of the machine."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pydantic.json_schema import JsonSchemaValue

from crossfade.core.service import Volume
from crossfade.file.part import Clash
from crossfade.file.units import Notation
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, why_no_folder

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service
    from crossfade.file.parts.store import Store

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_ALLOWED = "SOURCE:TARGET, such as uploads:/app/uploads, or ./data:/data:ro for a folder of this machine"


@dataclass(frozen=True)
class VolumeText(Notation):
    """`uploads:/app/uploads`, `./data:/data:ro`: a name that crossfade keeps or a folder, and where it is found."""

    def read(self, value: object) -> Volume:
        if isinstance(value, Volume):
            return value
        source, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
        target, _, mode = rest.partition(":")
        is_path = source.startswith((".", "/", "~"))
        if not target or mode not in ("", "rw", "ro") or "\0" in target or not (is_path or _NAME.fullmatch(source)):
            raise ValueError(_ALLOWED)
        return Volume(source=source, target=str(PurePosixPath(target)), read_only=mode == "ro")

    def write(self, value: Volume) -> str:
        return f"{value.source}:{value.target}{':ro' if value.read_only else ''}"

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^[^:]+:[^:]+(:(ro|rw))?$"}


def wrong_volumes(service: "Service | Store") -> Iterator[Clash]:
    """Targets that an instance cannot have, or has twice."""
    targets: list[str] = []
    for index, volume in enumerate(service.volumes):
        key = ("volumes", index)
        path = PurePosixPath(volume.target)
        if service.image is not None and not path.is_absolute():
            yield Clash(key, f"{volume.target}, which is not a path in a container", "a path that begins with /")
        if service.image is None and (path.is_absolute() or ".." in path.parts or path == PurePosixPath()):
            yield Clash(key, f"{volume.target}, which is not in the source", "a path from the source, such as media")
        if service.image is None and volume.read_only:
            yield Clash(key, "a volume that a process only reads", "the same without :ro; it is a link to a folder")
        if volume.target in targets:
            yield Clash(key, f"{volume.target} a second time", "one volume there")
        elif service.image is None and (other := _nested(path, targets)):
            found = f"{volume.target} and {other}, one inside of the other"
            yield Clash(key, found, "folders beside each other: each is a link to where it lies")
        targets.append(volume.target)


def _nested(path: PurePosixPath, others: Iterable[str]) -> str:
    """Which of the others it lies in, or has in it."""
    near = (one for one in others if path.is_relative_to(one) or PurePosixPath(one).is_relative_to(path))
    return next(near, "")


def shared_by_two_kinds(services: "Mapping[str, Service]") -> Iterator[Clash]:
    """Names that a process and a container would both use: the one is a folder, the other a volume of Docker's."""
    owners: dict[str, tuple[str, str]] = {}
    for name, service in services.items():
        for index, volume in enumerate(service.volumes):
            owner, runtime = owners.setdefault(volume.source, (name, service.runtime))
            if volume.named and runtime != service.runtime:
                one, other = f"the {_called(runtime)} {owner}", f"the {_called(service.runtime)} {name}"
                found = f"{volume.source}, which {one} has and {other}"
                yield Clash(("services", name, "volumes", index), found, "a folder for both, such as ./data")


def _called(runtime: str) -> str:
    return "container" if runtime == "docker" else runtime


def missing(service: "Service | Store", folder: Path) -> Iterator[tuple[int, str, str, str]]:
    """(index, path, why, what is allowed) of each folder that is not there; containers may read files, too."""
    files = service.image is not None
    for index, volume in enumerate(service.volumes):
        there = from_folder(folder, volume.source)
        if not volume.named and not is_folder(there) and not (files and volume.read_only and is_file(there)):
            allowed = "an existing folder, or a name such as uploads, which crossfade keeps"
            yield index, volume.source, why_no_folder(there), allowed
        source = getattr(service, "source", None)
        if source is not None and is_file(from_folder(folder, source) / volume.target):
            yield index, volume.target, "which is a file of the source", "a folder there for it, such as data"
