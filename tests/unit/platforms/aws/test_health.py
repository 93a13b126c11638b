"""What the load balancer says of targets, in our words."""

from typing import Any

import pytest

from crossfade.core.fleet import Health
from crossfade.platforms.aws.alb.health import TargetHealth, by_address


def said(state: str, reason: str = "", description: str = "", port: int = 80) -> dict[str, Any]:
    health = {"State": state, **({"Reason": reason, "Description": description} if reason else {})}
    return {"Target": {"Id": "10.0.0.7", "Port": port}, "TargetHealth": health}


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (said("healthy"), TargetHealth(health=Health.HEALTHY)),
        (said("initial", "Elb.RegistrationInProgress"), TargetHealth(health=Health.STARTING)),
        (
            said("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
            TargetHealth(health=Health.UNHEALTHY, detail="answered 503"),
        ),
        (
            said("unhealthy", "Target.Timeout", "Request timed out"),
            TargetHealth(health=Health.UNHEALTHY, detail="gave no answer in time"),
        ),
        (said("draining", "Target.DeregistrationInProgress"), TargetHealth(health=None, draining=True)),
        (said("unhealthy.draining", "Target.DeregistrationInProgress"), TargetHealth(health=None, draining=True)),
        (said("unused", "Target.NotInUse"), TargetHealth(health=None, unused=True)),
    ],
)
def test_states_and_reasons(told: dict[str, Any], seen: TargetHealth) -> None:
    """A target is healthy by AWS's word alone, and a complaint says what was heard."""
    assert by_address({"TargetHealthDescriptions": [told]}) == {"10.0.0.7:80": seen}


def test_of_a_target_that_comes_again_the_one_that_serves_counts() -> None:
    """An address may drain and be registered anew at the same time."""
    both = [said("draining"), said("healthy"), said("draining")]
    assert by_address({"TargetHealthDescriptions": both})["10.0.0.7:80"].health is Health.HEALTHY
