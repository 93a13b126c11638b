"""The boot of a group's hosts: by which version of which launch template, be it the group's own or that of its mix.

A group with a mixed instances policy names its template there, and AWS takes the policy away from one that is told a
template of its own. A host that somebody attached by hand has none at all.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html
"""

from collections.abc import Iterable
from typing import Any

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.platforms.aws.clients import Answer

_OWN, _MIX, _SPECIFIED = "LaunchTemplate", "MixedInstancesPolicy", "LaunchTemplateSpecification"
_CONFIGURED = "LaunchConfigurationName"
_WEIGHT, _UNITS = "WeightedCapacity", "units"
_GOING = ("Terminating", "Terminated", "Detaching", "Detached")
_DEFAULT = "$Default"  # which version it is where none was ever named


def template_of(group: Answer) -> Answer:
    """What new hosts of a group boot, with its version. PlatformError for a group with a launch configuration."""
    found = _whole(group.get(_OWN) or _mixed(group).get(_SPECIFIED))
    if found is None:
        raise PlatformError(
            f"group {group['AutoScalingGroupName']} has no launch template, of which each release is a version",
            "`crossfade infra plan` shows what differs from the file",
        )
    return found


def booted_from(host: Answer) -> Answer | None:
    """What a host of a group was booted from; None for one that was attached, or has a launch configuration."""
    return _whole(host.get(_OWN))


def boots(group: Answer, template: Answer) -> dict[str, Any]:
    """What a group is told, so that its new hosts boot this. Of a mix nothing else changes."""
    if _OWN in group:
        return {_OWN: template}
    return {_MIX: {**group[_MIX], _OWN: {**_mixed(group), _SPECIFIED: template}}}


def require_ours(groups: Iterable[Answer]) -> None:
    """RefusedError for what would not become the release's, or would be lost with its group's next change of size."""
    for group in groups:
        name = group["AutoScalingGroupName"]
        own = [one.get("InstanceType", "") for one in _mixed(group).get("Overrides", ()) if one.get(_SPECIFIED)]
        if own:
            raise RefusedError(
                f"group {name} has a launch template of its own for {', '.join(own)}, and a release is one for all",
                "take `LaunchTemplateSpecification` out of the overrides of its mixed instances policy",
            )
        kind = group.get("DesiredCapacityType", _UNITS)
        if kind != _UNITS or any(one.get(_WEIGHT) for one in _mixed(group).get("Overrides", ())):
            raise RefusedError(
                f"group {name} has a size in {'weights' if kind == _UNITS else kind}, and a release counts instances",
                "take `WeightedCapacity` out of the overrides of its mixed instances policy, and have its "
                "`DesiredCapacityType` be units",
            )
        attached = [one["InstanceId"] for one in group["Instances"] if _attached(one)]
        if attached:
            raise RefusedError(
                f"somebody else attached {', '.join(attached)} to group {name}: visitors get there, no release of "
                "crossfade's runs there, and it ends when the group shrinks",
                f"`aws autoscaling detach-instances --auto-scaling-group-name {name} --instance-ids "
                f"{' '.join(attached)} --should-decrement-desired-capacity`",
            )


def _attached(host: Answer) -> bool:
    """Its group launched it from nothing, be it a launch template or a configuration, and has it still."""
    gone = host["LifecycleState"].startswith(_GOING)
    return not gone and booted_from(host) is None and _CONFIGURED not in host


def _mixed(group: Answer) -> Answer:
    found: Answer = group.get(_MIX, {}).get(_OWN, {})
    return found


def _whole(said: Answer | None) -> Answer | None:
    return said and {"LaunchTemplateId": said["LaunchTemplateId"], "Version": str(said.get("Version") or _DEFAULT)}
