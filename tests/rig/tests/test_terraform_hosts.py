"""From `infra apply` to releases on two hosts: those that stay, reached over SSH, and those that CodeDeploy fills."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contract.runtime_kits import docker_is_missing
from tests.infra.project import Project
from tests.rig import Rig
from tests.rig.ec2.machine import missing
from tests.rig.place import APP
from tests.rig.rig import ROOT
from tests.support.applied import applied, asked, door, until, visited
from tests.support.debian_images import BUSYBOX
from tests.support.shipped import Ran, Shipped
from tests.support.sshd import keygen, why_not

from crossfade.aws.places import Places

pytestmark = [
    *(pytest.mark.slow, pytest.mark.applies, pytest.mark.walks, pytest.mark.timeout(3600)),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
SEOUL, VIRGINIA = "ap-northeast-2", "us-east-1"
THEIR_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB teammoa-deploy"
IMAGE = "teammoa/web"
GIVEN = {"DB_PASSWORD": "correct horse", "SECRET_KEY": "battery", "CROSSFADE_ADDRESS": "127.0.0.1"}
# What `crossfade hosts setup` makes there, which takes a package index: here it is what is tested.
CROSSFADE = f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m crossfade.cli.main "$@"\n'
PLANTED = """
set -e
cd ~ec2-user
install -d -o ec2-user .crossfade .crossfade/bin
printf %s "$CROSSFADE" > .crossfade/bin/crossfade
chmod 755 .crossfade/bin/crossfade
"""


def there(rig: Rig, instance: str, *argv: str, **env: str) -> str:
    """What a command on an instance says; it has to go well."""
    ran = rig.ask("POST", f"/instances/{instance}/run", {"argv": argv, "env": env, "limit": 300})
    assert ran["code"] == 0, ran["out"]
    return str(ran["out"])


def running(rig: Rig) -> list[Any]:
    return [one for one in rig.ask("GET", "/instances") if one["running"]]


class Team:
    """teammoa's two hosts, with an image that says its release."""

    def __init__(self, rig: Rig, project: Project, key: Path) -> None:
        self.rig, self.places = rig, Places("teammoa", "dev")
        self.shipped = Shipped(rig, project.home)
        self.shipped.variables |= {**GIVEN, "HOME": str(key.parents[1])}
        until(lambda: [one["booted"] for one in running(rig)] == [0, 0])
        self.hosts = [one["id"] for one in running(rig)]
        for host in self.hosts:
            there(rig, host, "bash", "-c", PLANTED, CROSSFADE=CROSSFADE)

    def pulled(self, release: str, folder: Path) -> None:
        """On both hosts the image's name is the image of this release now."""
        pages = folder / release
        (pages / "www/health").mkdir(parents=True)
        (pages / "busybox").write_bytes(BUSYBOX.read_bytes())
        (pages / "busybox").chmod(0o755)
        (pages / "www/health/index.html").write_text("well")
        (pages / "www/index.html").write_text(release)
        archive, saved = folder / f"{release}.tar", folder / f"{release}-image.tar"
        serves = 'CMD ["/busybox", "httpd", "-f", "-p", "8000", "-h", "/www"]'
        for command in (
            ["tar", "-C", str(pages), "-cf", str(archive), "."],
            ["docker", "import", "-c", serves, str(archive), f"{IMAGE}:latest"],
            ["docker", "save", "-o", str(saved), f"{IMAGE}:latest"],
            ["docker", "rmi", f"{IMAGE}:latest"],
        ):
            subprocess.run(command, check=True, capture_output=True)
        for host in self.hosts:
            there(self.rig, host, "/usr/bin/docker", "load", "-i", str(saved))

    def rules(self) -> list[str]:
        """What lets in to SSH."""
        found = self.rig.client("ec2", SEOUL).describe_security_group_rules()["SecurityGroupRules"]
        return [one.get("Description", "") for one in found if not one["IsEgress"] and one["FromPort"] == 22]

    def run(self, *words: str) -> Ran:
        ran = self.shipped.run(*words, "-e", "dev")
        assert ran.code == 0, ran.out + ran.err
        return ran


