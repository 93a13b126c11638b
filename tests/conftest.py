"""What holds for every test."""

import gc
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("crossfade", deadline=None)
settings.load_profile("crossfade")

# The tests start Python some thousand times. One that keeps no bytecode, as is usual in containers, would compile
# crossfade and its libraries at each of them, and pytest all tests in each worker: more than half of all their work.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts what it runs in its background with Ctrl-C ignored, and `nohup` with a terminal's end; children inherit
# that: where the tests themselves are run so, what they start has to hear it all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# As Ctrl-C: what tests started, balancers above all, which are nobody's children, ends with whoever ends the tests.
signal.signal(signal.SIGTERM, signal.default_int_handler)


# Nothing of what is collected goes before the end: to look through all of it for garbage, again and again, took a
# quarter of the time that collecting takes, and a tenth of many tests'.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """From here on garbage is looked for in what tests leave, and nowhere else; as seldom as crossfade does it."""
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What mostly waits comes first, and then what one process does alone: the rest is worked off meanwhile.

    Of that some folders wait for processes and others have a core busy. Where several processes share them they come
    mixed: else all would wait in one half of a run, and have no core in the other.
    """
    places = _mixed(items) if "PYTEST_XDIST_WORKER" in os.environ else {}

    def turn(item: pytest.Item) -> tuple[bool, bool, str, float]:
        by_one = _by_one(item.nodeid.partition("::")[0])
        return item.get_closest_marker("applies") is None, not by_one, by_one, places.get(item.nodeid, 0.0)

    items.sort(key=turn)


def _mixed(items: list[pytest.Item]) -> dict[str, float]:
    """How far on in its folder each stands, from 0 to 1. What goes to one process stays file by file.

    A file that stays together takes up to ten minutes: all of them begin in the first half, so that none is left at the
    end for which one process waits alone.
    """
    folders: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for item in (item for item in items if not _by_one(item.nodeid.partition("::")[0])):
        file = item.nodeid.partition("::")[0]
        folders[file.split("/")[1], stays_together(file)].append(item.nodeid)
    return {
        nodeid: place / len(folder) * (0.5 if together else 1.0)
        for (_, together), folder in folders.items()
        for place, nodeid in enumerate(folder)
    }


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Which of the processes of `-n` runs a test."""
    return Together(config, log)


_LEFT_OFF: dict[str, str] = {}  # by file: the test after which nobody knows how its platform stands


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Notes what failed where others build on it."""
    report = yield
    file = item.nodeid.partition("::")[0]
    if report.failed and file.startswith("tests/e2e/") and stays_together(file):
        _LEFT_OFF.setdefault(file, item.name)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """They would wait for what cannot come, minutes each; the second look goes through the whole file."""
    if failed := _LEFT_OFF.get(item.nodeid.partition("::")[0]):
        pytest.skip(f"{failed} failed, and left the platform of this file as nobody knows")


# What a process loads in seconds, by what is imported of it: one of them does.
BY_ONE = {"moto": ("support.moto", "support.in_moto"), "terraform": ("support.planned", "support.terraform")}


class Together(LoadScopeScheduling):
    """Who does what. Tests that share what their file made stay with one process, in their order.

    A model of AWS with a first release on it takes ten seconds to make: as many times as processes have a part of it.
    The thousands that are done in a moment go out by file, too: to say of each who does it takes longer than many of
    them. All others go anywhere. And they go out in the order in which they were collected, which says who waits.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _by_one(file) or (file if stays_together(file) or file.startswith(IN_A_MOMENT) else nodeid)


IN_A_MOMENT = "tests/unit/"


@cache
def stays_together(file: str) -> bool:
    """It, or the conftest.py beside it, makes something for all tests of a file."""
    path = Path(__file__).parents[1] / file
    return any('scope="module"' in one.read_text() for one in (path, path.with_name("conftest.py")) if one.is_file())


@cache
def _by_one(file: str) -> str:
    """Which of BY_ONE a file needs. Whole environments, which the pages make, have a Terraform each."""
    if file.startswith("tests/docs/"):
        return ""
    text = (Path(__file__).parents[1] / file).read_text()
    return next((one for one, named in BY_ONE.items() if any(f"{name} import" in text for name in named)), "")
