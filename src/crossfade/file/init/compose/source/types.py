"""Of which type Compose takes the keys that decide something here, and what is told of one of another."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from crossfade.file.init.compose.source.mounts import mounts_of
from crossfade.file.init.compose.source.ports import ports_of
from crossfade.file.reading.document import Written
from crossfade.file.reading.problem import Problem, shown

_NEAR = 0.84  # enviroment, port for ports, helthcheck
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
# All of a service's keys, to know a word that is one of them but for a letter.
_OF_A_SERVICE = frozenset(
    re.findall(
        r"\w+",
        "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs "
        "container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares "
        "cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt "
        "dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts gpus "
        "group_add healthcheck hostname image init ipc isolation label_file labels links logging mac_address "
        "mem_limit mem_reservation mem_swappiness memswap_limit models net network_mode networks "
        "oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles "
        "provider pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open "
        "stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode "
        "uts volume_driver volumes volumes_from working_dir",
    )
)
_OF_A_FILE = frozenset(
    {"version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models"}
)
_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_SECTIONS = ("volumes", "networks", "secrets", "configs")


def senseless(root: Written, plain: dict[str, Any]) -> Iterator[Problem]:
    """Each port and each mount that Compose would not know what to do with."""
    for name, service in plain["services"].items():
        for port in ports_of(service) if isinstance(service, dict) else ():
            if port.is_none:
                place = root.at(("services", name, "ports", port.index)).place
                yield Problem(place, f"found {shown(port.shown)}", 'a port such as "8080:80", from 1 to 65535')
        for mount in mounts_of(service) if isinstance(service, dict) else ():
            if not mount.target.strip() or mount.shown.startswith(":"):
                place = root.at(("services", name, "volumes", mount.index)).place
                yield Problem(
                    place, f"found {shown(mount.shown)}", "SOURCE:TARGET, such as data:/data or ./conf:/etc/app"
                )


def _first_wrong(value: Any) -> int | None:
    """The first item of a list of texts that is none, as in `- NAME: value`."""
    items = value if isinstance(value, list) else ()
    return next((index for index, item in enumerate(items) if isinstance(item, dict | list)), None)


def misspelt(root: Written) -> Iterator[Problem]:
    """Each key that Compose does not know and that is nearly one that it does, at the top and in a service."""
    yield from _nearly(root, _OF_A_FILE)
    services = root.get("services")
    for service in services.value.values() if services is not None and isinstance(services.value, dict) else ():
        yield from _nearly(service, _OF_A_SERVICE)


def _nearly(node: Written, known: frozenset[str]) -> Iterator[Problem]:
    for key, value in node.value.items() if isinstance(node.value, dict) else ():
        if key not in known and not key.startswith("x-") and (meant := get_close_matches(key, known, 1, _NEAR)):
            yield Problem(value.place, f"found {shown(key)}, which is not a Compose key", meant=meant[0])


def of_another_type(root: Written, plain: dict[str, Any]) -> Iterator[Problem]:
    """Each key of a service, and each section, that Compose would refuse for its type; `plain` is what it says."""
    for name, service in plain["services"].items():
        for key, value in service.items() if isinstance(service, dict) else ():
            types, allowed = _TYPES.get(key, ((), ""))
            if types and value is not None and not isinstance(value, types):
                keys = ("services", name, key)
                wrong = _first_wrong(value)
                place = root.at(keys if wrong is None else (*keys, wrong)).place
                yield Problem(place, f"found {shown(value if wrong is None else value[wrong])}", allowed)
        waits = service.get("depends_on") if isinstance(service, dict) else None
        for other, how in waits.items() if isinstance(waits, dict) else ():
            place = root.at(("services", name, "depends_on", other)).place
            if how is not None and not isinstance(how, dict):
                yield Problem(place, f"found {shown(how)}", "a mapping such as {condition: service_healthy}")
            elif how and how.get("condition", _CONDITIONS[0]) not in _CONDITIONS:
                yield Problem(
                    place, f"found the condition {shown(how['condition'])}", f"one of {', '.join(_CONDITIONS)}"
                )
    for section in _SECTIONS:
        value = plain.get(section)
        if value is not None and not isinstance(value, dict):
            yield Problem(
                root.at((section,)).place, f"found {shown(value)}", f"a mapping such as {section}: {{data: }}"
            )
