"""`make demo-aws`: what it plays, without its pauses for people."""

import pytest
from tests.rig.demo import FIRST, SICK, play

from crossfade.demo.programme import Programme


@pytest.mark.long
async def test_the_demo_shows_a_release_go_out_and_a_sick_one_come_back() -> None:
    """No client loses a request; what the sick release answered itself is counted apart."""
    first, sick = await play((FIRST, SICK), Programme(silent=True))
    assert (first.ok, first.bad_answers) == (True, 0), first.line()
    assert (sick.ok, sick.bad_answers > 0) == (True, True), sick.line()
