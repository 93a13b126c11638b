"""Needs of a service of a Compose file: what it had of the machine and has no more, without which it may not work."""

from typing import Any

from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.todo import Rank

# Without these most programs that ask for them do not work at all.
_HARDWARE = ("devices", "gpus", "runtime", "models", "volumes_from", "device_cgroup_rules")
_RIGHTS = (
    *("privileged", "network_mode", "pid", "ipc", "uts", "userns_mode", "group_add", "sysctls", "security_opt", "dns"),
    *("external_links", "mac_address", "domainname", "cgroup", "credential_spec"),
)
_AROUND = ("post_start", "pre_stop")


def tell_needs(compose: dict[str, Any], deploy: dict[str, Any], notes: ServiceNotes) -> None:
    """Say what is to be looked at before a deploy, for no instance gets it."""
    hardware = [key for key in _HARDWARE if compose.get(key)]
    if _reserves_devices(deploy):
        hardware.append("deploy.resources.reservations.devices")
    if hardware:
        what = f"leave it in Compose, or have it work without {', '.join(hardware)}, which instances do not get"
        notes.todo(Rank.NEVER_HEALTHY, "", what)
    if around := [key for key in _AROUND if compose.get(key)]:
        notes.todo(Rank.MISSING, "hooks", f"have the service itself do what {', '.join(around)} did")
    if rights := [key for key in _RIGHTS if compose.get(key)]:
        notes.todo(Rank.ASSUMED, "", f"see that it works without {', '.join(rights)}, which instances do not get")


def _reserves_devices(deploy: dict[str, Any]) -> bool:
    resources = deploy.get("resources")
    reserved = resources.get("reservations") if isinstance(resources, dict) else None
    return isinstance(reserved, dict) and bool(reserved.get("devices"))
