"""Paths of a Compose file in another folder, which are relative to that, as the project's own folder has them."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crossfade.file.reading.document import Written

_OUTSIDE = re.compile(r"(/|~|[a-z+]+://|git@|[\w.-]+\.git\b)")
_HANDED = ("secrets", "configs")


def moved(service: Written, home: Path, folder: Path) -> Written:
    """A service in its normal form with its paths relative to `folder`; in its file they are relative to `home`."""
    if home == folder:
        return service

    def path(node: Written) -> Written:
        return _moved(node, home, folder)

    for key in ("env_file", "label_file"):
        service = _each(service, key, path)
    build = service.get("build")
    if build is not None:
        build = _each(_each(build, "context", path), "additional_contexts", path)
        service = _with(service, "build", build)
    return _each(service, "volumes", lambda node: _moved_mount(node, home, folder))


def handed_moved(root: Written, home: Path, folder: Path) -> Written:
    """The same for the files of a whole file's secrets and configs."""
    for section in _HANDED if home != folder else ():
        if (them := root.get(section)) is not None:
            for name in them.value if isinstance(them.value, dict) else ():
                them = _each(them, name, lambda node: _moved(node, home, folder), below="file")
            root = _with(root, section, them)
    return root


def _each(node: Written, key: str, change: Callable[[Written], Written], below: str = "path") -> Written:
    """The mapping with its value at `key` changed: a text, each of a list or of a mapping, and `below` in a mapping of
    one of these.
    """
    value = node.get(key)
    if value is None:
        return node
    if isinstance(value.value, list):
        return _with(node, key, replace(value, value=[_one(item, change, below) for item in value.value]))
    if isinstance(value.value, dict) and below not in value.value:
        items = {name: _one(item, change, below) for name, item in value.value.items()}
        return _with(node, key, replace(value, value=items))
    return _with(node, key, _one(value, change, below))


def _one(node: Written, change: Callable[[Written], Written], below: str) -> Written:
    inner = node.get(below)
    return _with(node, below, change(inner)) if inner is not None else change(node)


def _with(node: Written, key: str, value: Written) -> Written:
    return replace(node, value={**node.value, key: value}) if isinstance(node.value, dict) else node


def _moved(node: Written, home: Path, folder: Path) -> Written:
    if not isinstance(node.value, str) or _OUTSIDE.match(node.value) or "$" in node.value[:1]:
        return node
    return replace(node, value=os.path.relpath(home / node.value, folder))


def _moved_mount(mount: Written, home: Path, folder: Path) -> Written:
    """A mount in its short or its long form; a name is no path."""
    if isinstance(mount.value, dict):
        source = mount.get("source")
        if source is None or not isinstance(source.value, str) or not source.value.startswith("."):
            return mount
        return _with(mount, "source", replace(source, value=f"./{os.path.relpath(home / source.value, folder)}"))
    if not isinstance(mount.value, str) or not mount.value.startswith("."):
        return mount
    source_text, colon, rest = mount.value.partition(":")
    return replace(mount, value=f"./{os.path.relpath(home / source_text, folder)}{colon}{rest}")
