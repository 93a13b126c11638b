"""The health of a target as the load balancer sees it, in our words.

AWS's own: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import re
from dataclasses import dataclass

from crossfade.core.fleet import Health
from crossfade.platforms.aws.clients import Answer

_CODES = re.compile(r"\[(?P<codes>[\d, ]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """`health` is None for a target that gets nothing new: it drains, or belongs to no rule (`unused`)."""

    health: Health | None
    detail: str = ""
    draining: bool = False
    unused: bool = False


def by_address(answer: Answer) -> dict[str, TargetHealth]:
    """By host:port, of DescribeTargetHealth's answer; of a target that is registered twice what serves."""
    found: dict[str, TargetHealth] = {}
    for one in answer["TargetHealthDescriptions"]:
        address = f"{one['Target']['Id']}:{one['Target']['Port']}"
        seen = _target(one["TargetHealth"])
        if address not in found or not seen.draining:
            found[address] = seen
    return found


def _target(said: Answer) -> TargetHealth:
    state, reason = said["State"], said.get("Reason", "")
    match state:
        case "healthy":
            return TargetHealth(health=Health.HEALTHY)
        case "unhealthy":
            return TargetHealth(health=Health.UNHEALTHY, detail=_complaint(reason, said.get("Description", "")))
        case "draining" | "unhealthy.draining":
            return TargetHealth(health=None, draining=True)
        case "unused" if reason == "Target.NotInUse":
            return TargetHealth(health=None, unused=True)
        case _:
            return TargetHealth(health=Health.STARTING)


def _complaint(reason: str, said: str) -> str:
    if reason == "Target.ResponseCodeMismatch":
        codes = _CODES.search(said)
        return f"answered {codes['codes']}" if codes else "answered with a different code from the one it should"
    if reason == "Target.Timeout":
        return "gave no answer in time"
    if reason == "Target.FailedHealthChecks":
        return "nobody listens, or the connection fails"
    return said or reason
