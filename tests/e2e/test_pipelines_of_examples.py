"""The pipelines of the examples as their runners execute them: tests beside a database, a build, a deploy here.

`pipeline init` writes them from the examples' own files. What stands for AWS is the environment `local` of the same
file, whose health checks are quicker here, and for CodeDeploy a program that writes down what it is asked.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.contract.runtime_kits import docker_is_missing
from tests.e2e.shell import Machine, machine
from tests.support.job_services import job_services
from tests.support.runners import ACT, GITLAB, Act, GitLab, identity
from tests.unit.aws.pipeline.golden import FOLDER, ROOT, written

pytestmark = pytest.mark.long

QUICK = {"interval": "500ms", "timeout": "500ms", "healthy": 1, "unhealthy": 2}
DEPLOY = {"strategy": "blue-green", "bake": "0s", "timeout": "120s"}
HERE = {"replicas": 1, "scale": None, "drain": "1s", "grace": "1s", "deploy": DEPLOY}
# What the jobs' variables lead to has to answer, or the test is red.
ASKS = """\
#!/bin/sh
set -eu
case "${DATABASE_URL:-}" in
  mysql://*) mariadb --host 127.0.0.1 --user root --password=test --skip-column-names test -e "select 'a table'" ;;
  postgresql://*) psql --pset=pager=off --tuples-only "$DATABASE_URL" -c "select 'a table'" ;;
esac
if [ -n "${REDIS_URL:-}" ]; then redis-cli -u "$REDIS_URL" ping; fi
echo "tests have run"
"""
SERVER = """\
const {createServer} = require("http");
createServer((_, answer) => answer.end(process.env.CROSSFADE_VERSION)).listen(process.env.PORT, "127.0.0.1");
"""
PYTEST = """\
import subprocess

def test_what_the_variables_lead_to():
    subprocess.run(["sh", "asks.sh"], check=True)
"""
IMAGE = """\
FROM scratch
COPY busybox /bin/busybox
COPY www /www
CMD ["/bin/busybox", "httpd", "-f", "-p", "PORT", "-h", "/www"]
"""
# AWS's environments are this machine's, and what is said to AWS is kept.
CROSSFADE = f"""\
#!/bin/sh
echo "crossfade $*" >> "$ASKED"
for word; do shift; case "$word" in dev | staging | prod) word=local ;; esac; set -- "$@" "$word"; done
exec {sys.executable} -m crossfade.cli.main "$@"
"""
AWS = """\
#!/bin/sh
echo "aws $*" >> "$ASKED"
case "$*" in
  *create-deployment* | *list-deployments*) echo d-1 ;;
  *get-deployment*) echo Ready ;;
