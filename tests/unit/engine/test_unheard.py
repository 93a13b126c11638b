"""Requests of our own that do not arrive: they are told of once, and again when why changes."""

from collections.abc import Mapping

from tests.unit.engine.in_cloud import InCloud

from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck, RollbackOn, Strategy


class Unheard:
    """A load balancer that this machine does not reach, for a reason that changes after five times."""

    def __init__(self) -> None:
        self.asked = 0

    async def visit(self, _url: str, _headers: Mapping[str, str], _count: int, _patience: float) -> None:
        self.asked += 1
        why = "nobody answers" if self.asked <= 5 else "the name is not known"
        raise PlatformError(f"requests of our own do not arrive: {why}", "check whether this machine can reach it")


def test_what_does_not_arrive_is_told_once() -> None:
    """Until the timeout takes the release back it is tried many times; each reason is one line, so is the trying."""
    unheard = Unheard()
    strategy = Strategy(bake=10.0, rollback_on=RollbackOn(min_requests=20))
    here = InCloud(timeout=120.0, strategy=strategy, visit=unheard.visit)
    here.deploy()
    events = here.journal.paper.events
    assert unheard.asked > 6
    assert [event.kind for event in events if event.data.get("action", {}).get("do") == "Probe"] == ["intent"]
    told = [event.data["error"] for event in events if event.kind == "failed"]
    assert len(told) == 2
    assert ("nobody answers" in told[0], "is not known" in told[1]) == (True, True)


def test_a_release_is_given_as_long_as_its_health_check() -> None:
    """It is the same path that is asked: one that may take 15 s is not given up after 10 s."""
    patiences = []

    async def visit(_url: str, _headers: Mapping[str, str], _count: int, patience: float) -> None:
        patiences.append(patience)

    strategy = Strategy(bake=10.0, rollback_on=RollbackOn(min_requests=20))
    InCloud(timeout=120.0, strategy=strategy, visit=visit, health=HealthCheck(timeout=15.0)).deploy()
    assert set(patiences) == {15.0}
