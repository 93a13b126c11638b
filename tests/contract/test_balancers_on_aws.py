"""What every LoadBalancer keeps, kept by the Application Load Balancer on the rig, as far as it is its own to keep."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.contract import test_balancers as suite
from tests.contract.alb_kit import LAG, NOT_ITS_OWN, PACE, AlbKit, alb
from tests.rig import Rig
from tests.support.on_ecs import reached

pytestmark = pytest.mark.long
SUITE = {name: test for name, test in vars(suite).items() if name.startswith("test_")}
globals().update({name: test for name, test in SUITE.items() if name not in NOT_ITS_OWN})


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=LAG) as rig, reached(rig):
        yield rig


@pytest.fixture
async def lb(rig: Rig) -> AsyncIterator[AlbKit]:
    async with alb(rig) as made:
        yield made


def test_nothing_of_the_suite_is_passed_over_in_silence() -> None:
    """What is not kept here is in the suite, and there is a reason."""
    assert NOT_ITS_OWN.keys() <= SUITE.keys()
    assert all(NOT_ITS_OWN.values())
