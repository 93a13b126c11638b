"""`make demo-aws`: releases of tiketi's API on the rig, as they go out on AWS, under load and told step by step."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
from tests.rig import Rig
from tests.rig.place import APP, Place, make
from tests.rig.rig import ACCOUNT, REGION

from crossfade.aws.places import Places
from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.demo.app import examples
from crossfade.demo.programme import Programme
from crossfade.demo.record import DemoStep, as_table, step, summary
from crossfade.load import LoadGenerator, Mode
from crossfade.stage.verbs import VerbRunner

PACE = 20.0  # a minute of AWS's is 3 s
CLIENTS, RATE = 8, 100.0  # and requests a second of all of them
LONGEST = 180.0  # seconds for one verb on a busy machine
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{Places('tiketi', 'demo').repository('api')}"
# What is another one in this environment than in those of examples/tiketi, whose file this is written below.
ENVIRONMENT = """\
  demo:
    platform: aws
    cloud:
      region: {region}
      secrets:
        DB_PASSWORD: {{name: tiketi/demo/db/password}}
        JWT_SECRET: {{name: tiketi/demo/jwt/secret}}
        REDIS_PASSWORD: {{name: tiketi/demo/redis/password}}
    services:
      api:
        image: {image}
        env: {{RELEASE: {version}}}
        resources: {{cpu: 0.5, memory: 1G}}
        drain: 2s
        deploy:
          strategy: {strategy}
          {steps}
          bake: 4s
          timeout: 60s
          keep_previous: 5m
          rollback_on: {{p95: null, min_requests: 20}}
"""
SECRETS = {
    "DB_PASSWORD": "tiketi/demo/db/password",
    "JWT_SECRET": "tiketi/demo/jwt/secret",
    "REDIS_PASSWORD": "tiketi/demo/redis/password",
}
DEPLOY, ROLLBACK = ("deploy", "api", "-e", "demo"), ("rollback", "api", "-e", "demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One verb on one release, and how it has to end. `steps` are a canary's shares; none: blue-green."""

    name: str
    told: str
    verb: tuple[str, ...] = DEPLOY
    version: str = ""  # that is built before; empty: all is as it was
    fault: str = ""  # of that build, as tests/rig/app.py has them
    steps: tuple[int, ...] = ()
    expected: str = "succeeded"


FIRST = Act(name="v1", told="the first release, where only what Terraform began with has served", version="v1")
SICK = Act(
    name="v3 as a canary",
    told="a bug: each answer is a 500, the health check does not notice; CloudWatch does, on 20 % of the traffic",
    version="v3",
    fault="errors",
    steps=(20, 100),
    expected="rolled_back",
)
ACTS = (
    FIRST,
    Act(
        name="v2",
        told="blue-green: the other colour is up and healthy before the weights of the load balancer move",
        version="v2",
    ),
    Act(name="rollback to v1", told="its tasks are still warm: only weights move", verb=ROLLBACK),
    SICK,
)


class Stage:
    """A folder with tiketi's file, and its environment `demo` on a rig of its own."""

    def __init__(self, rig: Rig, place: Place, folder: Path, programme: Programme) -> None:
        self._rig, self._folder = rig, folder
        self.url = f"http://{rig.address_of(place.load_balancer)}"
        self.file = (examples() / "tiketi" / "crossfade.yaml").read_text(encoding="utf-8")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "CROSSFADE_"))}
        own = {"CROSSFADE_AWS_PACE": f"{PACE:g}", "CROSSFADE_STATE": str(folder / "state")}
        self.verbs = VerbRunner(
            folder=folder, environment={**kept, **rig.environment, **own}, said=programme.aside, longest=LONGEST
        )

    def build(self, act: Act) -> None:
        """An image in ECR, as a pipeline pushes it, and the file that asks for it."""
        image = f"{REPOSITORY}:{act.version}"
        self._rig.images.add(image, [sys.executable, str(APP)], environment={"FAULT": act.fault, "BUILD": act.version})
        said = ENVIRONMENT.format(
            region=REGION,
            image=image,
            version=act.version,
            strategy="canary" if act.steps else "blue-green",
            steps=f"steps: {list(act.steps)}" if act.steps else "",
        )
        (self._folder / "crossfade.yaml").write_text(self.file + said, encoding="utf-8")


@asynccontextmanager
async def staged(programme: Programme) -> AsyncIterator[Stage]:
    """A rig and a folder that are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="crossfade-demo-aws-"))
    try:
        async with Rig(pace=PACE, lag=2) as rig:
            place = await asyncio.to_thread(make, rig, "tiketi", "demo", "api", port=3001, secrets=SECRETS)
            yield Stage(rig, place, folder, programme)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def play(acts: Sequence[Act], programme: Programme) -> list[DemoStep]:
    """Each with what clients saw meanwhile."""
    programme.say(f"An AWS on this machine, {PACE:g} times as fast as the real one, which is asked nothing")
    async with staged(programme) as stage:
        programme.say(f"The place is there, as Terraform makes it: a load balancer at {stage.url} and two ECS services")
        await _answered(stage.url)
        paths = ("/", "/slow?s=0.02")
        async with LoadGenerator(stage.url, clients=CLIENTS, mode=Mode.KEEPALIVE, path=paths, rate=RATE) as load:
            programme.say(f"{CLIENTS} clients ask {RATE:g} times a second from now on; each answer is counted")
            return [await _perform(stage, programme, act, load) for act in acts]


async def _perform(stage: Stage, programme: Programme, act: Act, load: LoadGenerator) -> DemoStep:
    programme.begin(act.name, act.told)
    if act.version:
        await asyncio.to_thread(stage.build, act)
    load.lap()  # what came between two acts belongs to neither
    ran = await stage.verbs.run(*act.verb, told=programme.event)
    report = load.lap()
    if "error" in ran.result:
        raise PlatformError(ran.result["error"]["cause"], ran.result["error"]["way_out"])
    done = step(act.name, act.expected, ran.result, ran.seconds, report, bad_release=act.fault == "errors")
    programme.end(done)
    return done


async def _answered(url: str) -> None:
    """Until what Terraform began with serves."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        with suppress(OSError):
            await asyncio.to_thread(urllib.request.urlopen, url, timeout=5)
            return
        await asyncio.sleep(0.1)
    raise PlatformError(f"nothing answered at {url} within {LONGEST:g} s", "is this machine very busy?")


async def _until_stopped(acts: Sequence[Act], *, as_json: bool) -> int:
    """Exit code. SIGINT and SIGTERM end it in order: nothing is left running."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    began = time.monotonic()
    try:
        steps = await play(acts, Programme(silent=as_json))
    except asyncio.CancelledError:
        click.echo("\nstopped; nothing is left running", err=True)
        return 130
    data = summary(steps)
    if as_json:
        click.echo(json.dumps(data))
    else:
        verdict = f"{data['requests']:,} requests, {data['failed']} lost, in {time.monotonic() - began:.0f} s"
        click.echo(f"\n{as_table(steps)}\n")
        click.secho(f"{verdict}. Nothing is left running.", bold=True, fg="green" if data["ok"] else "red")
    return 0 if data["ok"] else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.demo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="say only what came of it, as one line of JSON")
    asked = parser.parse_args()
    try:
        return asyncio.run(_until_stopped(ACTS, as_json=asked.json))
    except CrossfadeError as error:
        click.echo(f"{error.cause}\n{error.way_out}", err=True)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
