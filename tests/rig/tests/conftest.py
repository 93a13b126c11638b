"""One rig and one place for all tests of a module; what a test turns, it turns back."""

from collections.abc import Iterator

import pytest
from tests.rig import Rig
from tests.rig.place import Place, make


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=20, lag=2) as rig:
        yield rig


@pytest.fixture(scope="module")
def place(rig: Rig) -> Place:
    return make(rig)


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(rig: Rig) -> Iterator[None]:
    yield
    rig.knobs.clear()
