"""What `plan` says: the steps of the real loop, at the times of the file."""

from typing import Any

from crossfade.core.service import Hooks, Service, Strategy
from crossfade.engine.plan import plan


def steps(**changes: Any) -> list[tuple[float, str]]:
    service = Service(app="shop", name="web", replicas=2, **changes)
    return [(step["at"], step["do"]) for step in plan(service, None)]


def test_a_first_deploy_is_launched_previewed_and_switched() -> None:
    """Two seconds after the launch both are healthy, and have all traffic at once."""
    assert steps() == [
        (0.0, "launch 2 of release 1, wait until / is healthy"),
        (2.0, "traffic: nobody; release 1 by preview"),
        (2.0, "go on to step 2: 100 %"),
        (2.0, "traffic: release 1 100 %"),
        (2.0, "done: release 1 has all traffic"),
    ]


def test_a_bake_takes_its_time() -> None:
    """An hour of watching is planned as an hour."""
    told = steps(strategy=Strategy(bake=3600.0))
    assert told[-2:] == [(2.0, "watch step 2 (100 %) for 3600 s"), (3602.0, "done: release 1 has all traffic")]


def test_hooks_come_where_they_run() -> None:
    """The migration before anything is launched, the smoke test before anybody has traffic."""
    told = [do for _, do in steps(hooks=Hooks(migrate="./migrate", smoke="./smoke"))]
    assert told[0] == "run the migrate hook: ./migrate"
    assert told.index("run the smoke hook: ./smoke") < told.index("traffic: release 1 100 %")
