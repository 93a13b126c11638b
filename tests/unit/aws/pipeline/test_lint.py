"""What others have to say of the pipelines that are written: GitHub's linters, and GitLab's own schema."""

import subprocess
import sys
from pathlib import Path

from tests.unit.aws.pipeline.golden import FOLDER

TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted(map(str, FOLDER.rglob("github/workflows/*.yml")))
GITLAB = sorted(map(str, FOLDER.rglob("gitlab-ci.yml")))


def said(tool: str, *words: str) -> str:
    """What it complains of; empty when it is content."""
    done = subprocess.run([str(TOOLS / tool), *words], capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_actionlint_finds_nothing() -> None:
    """Expressions, contexts, labels, and what shells are given."""
    assert WORKFLOWS
    assert said("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS) == ""


def test_zizmor_finds_nothing() -> None:
    """Injections, stored credentials, actions that may move, rights that are too wide."""
    assert said("zizmor", "--offline", "--quiet", *WORKFLOWS) == ""


def test_both_are_as_the_schemas_want_them() -> None:
    """GitHub's and GitLab's own, as SchemaStore has them."""
    assert GITLAB
    assert said("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *GITLAB) == ""
    assert said("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS) == ""


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    """None of them is content with anything."""
    text = Path(WORKFLOWS[0]).read_text()
    wrong = tmp_path / "workflow.yml"
    wrong.write_text(text.replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    timeout-minute: 5", 1))
    assert "timeout-minute" in said("actionlint", str(wrong))
    assert "timeout-minute" in said("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(wrong))
    wrong.write_text(text.replace("actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "actions/checkout@v4"))
    assert "unpinned" in said("zizmor", "--offline", str(wrong))
    job = tmp_path / ".gitlab-ci.yml"
    job.write_text(Path(GITLAB[0]).read_text().replace("stage: test", "stages: test", 1))
    assert said("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(job))
