"""One rig for all tests of a worker; each module has a place of its own on it."""

import itertools
from collections.abc import Iterator

import pytest
from tests.rig import Rig
from tests.rig.place import make
from tests.rig.tests.site import Site

PACE = 20.0
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2, containers=True) as rig:
        yield rig


@pytest.fixture(scope="module")
def site(rig: Rig, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Blue with two tasks of release 1 and all weight, green with none.

    Tests of other modules may come between a module's own, which then begins anew: no name is used twice.
    """
    app = f"{request.module.__name__.rpartition('.test_')[2]}{next(_NUMBERS)}"
    site = Site(rig, make(rig, app))
    yield site
    for colour in ("blue", "green"):
        site.update(colour, desiredCount=0)


@pytest.fixture
def knobs(rig: Rig) -> Iterator[Rig]:
    """The rig, whose knobs are turned back afterwards."""
    yield rig
    rig.knobs.clear()
    rig.knobs.set(pace=PACE, lag=2, task_start=5, quota=0)
