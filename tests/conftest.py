"""What holds for every test."""

import signal

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("crossfade", deadline=None)
settings.load_profile("crossfade")

# A shell starts what it runs in its background with Ctrl-C ignored, and children inherit that: where the tests
# themselves are run so, what they start has to hear it all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What mostly waits comes first: the rest is worked off meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("applies") is None)