esac
"""
# What pip would fetch is here already.
PYTHON = f"""\
#!/bin/sh
case "$*" in "-m pip install"*) exit 0 ;; esac
exec {sys.executable} "$@"
"""
STAND_INS = {"crossfade": CROSSFADE, "aws": AWS, "python3": PYTHON, "pip": "#!/bin/sh\n"}


class Project:
    """A repository with an example's file and its pipelines, and an app that is small."""

    def __init__(self, system: str, here: Machine) -> None:
        self.system, self.here, self.folder = system, here, here.source
        self.asked, self.bin = here.home / "asked", here.home / "bin"
        self.packs = False  # an image, that is
        self.folder.mkdir()
        self.asked.touch()
        self.bin.mkdir()
        for name, text in STAND_INS.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        (self.folder / "asks.sh").write_text(ASKS)

    @property
    def variables(self) -> dict[str, str]:
        """What jobs have: among it the secrets of every example, and nothing to ask a registry with."""
        secrets = ("DB_PASSWORD", "SECRET_KEY", "JWT_SECRET", "REDIS_PASSWORD", "DATABASE_URL", "LLM_API_KEY")
        return {
            **dict.fromkeys(secrets, "x"),
            "CROSSFADE_STATE": str(self.here.state),
            "ASKED": str(self.asked),
            "POLL": "0",
            "npm_config_offline": "true",
            "npm_config_audit": "false",
            "npm_config_update_notifier": "false",
        }

    def write(self, local: dict[str, Any]) -> None:
        """The example's file with `local` as its environment of this machine; its pipelines are those that are kept."""
        text = (ROOT / "examples" / self.system / "crossfade.yaml").read_text()
        assert "  local: {}\n" in text
        own = {"services": local, "listen": {"http": self.here.port, "host": "127.0.0.1"}}
        text = text.replace("  local: {}\n", f"  local: {json.dumps(own)}\n")
        (self.folder / "crossfade.yaml").write_text(text)
        self.here.ok("pipeline", "init")
        for name, kept in written(self.system).items():
            assert (self.folder / f".{name}").read_text() == kept

    def node(self, *workspaces: str) -> None:
        """What `npm ci` and `npm test` find: packages without dependencies."""
        packages: dict[str, Any] = {"": {"name": self.system, "version": "1.0.0", "workspaces": list(workspaces)}}
        for name in workspaces:
            packages |= {name: {"version": "1.0.0"}, f"node_modules/{name}": {"resolved": name, "link": True}}
        for name in ("", *workspaces):
            up = "../" if name else ""
            own = {"name": name or self.system, "version": "1.0.0", "scripts": {"test": f"sh {up}asks.sh"}}
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name / "package.json").write_text(
                json.dumps(own | ({} if name else {"workspaces": list(workspaces)}))
            )
        lock = {"name": self.system, "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
        (self.folder / "package-lock.json").write_text(json.dumps(lock))

    def image(self, health: str, port: int) -> None:
        """A Dockerfile of a web server that answers the health check, made of nothing else."""
        if why := docker_is_missing():
            pytest.skip(why)
        self.packs = True
        shutil.copy("/bin/busybox", self.folder / "busybox")
        page = self.folder / f"www{health}index.html" if health.endswith("/") else self.folder / f"www{health}"
        page.parent.mkdir(parents=True)
        page.write_text("well\n")
        (self.folder / "Dockerfile").write_text(IMAGE.replace("PORT", str(port)))

    def by_node(self, *names: str) -> dict[str, Any]:
        """Services as processes of Node's, which say their version."""
        (self.folder / "server.js").write_text(SERVER)
        runs = {"source": ".", "build": None, "command": "node server.js", "health": {**QUICK, "path": "/"}}
        return {name: {**HERE, **runs, "image": None, "secrets": [], "sticky": None} for name in names}

    def forget(self) -> None:
        """Take away the image that the pipeline made, with all that releases call it, once none of them runs."""
        if not self.packs:
            return
        made = subprocess.run(
            ["docker", "images", "--quiet", f"{self.system}/web"], capture_output=True, text=True, check=True
        )
        subprocess.run(["docker", "image", "rm", "--force", *set(made.stdout.split())], capture_output=True, check=True)

    def releases(self, service: str = "web") -> list[tuple[str, str]]:
        """Version and outcome of each of its releases here, newest first."""
        found = self.here.ok("releases", service, "-e", "local", env=self.variables)["releases"]
        return [(one["version"], one["outcome"]) for one in found]


def beside(system: str) -> Any:
    """The services of the example's test job."""
    path = FOLDER / system / "github" / "workflows" / "crossfade.yml"
    return yaml.safe_load(path.read_text())["jobs"]["test"]["services"]


@pytest.fixture(scope="module")
def services() -> Iterator[None]:
    wanted = beside("teammoa") | beside("tiketi")  # of the others some, at the same ports
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with job_services(Path(folder), wanted):
            yield


@pytest.fixture
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    with machine() as here:
        made = Project(request.param, here)
        yield made
    made.forget()


@pytest.fixture
def act(project: Project) -> Iterator[Act]:
    if ACT is None:
        pytest.skip("act is not installed")
    with identity() as url:
        act = Act(project.folder, project.here.home / "act", project.variables, url)
        act.variables["PATH"] = f"{project.bin}:{act.variables['PATH']}"
        act.git("init", "--quiet", "--initial-branch=main")
        yield act


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("project", "health", "port", "tested"),
    [("teammoa", "/health/", 8000, "1 passed"), ("feedback", "/actuator/health", 8080, "tests have run")],
    indirect=["project"],
)
def test_an_image_is_tested_built_once_and_deployed_by_its_commit(
    project: Project, act: Act, health: str, port: int, tested: str
) -> None:
    """Of teammoa and feedback: from the push to a release that answers, first where nobody has to agree."""
    source = {"source": None, "command": None, "hooks": None} if project.system == "feedback" else {}
    project.write({"web": {**HERE, "health": {**QUICK, "path": health}, "image": f"{project.system}/web", **source}})
    project.image(health, port)
    (project.folder / "requirements.txt").touch()
    (project.folder / "test_asks.py").write_text(PYTEST)
    (project.folder / "gradlew").write_text("#!/bin/sh\nexec sh asks.sh\n")
    (project.folder / "gradlew").chmod(0o755)
    commit = act.commit("one")
    ran = act.push()
    assert ran.code == 0, ran.said
    assert tested in ran.said
    deploys = [f"crossfade deploy -e {name} --version {commit}" for name in ("dev", "prod")]
    assert project.asked.read_text().splitlines() == deploys
    assert set(project.releases()) == {(commit, "good")}
    with urllib.request.urlopen(f"{project.here.url}{health}") as answer:
        assert answer.read() == b"well\n"


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("project", "workspaces", "names"),
    [("tiketi", (), ("api",)), ("codemate", ("frontend", "backend"), ("frontend", "backend"))],
    indirect=["project"],
)
def test_beside_codepipeline_a_push_is_tested_and_a_typed_word_goes_back(
    project: Project, act: Act, workspaces: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """CodePipeline releases tiketi and codemate: GitHub tests the push, and goes back when somebody types the word."""
    project.node(*workspaces)
    project.write(project.by_node(*names))
    act.commit("one")
    ran = act.push()
    assert ran.code == 0, ran.said
    assert ran.said.count("tests have run") == max(1, len(workspaces))
    for version in ("v1", "v2"):
        (project.folder / "version").write_text(version)
        project.here.ok("deploy", "-e", "local", "--version", version, env=project.variables, limit=200)
    for word, code in (("yes", 1), ("rollback", 0)):
        inputs = {"environment": "prod", "to": "previous", "service": names[0], "confirm": word}
        ran = act.run(*act.command("crossfade-rollback", "workflow_dispatch", inputs=inputs))
        assert ran.code == code, ran.said
    assert project.asked.read_text().splitlines() == [f"crossfade rollback {names[0]} -e prod --to previous"]
    assert project.releases(names[0]) == [("v2", "bad"), ("v1", "good")]


@pytest.mark.parametrize("project", ["bluegreen"], indirect=True)
def test_a_source_is_built_tested_packaged_and_switched_by_hand(project: Project) -> None:
    """GitLab has bluegreen: its jobs bring staging, production takes CodeDeploy, a person and the switch."""
    if not GITLAB.exists() or not shutil.which("rsync"):
        pytest.skip("gitlab-ci-local, or the rsync that it needs, is not installed")
    project.node()
    project.write(project.by_node("web"))
    project.here.ok("infra", "init", "-e", "prod")
    variables = {**project.variables, "PATH": f"{project.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    gitlab = GitLab(project.folder, project.here.home / "builds", variables)
    gitlab.git("init", "--quiet", "--initial-branch=main")
    gitlab.git("remote", "add", "origin", "https://git.example.com/bluegreen/web.git")
    commit = gitlab.commit("one")
    by_hand = ("--manual=deploy-prod", "--manual=switch-prod")
    ran = gitlab.run(*gitlab.command(*by_hand, "--variable", "CROSSFADE_REVISIONS=revisions"))
    assert ran.code == 0, ran.said
    asked = project.asked.read_text().splitlines()
    assert asked[:2] == [
        f"crossfade deploy -e dev --version {commit}",
        f"aws s3 cp --no-progress revision-prod.zip s3://revisions/prod/{commit}.zip",
    ]
    assert [line.split()[2] for line in asked[2:]] == [
        *("create-deployment", "get-deployment"),
        *("list-deployments", "continue-deployment", "wait"),
    ]
    assert project.releases() == [(commit, "good")]
