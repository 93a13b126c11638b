"""The health of a task that no load balancer asks: a worker is well that has run for a while."""

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.clients import Answer

_SICK = "UNHEALTHY"  # by the container's own check, where Terraform gave it one


def running_for(task: Answer, release: Release | None, now: float) -> TargetHealth:
    """Healthy once it has run for as long as the release's file says; what ECS's own check says comes first."""
    if task.get("healthStatus") == _SICK:
        return TargetHealth(health=Health.UNHEALTHY, detail="the container's own check failed")
    started, after = task.get("startedAt"), (release.service.health.after if release else None) or 0.0
    if task["lastStatus"] != "RUNNING" or started is None or now - started.timestamp() < after:
        return TargetHealth(health=Health.STARTING, detail=f"is healthy once it has run for {after:g} s")
    return TargetHealth(health=Health.HEALTHY)
