"""Of which type Compose takes the keys that decide something here, and what is told of one of another."""

from collections.abc import Iterator
from typing import Any

from crossfade.file.reading.document import Written
from crossfade.file.reading.problem import Problem, shown

_TEXT = (str, int, float)
# Lists that are short for mappings are mappings by now: see `normal`.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "image": ((str,), "an image's name, such as acme/web:1"),
    "build": ((dict,), "a folder, or a mapping such as {context: .}"),
    "command": ((*_TEXT, list), "a command, or a list of its words"),
    "entrypoint": ((*_TEXT, list), "a command, or a list of its words"),
    "ports": ((list,), 'a list such as ["8080:80"]'),
    "expose": ((list,), 'a list such as ["8080"]'),
    "environment": ((dict,), "a mapping such as {LOG_LEVEL: info}, or a list of NAME=value"),
    "env_file": ((str, list), "a file, or a list of files"),
    "labels": ((dict,), "a mapping, or a list of name=value"),
    "volumes": ((list,), 'a list such as ["data:/data"]'),
    "depends_on": ((dict,), "a list of services, or a mapping"),
    "networks": ((dict,), "a list of networks, or a mapping"),
    "healthcheck": ((dict,), "a mapping such as {test: [CMD, curl, localhost]}"),
    "deploy": ((dict,), "a mapping such as {replicas: 2}"),
    "extra_hosts": ((dict,), 'a list such as ["mail:10.0.0.5"], or a mapping'),
    "profiles": ((list,), "a list such as [dev]"),
    "secrets": ((list,), "a list of secrets"),
    "configs": ((list,), "a list of configs"),
    "tmpfs": ((str, list), "a folder, or a list of folders"),
    "ulimits": ((dict,), "a mapping such as {nofile: 65536}"),
}
_SECTIONS = ("volumes", "networks", "secrets", "configs")


def of_another_type(root: Written, plain: dict[str, Any]) -> Iterator[Problem]:
    """Each key of a service, and each section, that Compose would refuse for its type; `plain` is what it says."""
    for name, service in plain["services"].items():
        for key, value in service.items() if isinstance(service, dict) else ():
            types, allowed = _TYPES.get(key, ((), ""))
            if types and value is not None and not isinstance(value, types):
                yield Problem(root.at(("services", name, key)).place, f"found {shown(value)}", allowed)
    for section in _SECTIONS:
        value = plain.get(section)
        if value is not None and not isinstance(value, dict):
            yield Problem(
                root.at((section,)).place, f"found {shown(value)}", f"a mapping such as {section}: {{data: }}"
            )