ABSENT = docker_is_missing() or why_not()


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT or "hosts")
def test_teammoa_ships_to_the_two_hosts_that_its_terraform_made(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One after the other over SSH, under load: nothing is lost, and nobody can log in afterwards."""
    home, scratch = tmp_path_factory.mktemp("teammoa"), tmp_path_factory.mktemp("terraform")
    key = scratch / ".ssh" / "teammoa-deploy"
    key.parent.mkdir()
    keygen(key)
    ours = key.with_suffix(".pub").read_text().split()[1]
    with applied(rig, "teammoa", {THEIR_KEY: f"{ours} teammoa-deploy"}, home, scratch) as project:
        team = Team(rig, project, key)
        assert "runs there already" in team.run("hosts", "setup").out
        team.pulled("v1", scratch)
        team.run("deploy", "--version", "v1")
        url = door(rig, SEOUL, team.places.prefix)
        assert asked(url) == "v1"
        with visited(url) as seen:
            team.pulled("v2", scratch)
            second = team.run("deploy", "--version", "v2")
            assert asked(url) == "v2"
            team.run("rollback")
        assert asked(url) == "v1"
        assert second.out.count("is out of service, and idle") == 2
        assert second.out.count("is in service") == 2
        (report,) = seen
        assert (report.failed, report.requests > 100) == (0, True), report.losses
        assert team.rules() == []


# No Node.js is needed. Two hosts, as in production; the rest is dev's.
ON_TWO = {
    "build: npm ci\n": "build: echo built > built\n",
    "command: node server.js": f"command: {sys.executable} app.py",
    "web: {replicas: 1, scale: {min: 1, max: 2}}": "web: {replicas: 2, scale: {min: 2, max: 4}}",
}


def test_bluegreen_ships_to_the_two_hosts_that_its_terraform_made(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By CodeDeploy to the idle group, four processes a host; a sick one goes back, and a rollback builds nothing."""
    home, scratch = tmp_path_factory.mktemp("bluegreen"), tmp_path_factory.mktemp("terraform")
    with applied(rig, "bluegreen", ON_TWO, home, scratch) as project:
        shipped, places = Shipped(rig, project.home), Places("bluegreen", "dev")
        url = door(rig, VIRGINIA, places.prefix)

        def deploy(release: str, fault: str = "") -> Ran:
            told = f"import os\nos.environ.update(RELEASE={release!r}, FAULT={fault!r})\n"
            (home / "app.py").write_text(told + APP.read_text())
            return shipped.run("deploy", "-e", "dev", "--version", release)

        with visited(url):  # by whom the first one is judged; until it serves they see what a host without one says
            first = deploy("v1")
        assert (first.code, asked(url)) == (0, "v1"), first.out + first.err
        with visited(url) as seen:
            second = deploy("v2")
            assert (second.code, asked(url)) == (0, "v2"), second.out + second.err
            sick = deploy("v3", "sick")
            assert (sick.code, asked(url)) == (1, "v2"), sick.out + sick.err
            back = shipped.run("rollback", "-e", "dev")
            assert back.code == 0, back.out + back.err
        assert asked(url) == "v1"
        assert seen[0].failed == 0, seen[0].losses
        assert shipped.releases("web")[0] == ("v3", "bad")
        assert "release v1 starts" in shipped.run("logs", "-e", "dev").out
        ports = {asked(f"{url}/env/PORT") for _ in itertools.repeat(None, 40)}
        assert ports == {"3001", "3002", "3003", "3004"}
        told = rig.client("cloudwatch", VIRGINIA).list_metrics(Namespace="BlueGreen/Deployment")["Metrics"]
        assert {one["MetricName"] for one in told} == {"DeploymentSuccess"}
        assert {name["Name"] for one in told for name in one["Dimensions"]} == {"Environment", "Version"}
        balanced = there(rig, running(rig)[-1]["id"], "cat", "/etc/nginx/conf.d/app.conf")
        assert "least_conn;" in balanced
        assert balanced.count("max_fails=2 fail_timeout=30s") == 4
