"""Seeds by hand."""

import pytest
from tests.property.__main__ import main


def test_any_seeds_can_be_played(capsys: pytest.CaptureFixture[str]) -> None:
    """It says how many histories held what is promised."""
    assert main(["20000", "20020", "--cloud", "--used", "--processes", "2"]) == 0
    assert capsys.readouterr().out == "20 of 20 histories held every promise\n"
