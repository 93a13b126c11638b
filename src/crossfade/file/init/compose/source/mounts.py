"""Mounts of a service, and what becomes of each: told one by one."""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, is_there

_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
_FILES = re.compile(
    r".*\.(conf|cfg|ini|toml|ya?ml|json|xml|env|properties|pem|crt|key|cert|sql|sh|template|js|txt|php)|.*/\.env"
)
_OF_DOCKER = frozenset({"/", "/run", "/run/", "/var/run", "/var/run/"})  # folders with Docker's socket in them
_SYSTEM = ("/etc/localtime", "/etc/timezone", "/proc", "/sys", "/dev", "/lib/modules", "/etc/passwd", "/etc/group")
_CODE = frozenset({"/app", "/src", "/code", "/usr/src/app", "/workspace", "/var/www/html", "/srv", "/usr/src"})


@dataclass(frozen=True)
class Mount:
    """One entry of `volumes`: `source` is empty for an anonymous volume, `kind` volume, bind, tmpfs or another type."""

    index: int
    shown: str
    source: str
    target: str
    kind: str
    read_only: bool = False
    below: str = ""  # the folder of a volume that is meant
    size: str = ""  # of one in memory
    has_to_be: bool = False  # Compose does not make its folder either

    @property
    def is_socket(self) -> bool:
        return self.source.endswith(_SOCKETS) or self.target.endswith(_SOCKETS) or self.source.endswith(".sock")

    @property
    def is_of_docker(self) -> bool:
        """True for the socket by which one rules all containers."""
        return self.source.endswith(_SOCKETS) or self.source in _OF_DOCKER

    @property
    def of_machine(self) -> bool:
        """True for a path that is not the project's."""
        return self.source.startswith(("/", "~"))

    @property
    def in_memory(self) -> str:
        """As `tmpfs` has it."""
        return f"{self.target}:size={self.size}" if self.size else self.target

    @property
    def is_named(self) -> bool:
        return self.kind == "volume" and bool(self.source)


def mounts_of(service: dict[str, Any]) -> list[Mount]:
    """Every entry of `volumes`, in order."""
    entries = service.get("volumes")
    return [_mount(index, entry) for index, entry in enumerate(entries if isinstance(entries, list) else [])]


def becomes(mount: Mount, folder: Path) -> str:
    """What becomes of the mount, in a sentence. `folder` is the Compose file's."""
    if said := _not_given(mount) or _in_the_image(mount, folder):
        return said
    if mount.source:
        quoted = mount.source if re.fullmatch(r"~?[\w./-]+", mount.source) else shlex.quote(mount.source)
        return f"mkdir -p {quoted}, and write {mount.source}:{mount.target} under volumes"
    return f"write a name for it under volumes, such as data:{mount.target}"


def _not_given(mount: Mount) -> str:
    if mount.is_socket:
        return "the socket is not given to instances: whoever has it owns the machine"
    if mount.kind == "image":
        return f"copy what the image {mount.source} holds into the image: COPY --from={mount.source} / {mount.target}"
    if mount.kind not in ("volume", "bind", "tmpfs"):
        return f"a mount of the type {mount.kind} is not given to instances"
    if mount.source.startswith((*_SYSTEM, "/var/lib/docker")) or mount.source in _OF_DOCKER:
        return f"{mount.source} of the machine is not given to instances"
    return ""


def _in_the_image(mount: Mount, folder: Path) -> str:
    if mount.target.endswith(("/node_modules", "/.venv", "/vendor", "/.next")):
        return f"the image brings {mount.target}"
    if mount.kind != "bind":
        return ""
    absent = "" if is_there(_there(mount, folder)) else f"; {mount.source} does not exist"
    if mount.of_machine and (mount.read_only or _is_file(mount, folder)):  # often credentials: no part of an image
        return f"bring {mount.source}, and write {mount.source}:{mount.target}:ro under volumes" if absent else ""
    if _is_file(mount, folder):
        return f"copy {Path(mount.source).name} into the image, at {mount.target}{absent}"
    if mount.target.rstrip("/") in _CODE or mount.source in (".", "./"):
        return f"the image brings what is in {mount.target}; copy {mount.source} into it when it does not"
    return f"copy {mount.source} into the image, at {mount.target}{absent}" if mount.read_only else ""


def lasts(mount: Mount, folder: Path) -> bool:
    """True for a volume of ours: what the app writes there is there for the next release."""
    if _not_given(mount) or _in_the_image(mount, folder):
        return False
    return mount.is_named or (mount.kind == "bind" and (is_folder(_there(mount, folder)) or makes(mount, folder)))


def config_file(mount: Mount, folder: Path) -> Path | None:
    """The file that is mounted, of the project or of the machine; None where it is no file."""
    where = _there(mount, folder)
    ours = mount.kind == "bind" and (mount.of_machine or _is_below(where, folder))
    return where if ours and is_file(where) and not _not_given(mount) else None


def makes(mount: Mount, folder: Path) -> bool:
    """True for a folder of the project that is not there yet: Compose makes it when it starts, and so do we."""
    where = _there(mount, folder)
    return mount.kind == "bind" and not mount.has_to_be and not is_there(where) and _is_below(where, folder)


def given(mount: Mount) -> bool:
    """False for what no container is given: a socket of the machine, its own folders."""
    return mount.kind == "tmpfs" or not _not_given(mount)


def our_name(volume: str) -> str:
    """A name of Compose's as crossfade's file takes it."""
    return re.sub(r"[^a-z0-9_.-]", "-", volume.lower()).lstrip("0123456789_.-") or "data"


def on_this_machine(inside: str, mounts: list[Mount]) -> str:
    """Where a file of the container is on the machine, by its mounts; empty when none brings it."""
    for mount in mounts:
        target = mount.target.rstrip("/")
        if mount.kind == "bind" and (inside == target or inside.startswith(f"{target}/")):
            return mount.source.rstrip("/") + inside.removeprefix(target)
    return ""


def _is_file(mount: Mount, folder: Path) -> bool:
    there = _there(mount, folder)
    if is_folder(there):
        return False
    return is_file(there) or _FILES.fullmatch(mount.source) is not None


def _is_below(path: Path, folder: Path) -> bool:
    """Also of a link that leads to itself, which has no place: it is where it lies."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _there(mount: Mount, folder: Path) -> Path:
    return from_folder(folder, mount.source)


def _mount(index: int, entry: Any) -> Mount:
    if isinstance(entry, dict):
        source, target = str(entry.get("source") or ""), str(entry.get("target") or "")
        kind = str(entry.get("type") or "volume")
        shown = f"{source}:{target}" if source else target
        volume, memory = entry.get("volume"), entry.get("tmpfs")
        below = str(volume.get("subpath") or "") if isinstance(volume, dict) else ""
        size = str(memory.get("size") or "") if isinstance(memory, dict) else ""
        bind = entry.get("bind")
        has_to_be = isinstance(bind, dict) and bind.get("create_host_path") is False
        return Mount(index, shown, source, target, kind, bool(entry.get("read_only")), below, size, has_to_be)
    text = str(entry)
    source, colon, rest = text.partition(":")
    if not colon:
        return Mount(index, text, "", text, "volume")
    target, _, options = rest.partition(":")
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    return Mount(index, text, source, target, kind, "ro" in options.split(","))
