"""What `status` says of what is being done, in words of people."""

import pytest

from crossfade.controller.api.views import waiting
from crossfade.core.actions import (
    Action,
    Advance,
    Drain,
    Finish,
    Launch,
    Probe,
    Resize,
    RollBack,
    RunHook,
    Shift,
    StartBake,
    Stop,
)
from crossfade.core.rollout import Hook, State
from crossfade.core.routing import Routing


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Launch(release=2, count=3), "starting 3 of release 2"),
        (Resize(release=2, count=3), "sizing release 2 to 3"),
        (Shift(routing=Routing()), "moving traffic"),
        (Stop(instance="shop-web-1-a1b2"), "stopping shop-web-1-a1b2"),
        (RunHook(hook=Hook.SMOKE, release=2), "running the smoke hook"),
        (Probe(release=2, count=20), "sending 20 requests of our own"),
        (StartBake(step=0), "going on to step 1"),
        (Advance(step=1), "going on to step 2"),
        (RollBack(reason="release 2 exited 3 times"), "release 2 exited 3 times"),
        (Finish(state=State.SUCCEEDED, reason="release 2 has all traffic"), "release 2 has all traffic"),
        (Drain(instances=("a", "b"), until=7.0), "2 draining, at most 5 s more"),
    ],
)
def test_no_step_is_named_by_what_the_code_calls_it(action: Action, said: str) -> None:
    """Waits say what they wait for, everything else what it does."""
    assert waiting(action, 2.0) == said
