"""The table of what two systems ask of releases on AWS names tests that there are."""

import re
from pathlib import Path

E2E = Path(__file__).parents[1] / "e2e"


def test_each_test_that_the_table_names_is_there() -> None:
    """A test that is renamed takes its line along."""
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", (E2E / "on_aws.md").read_text(encoding="utf-8"))
    assert named
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (E2E / file).read_text("utf-8")]
    assert not missing
