"""Each module, planned and applied by `terraform test` with a provider that makes nothing.

The tests themselves are in modules/<area>/<module>.tftest.hcl. One call runs them all, because starting the provider
takes longer than most of them.
"""

import json
import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from tests.support.once import once, shared
from tests.support.terraform import Terraform
from tests.unit.aws.terraform.files import app

from crossfade.aws.rights.deployer import policy
from crossfade.aws.terraform.modules import FOLDER, MODULES

HERE = Path(__file__).parent / "modules"
TESTS = sorted(HERE.rglob("*.tftest.hcl"))


@pytest.fixture(scope="session")
def results(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What went wrong, by test file; the files that passed have an empty list."""
    folder = shared(tmp_path_factory) / "modules"
    return dict(json.loads(once(folder / "results.json", lambda: json.dumps(_run(terraform, folder / "root")))))


def _run(terraform: Terraform, folder: Path) -> dict[str, list[str]]:
    shutil.copytree(FOLDER, folder / "modules")
    shutil.copy(FOLDER / "networking/vpc/versions.tf", folder)
    (folder / "deployer.json.tftpl").write_text(json.dumps(policy(app())))
    (folder / "tests").mkdir()
    for test in TESTS:
        shutil.copy(test, folder / "tests" / _flat(test))
    terraform.init(folder)
    done = terraform.run(folder, "test", "-json", ok=False, timeout=600)
    wrong: dict[str, list[str]] = defaultdict(list)
    for line in map(json.loads, filter(None, done.stdout.splitlines())):
        if (file := line.get("test_file", {})).get("progress") == "complete":
            wrong[Path(file["path"]).name] += [] if file["status"] == "pass" else [f"status {file['status']}"]
        elif (found := line.get("diagnostic", {})).get("severity") == "error":
            said = f"{line.get('@testrun', '')}: {found['summary']} {found.get('detail', '')}"
            wrong[Path(line.get("@testfile", "")).name].append(said)
    return wrong


def _flat(test: Path) -> str:
    return "-".join(test.relative_to(HERE).parts)


@pytest.mark.long
@pytest.mark.parametrize("test", TESTS, ids=lambda test: _flat(test).removesuffix(".tftest.hcl"))
def test_a_module_holds_what_its_tests_say(test: Path, results: dict[str, list[str]]) -> None:
    """Names, counts, sizes, chains and tags of the module are those its test file states."""
    assert results.get(_flat(test), ["it did not run"]) == []


def test_every_module_is_tested() -> None:
    """No module is without a test file of its name."""
    assert {_flat(test).removesuffix(".tftest.hcl") for test in TESTS} == {
        module.replace("/", "-") for module in MODULES
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_takes_and_gives(module: str) -> None:
    """Each module has its four files, and each variable and output a description."""
    for name in ("main", "variables", "outputs", "versions"):
        assert (FOLDER / module / f"{name}.tf").is_file()
    for name, kind in (("variables", "variable"), ("outputs", "output")):
        text = (FOLDER / module / f"{name}.tf").read_text()
        assert text.count(f'{kind} "') == text.count("  description ")


def test_modules_are_written_as_terraform_formats_them(terraform: Terraform) -> None:
    """`terraform fmt` has nothing to say about any module."""
    assert terraform.run(FOLDER, "fmt", "-check", "-recursive", ok=False).stdout == ""


def test_what_a_deploy_changes_of_a_group_terraform_leaves_alone() -> None:
    """Who plans after a release, or applies in the middle of one, puts nothing back."""
    told = {"desired_capacity", "health_check_type", "launch_template", "min_size", "suspended_processes"}
    text = (FOLDER / "compute/asg/main.tf").read_text()
    groups = re.findall(r'resource "aws_autoscaling_group".*?\n}\n', text, re.DOTALL)
    ignored = [set(re.findall(r"\w+", re.findall(r"ignore_changes = \[(.*?)\]", one, re.DOTALL)[0])) for one in groups]
    assert len(ignored) == 2
    assert all(told <= names for names in ignored)
