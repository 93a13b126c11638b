import pytest
from tests.unit.controller.site import Site


@pytest.fixture
def site() -> Site:
    return Site()
