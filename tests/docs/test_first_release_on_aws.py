"""The page from an empty account to a rollback, typed by a machine, on the rig: Terraform, Docker and every command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.runtime_kits import DockerImages, docker_is_missing
from tests.docs.pages import ROOT, Page
from tests.docs.shell import Shell, commands
from tests.rig import Rig
from tests.support.ports import free_port
from tests.support.shipped import PACE
from tests.support.terraform import find_terraform

pytestmark = [
    pytest.mark.applies,
    pytest.mark.walks,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(bool(docker_is_missing()), reason=docker_is_missing() or "Docker runs"),
]
PAGE = Page(ROOT / "docs" / "first-release-on-aws.md")
# Nobody's DNS knows the load balancer: it is asked where it really listens.
CURL = """#!/usr/bin/env python3
import json, os, urllib.request
with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_rig/listeners") as said:
    address = json.load(said)[0]["address"]
with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
    print(answer.read().decode(), end="")
"""


@pytest.fixture
def base() -> Iterator[str]:
    """A busybox, for the one that a registry has."""
    images = DockerImages()
    yield images.add("page")
    images.remove()


def left(rig: Rig) -> dict[str, list[Any]]:
    """What is still there of all that costs by the hour."""
    ec2, ecs, elb = (rig.client(one, "eu-central-1") for one in ("ec2", "ecs", "elbv2"))
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    found = {
        "gateways": [one for one in ec2.describe_nat_gateways()["NatGateways"] if one["State"] != "deleted"],
        "addresses": ec2.describe_addresses()["Addresses"],
        # One that is deleted is listed for a while:
        # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
        "clusters": [one for one in clusters if one["status"] == "ACTIVE"],
        "balancers": elb.describe_load_balancers()["LoadBalancers"],
    }
    return {name: ones for name, ones in found.items() if ones}


def test_the_page_works_from_its_first_line_to_its_last(base: str, tmp_path: Path) -> None:
    """An app, its place, two releases, a bad one, the way back; and nothing is left that costs anything."""
    terraform = find_terraform(tmp_path).variables
    with Rig(pace=PACE, lag=1, containers=True) as rig:
        env = {**rig.environment, **terraform, "CROSSFADE_AWS_PACE": f"{PACE:g}"}
        shell = Shell(free_port(), folder="shop", env=env, limit=1800)
        (shell.home / "bin" / "curl").write_text(CURL)
        (shell.home / "bin" / "curl").chmod(0o755)
        try:
            for block in PAGE.blocks():
                if named := re.findall(r"`(Dockerfile|crossfade\.yaml)`:$", block.before):
                    shell.write(named[0], block.text.replace("FROM busybox", f"FROM {base}"))
                elif "aws ecr delete-repository" in block.text:  # there is no command line of AWS's here
                    rig.client("ecr", "eu-central-1").delete_repository(repositoryName="shop-dev/web", force=True)
                elif block.language == "console":
                    for command in commands(block.text):
                        shell.run(command.text, command.shown)
            assert left(rig) == {}
        finally:
            shell.close()
