"""An example's dev environment on the rig as a team makes it: by Terraform, from the example's own file."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.infra.project import Project
from tests.rig import Rig
from tests.support.terraform import find_terraform

from crossfade.load import LoadGenerator, LoadReport

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 300.0  # seconds for what a busy machine may take its time with
ANYBODYS = ssl._create_unverified_context()  # certificates here are of nobody's name


@contextmanager
def applied(rig: Rig, system: str, here: Mapping[str, str], home: Path, scratch: Path) -> Iterator[Project]:
    """In the folder `home`, with what the file says replaced as `here` says, each once."""
    text = (EXAMPLES / system / "crossfade.yaml").read_text()
    for said, instead in here.items():
        assert text.count(said) == 1, said
        text = text.replace(said, instead)
    (home / "crossfade.yaml").write_text(text)
    project = Project(home, env={**rig.environment, **find_terraform(scratch).variables})
    try:
        project.ok("bootstrap")
        project.ok("init", "-e", "dev")
        project.ok("apply", "-e", "dev", "--yes", limit=1800)
        yield project
    finally:
        project.close()


def door(rig: Rig, region: str, name: str) -> str:
    """`https://...` where visitors come in: the load balancer's listener of HTTPS."""
    elb = rig.client("elbv2", region)
    balancer = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    secure = next(one["ListenerArn"] for one in listeners if one["Protocol"] == "HTTPS")
    return f"https://{rig.address_of(secure)}"


def asked(url: str) -> str:
    with urlopen(url, context=ANYBODYS, timeout=30) as said:
        return str(said.read().decode())


@contextmanager
def visited(url: str) -> Iterator[list[LoadReport]]:
    """By visitors all the while; afterwards what they saw."""
    over, seen = threading.Event(), list[LoadReport]()

    async def visit() -> None:
        async with LoadGenerator(url, clients=2, rate=20, timeout=30.0, tls=ANYBODYS) as traffic:
            while not over.is_set():  # noqa: ASYNC110  another thread's event
                await asyncio.sleep(0.05)
        seen.append(traffic.report())

    thread = threading.Thread(target=lambda: asyncio.run(visit()))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"this did not come true in {PATIENCE:g} s"
        time.sleep(0.1)
