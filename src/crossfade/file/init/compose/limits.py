"""Limits of a container of a Compose file: how much of the machine it may use, in our words."""

from typing import Any

from crossfade.file.init.compose.notes import ServiceNotes

Settings = dict[str, Any]


def limits_of(compose: Settings, deploy: Settings, notes: ServiceNotes) -> Settings:
    """The limits of cpu and memory; whatever else is limited or reserved is told."""
    resources = deploy.get("resources")
    resources = resources if isinstance(resources, dict) else {}
    limits = resources.get("limits")
    limits = limits if isinstance(limits, dict) else {}
    for key in limits.keys() - {"cpus", "memory"}:
        notes.leave(("deploy", "resources", "limits", key), key, "crossfade limits cpu and memory")
    if resources.get("reservations") is not None:
        why = "one machine has no scheduler to reserve from"
        notes.leave(("deploy", "resources", "reservations"), "reservations", why)
    cpu, memory = limits.get("cpus", compose.get("cpus")), limits.get("memory", compose.get("mem_limit"))
    # 0 is no limit in Compose, as leaving it out is here.
    return {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value not in (None, 0, "0", "")}
