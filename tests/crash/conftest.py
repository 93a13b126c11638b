"""Where the longest tests of all stand among the others."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread over the whole run: workers get a stretch each to begin with, and none is to get all of them.

    7 among 700 stand at 0, 100, 200 ... 600.
    """
    here = Path(__file__).parent
    ours = [item for item in items if item.path.parent == here]
    others = [item for item in items if item.path.parent != here]
    for turn, item in enumerate(ours):
        others.insert(turn * len(items) // len(ours), item)
    items[:] = others
