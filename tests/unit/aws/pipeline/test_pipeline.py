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


@pytest.mark.parametrize(
    ("setup", "test", "on_github", "on_gitlab"),
    [
        ('node: "22"', "npm ci && npm test", "npm", "npm_config_cache"),
        ('node: "22"', "yarn install && yarn test", "yarn", "YARN_CACHE_FOLDER"),
        ('node: "22"', "pnpm install && pnpm test", None, None),
        ('python: "3.13"', "python -m pip install -r requirements.txt && pytest", "pip", "PIP_CACHE_DIR"),
        ('python: "3.13"', "uv run pytest", None, None),
        ('java: "21"', "./gradlew test", "gradle", "GRADLE_USER_HOME"),
        ('java: "21"', "./mvnw verify", "maven", "MAVEN_OPTS"),
    ],
)
def test_downloads_are_kept_of_the_tool_that_the_tests_call(
    repository: Path, setup: str, test: str, on_github: str | None, on_gitlab: str | None
) -> None:
    """GitHub's actions fail over one of which the repository has no file."""
    text = FILE.replace('setup: {python: "3.13"}', f"setup: {{{setup}}}").replace("test: make test", f"test: {test}")
    (repository / "crossfade.yaml").write_text(text)
    run(repository)
    steps = workflow(repository)["jobs"]["test"]["steps"]
    assert next(step for step in steps if "setup-" in step.get("uses", ""))["with"].get("cache") == on_github
    job = yaml.safe_load((repository / ".gitlab-ci.yml").read_text())["test"]
    assert ("cache" in job) == (on_gitlab is not None)
    assert on_gitlab is None or on_gitlab in job["variables"]


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
    """No role for the jobs, and what a deploy does not do on hosts: each with its environment."""
    said = list(hints(on_aws(ROOT / "examples" / "teammoa" / "crossfade.yaml")))
    assert [line.split(" ")[0] for line in said] == ["dev:", "prod:"]
    assert "`deployer: {github: teammoa/teammoa}` makes one" in said[1]
    roles = list(hints(on_aws(ROOT / "examples" / "feedback" / "crossfade.yaml")))
    assert ["no role is made" in line for line in roles] == [True, True]
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


def test_bluegreen_has_the_stages_that_it_wanted() -> None:
    """Build, test, package, staging, production by hand, the switch by hand, and a rollback at any time."""
    jobs = yaml.safe_load(written("bluegreen")["gitlab-ci.yml"])
    assert jobs["stages"] == ["build", "test", "package", "dev", "prod", "switch", "rollback"]
    assert jobs["variables"]["DEPLOYMENT_STRATEGY"]["options"] == ["hybrid", "codedeploy-only", "gitlab-only"]
    for name in ("deploy-prod", "switch-prod", "rollback-prod", "rollback-dev"):
        assert jobs[name]["rules"][0]["when"] == "manual", name
    assert jobs["rollback-prod"]["needs"] == []
    assert jobs["package"]["artifacts"]["paths"] == ["revision-prod.zip"]
    assert "switch-dev" not in jobs, "crossfade switches by itself"


CODEDEPLOY = """#!/bin/sh
echo "aws $*" >> "{calls}"
case "$2" in
  create-deployment) echo d-2 ;;
  list-deployments) echo "${{RUNNING:-None}}" ;;
  get-deployment) [ -e "{seen}" ] && echo "${{THEN:-Ready}}" || echo InProgress; touch "{seen}" ;;
esac
"""


@pytest.fixture
def codedeploy(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, "aws", "crossfade", "git", "python3")
    text = CODEDEPLOY.format(calls=tmp_path / "calls", seen=tmp_path / "seen")
    (tmp_path / "aws").write_text(text)
    (tmp_path / "git").write_text("#!/bin/sh\nexit 1\n")  # something else than documents changed
    return shell


def _calls(shell: Shell) -> list[str]:
    return [" ".join(call.split(" ")[:3]) for call in shell.calls]


def test_production_waits_for_the_switch_and_then_gets_the_traffic(codedeploy: Shell) -> None:
    """A new fleet that is well waits; who switches continues that deployment; with none waiting nothing is done."""
    jobs = yaml.safe_load(written("bluegreen")["gitlab-ci.yml"])
    deploy, switch = ("\n".join(jobs[name]["script"]) for name in ("deploy-prod", "switch-prod"))
    told = {"CI_COMMIT_SHA": "abc", "CI_COMMIT_BEFORE_SHA": "0", "CROSSFADE_REVISIONS": "bucket", "POLL": "0"}
    assert codedeploy.run(deploy, **told) == 0
    assert _calls(codedeploy) == [
        *("aws s3 cp", "aws deploy create-deployment"),
        *("aws deploy get-deployment", "aws deploy get-deployment"),
    ]
    assert codedeploy.run(deploy, THEN="Failed", **told) == 1
    assert codedeploy.run(switch) == 1
    assert "aws deploy continue-deployment" not in _calls(codedeploy)
    assert codedeploy.run(switch, RUNNING="d-2") == 0
    assert _calls(codedeploy)[-2:] == ["aws deploy continue-deployment", "aws deploy wait"]


@pytest.mark.parametrize(
    ("strategy", "code", "called"),
    [
        ("hybrid", 0, "crossfade deploy -e"),
        ("codedeploy-only", 1, ""),
        ("gitlab-only", 0, "crossfade deploy -e"),
        ("gitlab", 1, ""),
    ],
)
def test_staging_is_shipped_by_whom_the_pipeline_is_told(
    codedeploy: Shell, strategy: str, code: int, called: str
) -> None:
    """A word that is none ships nothing, and neither does one for which the environment was not made."""
    script = "\n".join(yaml.safe_load(written("bluegreen")["gitlab-ci.yml"])["deploy-dev"]["script"])
    assert codedeploy.run(script, CI_COMMIT_SHA="abc", DEPLOYMENT_STRATEGY=strategy) == code
    calls = _calls(codedeploy)
    assert (calls[-1] if calls else "") == called
