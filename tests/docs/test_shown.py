"""The table of what two systems ask of releases on AWS names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
E2E = ROOT / "tests" / "e2e"


def test_each_test_that_the_table_names_is_there() -> None:
    """A test that is renamed takes its line along."""
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)::(test_\w+)`", (E2E / "on_aws.md").read_text("utf-8"))
    assert named
    missing = [f"{file}::{name}" for file, name in named if name not in _tests(_module(file))]
    assert not missing


def _module(file: str) -> Path:
    """One of the folder of the table, unless it says where it is."""
    return ROOT / file if "/" in file else E2E / file


def _tests(module: Path) -> set[str]:
    """Those that it defines, and those that it shares with another one."""
    found = re.findall(r"^(?:async )?def (test_\w+)\(|^    (test_\w+),$", module.read_text("utf-8"), re.MULTILINE)
    return {defined or shared for defined, shared in found}
