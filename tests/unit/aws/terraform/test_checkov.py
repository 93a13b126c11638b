"""What another checker has against the plans of the five production environments: each kind is answered in our table.

It wants other versions of what both of us use, and so an environment of its own: tests/checkov says which.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.planned import Plans

from crossfade.aws.audit.other import others

SYSTEMS = ("bluegreen", "codemate", "feedback", "teammoa", "tiketi")
NAMED_BY = "CROSSFADE_CHECKOV"
_OWN = Path(__file__).parents[3] / "checkov" / ".venv" / "bin" / "checkov"
_PATIENCE = 300.0


@pytest.fixture(scope="module")
def checkov() -> str:
    named = os.environ.get(NAMED_BY) or (str(_OWN) if _OWN.exists() else shutil.which("checkov"))
    if named is None:
        pytest.skip(f"checkov is not installed: `make checkov`, or name yours in {NAMED_BY}")
    return named


@pytest.mark.long
def test_each_kind_of_failure_is_answered(checkov: str, plans: Plans, tmp_path: Path) -> None:
    """By a rule of ours that sees the same, or by the reason why none does."""
    for system in SYSTEMS:
        (tmp_path / f"{system}.json").write_text(json.dumps(plans.of(system, "prod").json))
    arguments = ["--framework", "terraform_plan", "--output", "json", "--compact", "--skip-download"]
    done = subprocess.run(
        [checkov, *(word for system in SYSTEMS for word in ("-f", f"{system}.json")), *arguments, "--soft-fail"],
        cwd=tmp_path,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert len({check["file_path"] for check in results["passed_checks"]}) == len(SYSTEMS), "it read each of the plans"
    answered = {name for area in others().values() for one in area for name in one.checkov}
    assert {check["check_id"] for check in results["failed_checks"]} - answered == set()
