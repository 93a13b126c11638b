"""A platform that has to be tended to go on, and cannot: it is told once, and the release is not blamed for it."""

from tests.unit.engine.in_cloud import InCloud

from crossfade.core.errors import WrongInputError
from crossfade.core.release import Outcome
from crossfade.engine.dry.cloud import CloudRuntime


class Untended(CloudRuntime):
    """Keeps sizes, and goes on with nothing."""

    async def tend(self, service: str, token: int) -> None:
        raise WrongInputError("the bucket is not there")


def test_who_cannot_go_on_says_so_once() -> None:
    """For the minute until it is taken back there are fifteen steps, and one line of why."""
    here = InCloud(Untended, by_hand=True)
    here.deploy()
    told = [event.data["error"] for event in here.journal.paper.events if event.kind == "failed"]
    assert told == ["the bucket is not there"]
    assert here.loop.ledger.releases[0].outcome is Outcome.ABORTED
    assert "the bucket is not there" in here.loop.ledger.records[-1].rollout.reason
