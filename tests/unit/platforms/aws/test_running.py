"""The health of a worker's task, whom no load balancer asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import HealthCheck, Service
from crossfade.platforms.aws.ecs.running import running_for

STARTED = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
WORKER = Service(app="shop", name="mailer", kind="worker", health=HealthCheck(after=20.0))
RELEASE = Release(number=1, service=WORKER, version="v1", digest="sha256:1", config_hash="")


@pytest.mark.parametrize(
    ("task", "seconds", "health"),
    [
        ({"lastStatus": "PROVISIONING"}, 60, Health.STARTING),
        ({"lastStatus": "PENDING", "startedAt": None}, 60, Health.STARTING),
        ({"lastStatus": "RUNNING", "startedAt": STARTED}, 19, Health.STARTING),
        ({"lastStatus": "RUNNING", "startedAt": STARTED}, 20, Health.HEALTHY),
        ({"lastStatus": "RUNNING", "startedAt": STARTED, "healthStatus": "UNKNOWN"}, 20, Health.HEALTHY),
        ({"lastStatus": "RUNNING", "startedAt": STARTED, "healthStatus": "UNHEALTHY"}, 90, Health.UNHEALTHY),
    ],
)
def test_a_worker_is_well_that_has_run_for_a_while(task: dict[str, Any], seconds: float, health: Health) -> None:
    """Counted from when ECS started it, not from when it was asked for; the container's own check comes first."""
    now = (STARTED + timedelta(seconds=seconds)).timestamp()
    assert running_for(task, RELEASE, now).health is health
