"""What a bill takes, counted instead of timed: a count is the same on every machine."""

import gc
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from benchmarks.cost import plan

from crossfade.aws.cost.plan import of_plan
from crossfade.file.cloud.usage import Usage


@contextmanager
def counted(calls: list[str]) -> Iterator[None]:
    """Every function that is called meanwhile, Python's own included.

    But for what other tests left behind: whenever Python takes that away, it may call functions as well.
    """

    def note(frame: FrameType, event: str, _: object) -> None:
        if event in {"call", "c_call"}:
            calls.append(frame.f_code.co_name)

    gc.collect()
    gc.disable()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        gc.enable()


@pytest.mark.long
def test_the_bill_of_a_plan_takes_work_in_proportion_to_its_resources(tmp_path: Path) -> None:
    """From 400 resources to 800 as many calls are added as from 800 to 1,200, but for one in a hundred."""
    work = {}
    for size in (100, 400, 800, 1200):  # the first loads what is loaded once
        path = tmp_path / f"{size}.json"
        path.write_text(json.dumps(plan(size)))
        calls: list[str] = []
        with counted(calls):
            of_plan(path, Usage().month)
        work[size] = len(calls)
    first, second = work[800] - work[400], work[1200] - work[800]
    assert first > 1000
    assert abs(second / first - 1) < 0.01, work
