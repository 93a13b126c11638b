"""The exit code by which a rollout's end is known to scripts."""

import pytest

from crossfade.cli.call import Call
from crossfade.cli.ship.ending import answered
from crossfade.paths import default_state


@pytest.mark.parametrize(
    ("state", "denied", "code"),
    [("succeeded", False, 0), ("succeeded", True, 0), ("rolled_back", False, 1), ("rolled_back", True, 4)],
)
def test_what_the_platform_refused_is_no_failed_release(state: str, denied: bool, code: int) -> None:
    """Trouble of the platform, whatever became of it on the way to success."""
    rollout = {"state": state, "denied": denied, "reason": ""}
    assert answered(Call(state=default_state(), json=True), {"rollout": rollout, "traffic": None}) == code
