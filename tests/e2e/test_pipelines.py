"""Generated pipelines as their runners execute them, from the push to a release on a model of AWS."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.place import Place, make
from tests.support.runners import ACT, GITLAB, Act, GitLab, Runner, identity
from tests.support.shop_on_aws import visited

pytestmark = pytest.mark.long

PACE = 20.0
FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    replicas: 2
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    env: {{RELEASE: "{release}", FAULT: "{fault}"}}
    deploy: {{strategy: blue-green, bake: {bake}, keep_previous: 0s, timeout: 120s, rollback_on: {{min_requests: 0}}}}
cloud:
  region: us-east-1
  deployer: {{github: acme/shop, gitlab: acme/shop}}
  pipeline: {{by: [github, gitlab], repository: acme/shop, branch: main, test: sh test.sh}}
environments:
  dev: {{platform: aws}}
"""


class Repository:
    """An app of its own on the rig, in a repository with the pipelines that its file asks for."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig, self.folder = rig, folder
        self.place: Place = make(rig, f"p{os.urandom(3).hex()}")
        shared = {name: value for name, value in rig.environment.items() if "KEY" not in name}
        self.jobs = {**shared, "CROSSFADE_AWS_PACE": f"{PACE:g}"}
        self.own = Runner(folder, folder.parent / "home", {**rig.environment, "CROSSFADE_AWS_PACE": f"{PACE:g}"})
        folder.mkdir()
        self.write(1)
        (folder / "test.sh").write_text("echo tested\n")
        self.own.git("init", "--quiet", "--initial-branch=main")
        self.own.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
        assert self.crossfade("pipeline", "init")[0] == 0
        self.own.commit("one")

    def write(self, release: int, *, fault: str = "", bake: str = "0s") -> None:
        text = FILE.format(app=self.place.app, image=self.place.image, release=release, fault=fault, bake=bake)
        (self.folder / "crossfade.yaml").write_text(text)

    def crossfade(self, *words: str) -> tuple[int, str]:
        ran = self.own.run(sys.executable, "-m", "crossfade.cli.main", *words)
        return ran.code, ran.said

    def releases(self) -> list[tuple[str, str]]:
        """Version and outcome, newest first."""
        code, said = self.crossfade("releases", "-e", "dev", "--json")
        if code:
            return []
        return [(one["version"], one["outcome"]) for one in json.loads(said.splitlines()[-1])["releases"]]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


@pytest.fixture
def home() -> Iterator[Path]:
    """A short one: what runs keeps its state below it, in a path that a unix socket can have."""
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def repository(rig: Rig, home: Path) -> Iterator[Repository]:
    made = Repository(rig, home / "shop")
    yield made
    rig.take_down(made.place.load_balancer, made.place.target_groups.values())


@pytest.fixture
def act(repository: Repository, home: Path) -> Iterator[Act]:
    if ACT is None:
        pytest.skip("act is not installed")
    with identity() as url:
        yield Act(repository.folder, home / "act", repository.jobs, url)


@pytest.fixture
def gitlab(repository: Repository, home: Path) -> GitLab:
    if not GITLAB.exists() or not shutil.which("rsync"):
        pytest.skip("gitlab-ci-local, or the rsync that it needs, is not installed")
    return GitLab(repository.folder, home / "builds", repository.jobs)


def test_github_takes_a_push_to_a_release_and_back(repository: Repository, act: Act) -> None:
    """Tested, deployed with the role that the job took on; a rollback wants the typed word and then goes back."""
    first = repository.own.git("rev-parse", "HEAD")
    ran = act.push()
    assert ran.code == 0, ran.said
    assert "tested" in ran.said
    repository.write(2)
    second = repository.own.commit("two")
    assert act.push().code == 0
    assert repository.releases() == [(second, "good"), (first, "good")]
    for word, code in (("yes", 1), ("rollback", 0)):
        inputs = {"environment": "dev", "to": "previous", "service": "", "confirm": word}
        ran = act.run(*act.command("crossfade-rollback", "workflow_dispatch", inputs=inputs))
        assert ran.code == code, ran.said
        assert repository.releases()[0] == (second, "bad" if code == 0 else "good")


def test_github_stops_at_a_red_test_and_is_red_after_a_bad_release(repository: Repository, act: Act) -> None:
    """Nothing is deployed that was not tested; what is taken back is a red job, and the old release serves."""
    (repository.folder / "test.sh").write_text("echo broken; exit 1\n")
    repository.own.commit("red")
    ran = act.push()
    assert ran.code != 0
    assert repository.releases() == []
    (repository.folder / "test.sh").write_text("true\n")
    good = repository.own.commit("green")
    assert act.push().code == 0
    repository.write(2, fault="broken")
    bad = repository.own.commit("bad")
    ran = act.push()
    assert ran.code != 0
    assert repository.releases() == [(bad, "bad"), (good, "good")]


def test_a_runner_that_dies_leaves_what_the_next_run_goes_on_with(repository: Repository, act: Act) -> None:
    """SIGKILL to the runner and its job in the middle of a rollout."""
    assert act.push().code == 0
    repository.write(2, bake="60s")
    second = repository.own.commit("two")
    process = act.begin(*act.command("crossfade", "push"))
    _until_baking(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    _end(f"--version {second}")
    ran = act.push()
    assert ran.code == 0, ran.said
    assert "was left: going on with it" in ran.said
    assert repository.releases()[0] == (second, "good")


def test_a_second_deploy_waits_or_is_refused_and_the_first_goes_out(repository: Repository, act: Act) -> None:
    """Two runners at once, as no concurrency group would allow: who carries it is named."""
    repository.write(1, bake="100s")
    repository.own.commit("slow")
    first = act.begin(*act.command("crossfade", "push"))
    _until_baking(first)
    code, said = repository.crossfade("deploy", "-e", "dev", "--version", "other")
    assert code == 3, said
    assert " has had " in said or "carries" in said or "since" in said
    first.communicate(timeout=600)
    assert first.returncode == 0
    assert "other" not in [version for version, _ in repository.releases()]


@pytest.mark.parametrize("by", ["act", "gitlab"])
def test_a_tag_that_somebody_names_is_released_whatever_came_since(
    repository: Repository, by: str, request: pytest.FixtureRequest
) -> None:
    """From the branch of the environment, by the name of the tag; nobody who comes meanwhile loses a request."""
    runner = request.getfixturevalue(by)
    tagged = repository.own.git("rev-parse", "HEAD")
    repository.own.git("tag", "v1.2.3")
    repository.write(2)
    newest = repository.own.commit("two")
    push = runner.command("crossfade", "push") if by == "act" else runner.command()
    assert runner.run(*push).code == 0
    named = (
        runner.command("crossfade", "workflow_dispatch", inputs={"environment": "dev", "tag": "v1.2.3"})
        if by == "act"
        else runner.command("--variable", "TAG=v1.2.3")
    )
    with visited(repository.rig.address_of(repository.place.load_balancer)) as visitors:
        ran = runner.run(*named)
    assert ran.code == 0, ran.said
    assert repository.releases() == [("v1.2.3", "good"), (newest, "good")]
    assert (dict(visitors.lost), set(visitors.answers)) == ({}, {"1", "2"})
    assert repository.own.git("rev-parse", "v1.2.3") == tagged


def test_gitlab_takes_a_push_to_a_release_and_back(repository: Repository, gitlab: GitLab) -> None:
    """The same from its file: test, deploy, and a rollback by hand that wants the word."""
    first = repository.own.git("rev-parse", "HEAD")
    ran = gitlab.run(*gitlab.command())
    assert ran.code == 0, ran.said
    repository.write(2)
    second = repository.own.commit("two")
    ran = gitlab.run(*gitlab.command())
    assert ran.code == 0, ran.said
    assert repository.releases() == [(second, "good"), (first, "good")]
    ran = gitlab.run(*gitlab.command("rollback-dev"))  # a job that may fail: the pipeline is green all the same
    assert "nothing was done: set CONFIRM=rollback to confirm" in ran.said
    assert repository.releases()[0] == (second, "good")
    ran = gitlab.run(*gitlab.command("rollback-dev", "--variable", "CONFIRM=rollback"))
    assert ran.code == 0, ran.said
    assert repository.releases()[0] == (second, "bad")


def test_gitlab_stops_at_a_red_test(repository: Repository, gitlab: GitLab) -> None:
    """Nothing is deployed that was not tested."""
    (repository.folder / "test.sh").write_text("echo was tested; exit 1\n")
    repository.own.commit("red")
    ran = gitlab.run(*gitlab.command())
    assert ran.code != 0
    assert "was tested" in ran.said
    assert repository.releases() == []


def _until_baking(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "baking for" in line:
            return
    raise AssertionError("".join(seen))


def _end(words: str) -> None:
    """What of the job outlived its runner, which is not its child in every way of running."""
    found = subprocess.run(["pgrep", "-f", "--", words], capture_output=True, text=True, check=False).stdout.split()
    for pid in found:
        os.kill(int(pid), signal.SIGKILL)
    time.sleep(0.1)
