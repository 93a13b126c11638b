"""Pipelines from the file: what they say, and what their scripts do when they run."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.unit.aws.pipeline.golden import FOLDER, ROOT, SYSTEMS, written

from crossfade.aws.choose import on_aws
from crossfade.aws.pipeline.files import hints
from crossfade.cli.main import crossfade
from crossfade.core.errors import RefusedError, WrongInputError

FILE = """
app: shop
services:
  web: {image: acme/web, port: 8080, health: {path: /health}, resources: {cpu: 0.5, memory: 1G}}
  api:
    {image: "acme/api:7", health: {path: /health}, resources: {cpu: 1, memory: 2G}, routes: [{path: /api/*}]}
cloud:
  region: eu-central-1
  database: {engine: postgres, version: 16}
  cache: {engine: redis}
  deployer: {github: acme/shop, gitlab: acme/shop}
  pipeline: {by: [github, gitlab], repository: acme/shop, test: make test, setup: {python: "3.13"}}
environments:
  dev: {platform: aws, cloud: {pipeline: {branch: develop}}}
  staging: {platform: aws}
  prod: {platform: aws}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "crossfade.yaml").write_text(FILE)
    return tmp_path


def run(folder: Path, *words: str) -> dict[str, Any]:
    """The verb's JSON; what it refuses is raised."""
    arguments = ["pipeline", "init", "-f", str(folder / "crossfade.yaml"), "--json", *words]
    found = CliRunner().invoke(crossfade, arguments, standalone_mode=False)
    if found.exception:
        raise found.exception
    answer: dict[str, Any] = json.loads(found.output.splitlines()[-1])
    return answer


def workflow(folder: Path, name: str = "crossfade") -> Any:
    return yaml.safe_load((folder / ".github" / "workflows" / f"{name}.yml").read_text())


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_has_the_pipeline_that_is_kept(system: str) -> None:
    """Letter by letter: a change of it is seen and meant."""
    kept = {str(path.relative_to(FOLDER / system)): path.read_text() for path in (FOLDER / system).rglob("*.yml")}
    assert written(system) == kept


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_text_of_a_caller_reaches_a_shell(system: str) -> None:
    """Inputs come as variables; nothing is expanded into a script, no action is named by a tag that may move."""
    for name, text in written(system).items():
        for script in _scripts(yaml.safe_load(text)):
            assert "${{" not in script, name
        for action in re.findall(r"uses: (\S+)", text):
            assert re.search(r"@[0-9a-f]{40}$", action), action
        assert "secrets." not in text
        assert not re.search(r"AKIA|aws_secret|AWS_SECRET_ACCESS_KEY", text)


def _scripts(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [value for key, value in node.items() if key == "run" and isinstance(value, str)]
        return own + [script for value in node.values() for script in _scripts(value)]
    return [script for value in node for script in _scripts(value)] if isinstance(node, list) else []


def test_a_push_is_tested_built_once_and_goes_where_its_branch_says(repository: Path) -> None:
    """Production waits for a person; a failed job stops what needs it, one that was left out does not."""
    answer = run(repository)
    assert answer["missing"] == []
    jobs = workflow(repository)["jobs"]
    assert list(jobs) == [
        *("test", "proposal", "build"),
        *("deploy-dev", "deploy-staging", "approve-prod", "deploy-prod"),
    ]
    assert jobs["deploy-prod"]["needs"] == ["test", "build", "approve-prod"]
    assert jobs["approve-prod"]["needs"] == ["test", "build", "deploy-staging"]
    assert jobs["approve-prod"]["environment"] == "prod"
    assert "environment" not in jobs["deploy-prod"], "its identity would be another than the role believes"
    assert "refs/heads/develop" in jobs["deploy-dev"]["if"]
    assert jobs["deploy-dev"]["concurrency"] == {"group": "crossfade-dev", "cancel-in-progress": False}
    builds = " ".join(_scripts(jobs["build"]))
    assert "docker build --tag acme/web" in builds
    assert "acme/api" not in builds, "it has a tag: it comes from elsewhere"
    assert set(jobs["test"]["services"]) == {"postgres", "redis"}
    assert jobs["test"]["services"]["postgres"]["image"] == "postgres:16"
    for job in jobs.values():
        assert job["permissions"].keys() <= {"contents", "id-token", "pull-requests"}
        assert ("id-token" in job["permissions"]) == ("configure" in str(job) or "identity" in str(job))


@pytest.mark.parametrize(
    ("database", "image"),
    [("mysql, version: 8.4", "mysql:8.4"), ("mariadb, version: 11.4", "mariadb:11.4"), ("postgres", "postgres:")],
)
def test_tests_have_the_database_of_the_file_beside_them(repository: Path, database: str, image: str) -> None:
    """Of its engine, and of its version where the file names one."""
    (repository / "crossfade.yaml").write_text(FILE.replace("postgres, version: 16", database))
    run(repository)
    services = workflow(repository)["jobs"]["test"]["services"]
    name, _, _ = database.partition(",")
    assert services[name]["image"].startswith(image)


def test_documents_alone_change_nothing(repository: Path) -> None:
    """Neither is tested nor deployed."""
    run(repository)
    on = workflow(repository)[True]  # YAML 1.1 reads `on` so
    assert on["push"] == {"branches": ["develop", "main"], "paths-ignore": ["**.md", "docs/**"]}
    assert set(on["workflow_dispatch"]["inputs"]) == {"environment", "tag"}


def test_beside_codepipeline_ci_tests_and_goes_back() -> None:
    """Two that release on the same push would be one too many."""
    jobs = yaml.safe_load(written("tiketi")["github/workflows/crossfade.yml"])["jobs"]
    assert list(jobs) == ["test", "proposal"]
    assert "github/workflows/crossfade-rollback.yml" in written("tiketi")


def test_the_same_file_is_the_same_pipeline(repository: Path) -> None:
    """A second run has nothing to write, and --check nothing to say."""
    run(repository)
    assert not any(run(repository)["files"][state] for state in ("new", "changed", "edited", "gone"))
    run(repository, "--check")


def test_drift_is_told_and_what_a_team_edited_is_kept(repository: Path) -> None:
    """--check writes nothing; an edit that the file contradicts stops everything."""
    with pytest.raises(RefusedError, match=r"not as .*says: \.github/workflows/crossfade\.yml"):
        run(repository, "--check")
    assert not (repository / ".github").exists()
    run(repository)
    path = repository / ".github" / "workflows" / "crossfade.yml"
    path.write_text(path.read_text().replace("timeout-minutes: 30", "timeout-minutes: 45"))
    run(repository, "--check")  # theirs, and the file wants nothing new
    (repository / "crossfade.yaml").write_text(FILE.replace("make test", "make check"))
    with pytest.raises(RefusedError, match=r"crossfade\.yml was edited"):
        run(repository)
    assert "timeout-minutes: 45" in path.read_text()
    assert "make check" not in (repository / ".gitlab-ci.yml").read_text()
    moved = run(repository, "--force")["moved"]
    assert "timeout-minutes: 45" in (repository / moved[".github/workflows/crossfade.yml"]).read_text()
    assert "make check" in path.read_text()


def test_who_is_no_longer_asked_for_loses_its_files(repository: Path) -> None:
    """And nobody else's are touched."""
    run(repository)
    other = repository / ".github" / "workflows" / "other.yml"
    other.write_text("name: other\n")
    (repository / "crossfade.yaml").write_text(FILE.replace("by: [github, gitlab]", "by: gitlab"))
    run(repository)
    assert [path.name for path in other.parent.iterdir()] == ["other.yml"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("by: [github, gitlab]", "by: gihub", "did you mean github?"),
        ("by: [github, gitlab]", "by: []", "one of github, gitlab, codepipeline, codedeploy, or several as a list"),
        ("by: [github, gitlab]", "by: [codepipeline, codedeploy]", "codepipeline and codedeploy at once"),
        ("by: [github, gitlab]", "by: codepipeline", "has a pipeline of GitHub or GitLab"),
        ("branch: develop", 'branch: "it\'s"', "cannot be written"),
        ("setup: {python: ", "setup: {pyton: ", "did you mean python?"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(repository: Path, before: str, after: str, said: str) -> None:
    assert before in FILE
    (repository / "crossfade.yaml").write_text(FILE.replace(before, after))
    with pytest.raises(WrongInputError) as error:
        run(repository)
    assert said in str(error.value)
    assert sorted(path.name for path in repository.iterdir()) == ["crossfade.yaml"]


def test_what_is_missing_is_said() -> None:
    """No role for the jobs, and hosts that a deploy does not reach: each with its environment."""
    said = list(hints(on_aws(ROOT / "examples" / "teammoa" / "crossfade.yaml")))
    assert [line.split(" ")[0] for line in said] == ["dev:", "prod:", "dev:", "prod:"]
    assert "does not reach hosts of an Auto Scaling group yet" in said[0]
    assert "`deployer: {github: teammoa/teammoa}` makes one" in said[3]
    assert list(hints(on_aws(ROOT / "examples" / "tiketi" / "crossfade.yaml"))) == []


class Shell:
    """Runs scripts with stand-ins for the programs that they call, which write down how they were called."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._folder, self._calls = folder, folder / "calls"
        for name in names:
            program = folder / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self._calls}"\n')
            program.chmod(0o755)

    def run(self, script: str, **variables: str) -> int:
        environment = {"PATH": f"{self._folder}:{os.environ['PATH']}", "HOME": str(self._folder), **variables}
        command = ["bash", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, env=environment, cwd=self._folder, timeout=60, check=False).returncode

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


def test_a_rollback_wants_the_typed_word_and_then_goes_back(repository: Path, tmp_path: Path) -> None:
    """In both: without the word nothing is called; with it one release, of one service if that is named."""
    run(repository)
    jobs = workflow(repository, "crossfade-rollback")["jobs"]
    confirm, back = _scripts(jobs["confirmed"])[0], _scripts(jobs["prod"])[-1]
    lines = yaml.safe_load((repository / ".gitlab-ci.yml").read_text())["rollback-prod"]["script"]
    (tmp_path / "bin").mkdir()
    shell = Shell(tmp_path / "bin", "crossfade")
    for script in (confirm, "\n".join(lines)):
        for word in ("", "yes", "Rollback", "rollback; true"):
            assert shell.run(script, CONFIRM=word, TO="previous") == 1
    assert shell.calls == []
    assert jobs["prod"]["needs"] == "confirmed"
    assert shell.run(confirm, CONFIRM="rollback") == 0
    assert shell.run(back, TO="v7; touch x", SERVICE="api") == 0
    assert shell.run("\n".join(lines), CONFIRM="rollback", TO="previous") == 0
    assert shell.calls == [
        "crossfade rollback api -e prod --to v7; touch x",
        "crossfade rollback -e prod --to previous",
    ]
    assert not (tmp_path / "bin" / "x").exists()


def test_gitlab_deploys_no_documents(repository: Path) -> None:
    """What else changed is deployed; so is a commit whose parent is not known."""
    run(repository)
    script = "\n".join(yaml.safe_load((repository / ".gitlab-ci.yml").read_text())["deploy-staging"]["script"])
    bin_ = repository / "bin"
    bin_.mkdir()
    shell = Shell(bin_, "crossfade", "python3")
    git = "git -c user.email=a@b -c user.name=a"
    assert shell.run(f"git init -q . && {git} commit -q --allow-empty -m one && echo x > README.md && git add README.md"
                     f" && {git} commit -qm two && git rev-parse HEAD~1 > ../before") == 0  # fmt: skip
    before = (repository / "before").read_text().strip()
    assert shell.run(script, CI_COMMIT_BEFORE_SHA=before, CI_COMMIT_SHA="abc") == 0
    assert shell.calls == []
    assert shell.run(script, CI_COMMIT_BEFORE_SHA="0" * 40, CI_COMMIT_SHA="abc") == 0
    assert shell.run(f"echo y > app.py && git add app.py && {git} commit -qm three") == 0
    assert shell.run(script, CI_COMMIT_BEFORE_SHA=before, CI_COMMIT_SHA="def") == 0
    assert [call for call in shell.calls if call.startswith("crossfade")] == [
        "crossfade deploy -e staging --version abc",
        "crossfade deploy -e staging --version def",
    ]


def test_codedeploy_brings_a_revision_and_takes_back_what_is_under_way(tmp_path: Path) -> None:
    """It guesses no revision: without one under way it wants to be told which."""
    jobs = yaml.safe_load(written("bluegreen")["gitlab-ci.yml"])
    shell = Shell(tmp_path, "aws")
    back = "\n".join(jobs["rollback-prod"]["script"])
    (tmp_path / "aws").write_text(
        f'#!/bin/sh\necho "aws $*" >> "{tmp_path}/calls"\n'
        '[ "$2" = list-deployments ] && echo "${RUNNING:-None}"; [ "$2" = create-deployment ] && echo d-2; exit 0\n'
    )
    assert shell.run(back, CONFIRM="rollback", TO="previous") == 1
    assert shell.run(back, CONFIRM="rollback", TO="previous", RUNNING="d-1") == 0
    assert shell.run(back, CONFIRM="rollback", TO="abc", CROSSFADE_REVISIONS="bucket") == 0
    calls = [call.split(" ")[2] for call in shell.calls if not call.startswith("aws deploy list")]
    assert calls == ["stop-deployment", "create-deployment", "wait"]
    assert any("key=prod/abc.zip" in call for call in shell.calls)
