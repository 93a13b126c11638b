"""How many hosts a policy of target tracking wants: more when all of the last minutes were busy, and never fewer."""

import pytest
from tests.rig.autoscaling.policies import tracked

POLICY = {"TargetTrackingConfiguration": {"TargetValue": 70.0}}


@pytest.mark.parametrize(
    ("warm", "recent", "wanted"),
    [
        (2, [80.0, 80.0, 80.0], 3),  # 2 x 80 / 70 is 2.3
        (2, [80.0, 69.0, 80.0], 2),  # one minute was not above it
        (2, [80.0, 80.0], 2),  # nobody knows the third
        (2, [20.0, 20.0, 20.0], 2),
        (1, [80.0, 80.0, 80.0], 2),  # the other one is not warm yet, and counts as there
    ],
)
def test_a_busy_group_grows(warm: int, recent: list[float], wanted: int) -> None:
    assert tracked(2, warm, recent, POLICY) == wanted
