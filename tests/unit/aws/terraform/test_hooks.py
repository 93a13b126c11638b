"""CodeDeploy's hooks, run as CodeDeploy runs them, against a real server. Only what changes a host is a stand-in."""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.aws.terraform.files import on_hosts

from crossfade.aws.terraform.revision import revision

# Writes down how it was called; runuser also does what it was asked to, as whoever runs the test.
STAND_IN = """\
#!/bin/bash
echo "$(basename "$0") $*" >> "$CALLS"
if [ "$(basename "$0")" = runuser ]; then
  while [ "$1" != -- ]; do shift; done
  shift
  exec "$@"
fi
"""


class Answers(http.server.BaseHTTPRequestHandler):
    """Fails the first requests for the health path, then answers well."""

    failures = 0
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        bad = self.path == "/health/deep" and len(self.asked) <= self.failures
        self.send_response(503 if bad else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"name": "shop", "version": "1.4.2"}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass


class Host:
    """A machine: its folder, a server on the application's port, and the revision that CodeDeploy brought."""

    def __init__(self, root: Path, server: http.server.ThreadingHTTPServer, answers: type[Answers]) -> None:
        self.home, self.answers = root / "opt", answers
        self.calls = root / "calls"
        self.bin = root / "bin"
        self.bin.mkdir()
        for name in ("systemctl", "chown", "runuser", "aws", "dnf"):
            (self.bin / name).write_text(STAND_IN)
            (self.bin / name).chmod(0o755)
        asked = on_hosts(
            {
                "health": {"path": "/health/deep"},
                "port": server.server_port,
                "build": "echo built > made",
                "deploy": {"retain": 2},
            },
            compute={"processes": 1},
            pipeline={"checks": {"tries": 3, "every": "1s", "then": "/api/version"}},
        )
        self.revision = root / "revision"
        for path, text in revision(asked).items():
            file = self.revision / "infrastructure" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("FOLDER=/opt/shop\n", f"FOLDER={self.home}\n"))

    def run(
        self, hook: str, deployment: str = "d-1", application: str = "shop-prod"
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "AWS_REGION": "us-east-1",
            "DEPLOYMENT_ID": deployment,
            "APPLICATION_NAME": application,
        }
        script = self.revision / f"infrastructure/deploy/hooks/{hook}.sh"
        return subprocess.run(
            ["/bin/bash", str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def deploy(self, deployment: str, content: str) -> None:
        """What CodeDeploy does on a host until the start."""
        assert self.run("prepare", deployment).returncode == 0
        (self.home / "incoming").mkdir()
        (self.home / "incoming" / "app.js").write_text(content)
        assert self.run("build", deployment).returncode == 0

    def called(self, name: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    answers = type("Asked", (Answers,), {"asked": [], "failures": 0})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Host(tmp_path, server, answers)
        server.shutdown()


def test_what_was_unpacked_becomes_the_current_release(host: Host) -> None:
    """The release is built in its own folder, and `current` leads to it."""
    host.deploy("d-1", "one")
    current = host.home / "current"
    assert current.resolve() == host.home / "releases" / "d-1"
    assert (current / "app.js").read_text() == "one"
    assert (current / "made").read_text() == "built\n"
    assert not (host.home / "incoming").exists()


def test_the_release_before_stays_and_is_backed_up(host: Host) -> None:
    """The next release leaves the last one as it was, with a copy of it; what is older goes."""
    for number in (1, 2, 3):
        host.deploy(f"d-{number}", f"release {number}")
        os.utime(host.home / "releases" / f"d-{number}", (number, number))
    assert (host.home / "current" / "app.js").read_text() == "release 3"
    assert sorted(one.name for one in (host.home / "releases").iterdir()) == ["d-2", "d-3"]
    assert sorted(one.name for one in (host.home / "backups").iterdir()) == ["d-2.tar.gz", "d-3.tar.gz"]
    listed = subprocess.run(
        ["tar", "-xzOf", str(host.home / "backups" / "d-3.tar.gz"), "./app.js"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == "release 2"


def test_leftovers_of_a_failed_try_are_not_released(host: Host) -> None:
    """Files that an earlier deployment left unpacked do not end up in the next release."""
    (host.home / "incoming").mkdir(parents=True)
    (host.home / "incoming" / "stale.js").write_text("old")
    host.deploy("d-2", "two")
    assert not (host.home / "current" / "stale.js").exists()


def test_a_failed_build_changes_nothing_that_runs(host: Host) -> None:
    """When the build fails the hook fails, and `current` is still the release before."""
    host.deploy("d-1", "one")
    settings = host.revision / "infrastructure/deploy/prod/settings.sh"
    settings.write_text(settings.read_text().replace("BUILD='echo built > made'", "BUILD='exit 3'"))
    (host.home / "incoming").mkdir()
    assert host.run("build", "d-2").returncode != 0
    assert (host.home / "current").resolve().name == "d-1"


def test_processes_are_stopped_and_started_by_their_ports(host: Host) -> None:
    """Each port has a unit of systemd."""
    assert host.run("stop").returncode == 0
    assert host.run("start").returncode == 0
    (stopped, started) = host.called("systemctl")
    assert stopped.startswith("stop app@")
    assert started.replace("restart", "stop") == stopped


def test_a_host_counts_once_it_answers(host: Host) -> None:
    """Health is asked until it is good, then the version, and CloudWatch hears of both environment and version."""
    host.answers.failures = 2
    done = host.run("validate")
    assert done.returncode == 0, done.stderr
    assert host.answers.asked == ["/health/deep"] * 3 + ["/api/version"]
    (metric,) = host.called("aws")
    assert "--metric-name DeploymentSuccess" in metric
    assert "--dimensions Environment=prod,Version=1.4.2" in metric
    assert "--namespace shop" in metric


def test_a_host_that_never_answers_stops_the_deployment(host: Host) -> None:
    """After the last try the hook fails, and no success is reported."""
    host.answers.failures = 99
    done = host.run("validate")
    assert done.returncode == 1
    assert "never answered /health/deep well" in done.stderr
    assert len(host.answers.asked) == 3
    assert host.called("aws") == []


def test_a_hook_without_settings_says_so(host: Host) -> None:
    """A deployment group of another name is refused before anything is touched."""
    done = host.run("prepare", application="shop-staging")
    assert done.returncode == 1
    assert "no settings for shop-staging" in done.stderr
    assert not host.home.exists()
