"""`crossfade infra init`, as a person runs it."""

import json
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from tests.support.planned import EXAMPLES

from crossfade.cli.main import crossfade
from crossfade.core.errors import RefusedError, WrongInputError

PROD = "infrastructure/environments/prod/main.tf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(EXAMPLES / "codemate" / "crossfade.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    """The output; errors that the rim would show come out as they are."""
    result = CliRunner().invoke(crossfade, ["infra", "init", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result.output


def told(*words: str) -> dict[str, Any]:
    return dict(json.loads(run("--json", *words).splitlines()[-1]))


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_every_environment_on_aws_is_written(folder: Path) -> None:
    """Without words it writes all environments on AWS and the modules they call, each with its files."""
    assert told()["environments"] == ["dev", "staging", "prod"]
    for environment in ("dev", "staging", "prod"):
        found = {path.name for path in (folder / "infrastructure/environments" / environment).iterdir()}
        assert found == {
            *("main.tf", "variables.tf", "outputs.tf", "terraform.tfvars", "backend.tf", "providers.tf"),
            "deployer.json.tftpl",
        }
    modules = {str(path.parent.relative_to(folder / "infrastructure/modules")) for path in folder.rglob("versions.tf")}
    assert {"networking/vpc", "compute/ecs-service", "database/rds", "cicd/codepipeline"} <= modules
    assert modules.isdisjoint({"compute/asg", "database/host"})  # nobody asked for hosts


def test_a_second_run_changes_nothing(folder: Path) -> None:
    """What is there already is left as it is, to the time of its last change."""
    run()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.tf*")}
    assert "is as crossfade.yaml says" in run()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.tf*")} == before


def test_a_change_of_the_file_is_shown_and_written(folder: Path) -> None:
    """The difference comes before the write, and only files that it concerns are changed."""
    run()
    edit(folder / "crossfade.yaml", "storage: 50G", "storage: 60G")
    output = run()
    assert "-  storage_gib        = 50\n+  storage_gib        = 60\n" in output
    assert "0 new, 1 changed, 0 removed" in output
    assert "storage_gib        = 60" in (folder / PROD).read_text()


def test_an_edit_is_shown_and_refused(folder: Path) -> None:
    """Where the file and an edit disagree, it stops with both, and writes nothing."""
    run()
    edit(folder / PROD, "storage_gib        = 50", "storage_gib        = 55")
    assert "edited, stays as it is" in run()
    edit(folder / "crossfade.yaml", "storage: 50G", "storage: 60G")
    with pytest.raises(RefusedError, match=r"environments/prod/main\.tf was edited"):
        run()
    assert "storage_gib        = 55" in (folder / PROD).read_text()
    assert "-  storage_gib        = 55\n+  storage_gib        = 60\n" in run("--diff")
    assert told("--force")["moved"] == {"environments/prod/main.tf": "environments/prod/main.tf.orig"}
    assert "storage_gib        = 60" in (folder / PROD).read_text()


def test_diff_writes_nothing(folder: Path) -> None:
    """--diff shows what would be there and leaves the disk alone."""
    output = run("--diff", "-e", "dev")
    assert '+module "vpc" {' in output
    assert "would have" in output
    assert not (folder / "infrastructure").exists()


def test_one_environment_leaves_the_others(folder: Path) -> None:
    """-e writes one environment and takes nothing of another away."""
    run()
    shutil.copy(folder / PROD, folder / "prod.tf")
    assert told("-e", "dev")["files"]["gone"] == []
    assert (folder / PROD).read_text() == (folder / "prod.tf").read_text()


def test_what_is_no_longer_asked_for_is_removed_by_name(folder: Path) -> None:
    """A module that nobody calls any more goes, and is named."""
    run()
    edit(
        folder / "crossfade.yaml", "  cache: {engine: redis, version: 7.1, node: cache.t4g.micro, snapshots: 1d}\n", ""
    )
    edit(
        folder / "crossfade.yaml",
        "      cache: {node: cache.t4g.small, cluster: true, replicas: 1, snapshots: 5d}\n",
        "",
    )
    for told in ("host", "port"):
        edit(folder / "crossfade.yaml", f"          REDIS_{told.upper()}: {{from: cache.{told}}}\n", "")
    assert "modules/database/elasticache/main.tf: removed" in run()
    assert not (folder / "infrastructure/modules/database/elasticache").exists()


def test_it_goes_where_it_is_told(folder: Path) -> None:
    """--to names another folder."""
    run("--to", "elsewhere", "-e", "dev")
    assert (folder / "elsewhere/environments/dev/main.tf").exists()


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("-e", "local"), "local is not on AWS"),
        (("-e", "prd"), 'no environment "prd"'),
        (("--force", "--keep"), "at once"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, words: tuple[str, ...], cause: str) -> None:
    """A wrong word is one message, and nothing is written."""
    with pytest.raises(WrongInputError, match=cause):
        run(*words)
    assert not (folder / "infrastructure").exists()


def test_a_file_without_aws_has_nothing_to_write(folder: Path) -> None:
    """A file whose environments are all local says how one comes to AWS."""
    (folder / "crossfade.yaml").write_text("app: shop\nservices: {web: {image: acme/web}}\n")
    with pytest.raises(WrongInputError, match="has no environment on AWS"):
        run()
