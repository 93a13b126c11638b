"""Releases on AWS as a person ships them: the command line, a model of AWS, and clients that count what they lose."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.rig import Rig
from tests.rig.place import make

pytestmark = pytest.mark.long

PACE = 20.0
LIMIT = 300.0  # seconds for one command on a busy machine

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
environments:
  local: {{}}
  dev: {{platform: aws}}
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def last(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@dataclass
class Visitors:
    """Clients that ask all the time: what was answered, and what went wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


class Shop:
    """An app of its own on the rig, and the folder that it is shipped from."""

    def __init__(self, rig: Rig, app: str, folder: Path) -> None:
        self.place = make(rig, app)
        self._rig, self._folder = rig, folder
        self.home = f"{app}@dev"
        self.variables = {**_plain(), **rig.environment, "CROSSFADE_AWS_PACE": f"{PACE:g}"}
        self.variables["CROSSFADE_STATE"] = str(folder / "state")
        self.write(1)

    def write(self, release: int, *, fault: str = "", bake: str = "0s") -> None:
        (self._folder / "crossfade.yaml").write_text(
            FILE.format(app=self.place.app, image=self.place.image, release=release, fault=fault, bake=bake)
        )

    def run(self, *words: str, **variables: str) -> Ran:
        done = subprocess.run(
            [*_CROSSFADE, *words],
            env={**self.variables, **variables},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A command under way; it is gone at the end of the block."""
        process = subprocess.Popen(
            [*_CROSSFADE, *words], env=self.variables, cwd=self._folder, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def visited(self) -> Iterator[Visitors]:
        visitors, over = Visitors(), threading.Event()
        address = urlsplit(f"http://{self._rig.address_of(self.place.load_balancer)}").netloc
        _await_the_first_answer(address)  # of what the place began with
        threads = [threading.Thread(target=_visit, args=(address, visitors, over)) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield visitors
        finally:
            over.set()
            for thread in threads:
                thread.join()


_CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")


def _plain() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "CROSSFADE_"))}


def _await_the_first_answer(address: str) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(address, timeout=10)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return
        connection.close()
        time.sleep(0.1)
    raise AssertionError("nothing answers")


def _visit(address: str, visitors: Visitors, over: threading.Event) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    while not over.wait(0.02):
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            visitors.lost[type(error).__name__] += 1
            connection.close()
        else:
            visitors.answers[said] += answer.status == 200
            if answer.status != 200:
                visitors.lost[str(answer.status)] += 1
    connection.close()


def _until(process: "subprocess.Popen[str]", holds: Callable[[Any], bool]) -> Any:
    """The first line of `--json` for which something holds."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if holds(event):
            return event
    raise AssertionError("it ended before")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


@pytest.fixture
def shop(rig: Rig, request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return Shop(rig, f"shop{request.module.SHOPS.pop()}", tmp_path)


SHOPS = list("hgfedcba")


def test_a_release_goes_out_and_back_without_losing_a_request(shop: Shop) -> None:
    """Blue-green by the weights, told as on one machine; a rollback is carried as well."""
    with shop.visited() as visitors:
        assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
        shop.write(2)
        ran = shop.run("deploy", "-e", "dev", "--version", "v2", "--json")
        assert (ran.code, ran.last["rollout"]["state"]) == (0, "succeeded")
        assert "retried" in ran.last["traffic"]["uncounted"]
        assert shop.run("rollback", "-e", "dev").code == 0
    assert not visitors.lost
    assert set(visitors.answers) == {"1", "2"}
    releases = json.loads(shop.run("releases", "-e", "dev", "--json").out)["releases"]
    assert [(one["version"], one["outcome"]) for one in releases] == [("v2", "bad"), ("v1", "good")]
    assert "release 1 starts" in shop.run("logs", "-e", "dev").out


def test_a_release_that_never_gets_healthy_is_taken_back(shop: Shop) -> None:
    """Nobody was sent to it: exit code 1, and why."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, fault="broken")
    with shop.visited() as visitors:
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
    assert ran.code == 1
    assert not visitors.lost
    assert set(visitors.answers) == {"1"}


def test_what_a_killed_process_left_is_gone_on_with_by_the_next(shop: Shop) -> None:
    """SIGKILL in the middle of the switch; the job of CI is run again, and loses nothing."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2)
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
            _until(process, lambda event: event["kind"] == "done")
            process.send_signal(signal.SIGKILL)
        ran = shop.run("deploy", "-e", "dev", "--version", "v2")
        assert (ran.code, "was left: going on with it" in ran.out) == (0, True)
        assert "already runs exactly this" in ran.out
    assert not visitors.lost
    assert visitors.answers["2"]


def test_another_machine_looks_and_gives_orders(shop: Shop) -> None:
    """A second deploy is refused with who carries the first; `abort` is done by that one."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, bake="10m")
    with shop.visited() as visitors, shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
        _until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
        refused = shop.run("deploy", "-e", "dev", "--version", "v3")
        assert refused.code == 3
        assert f"rollout 2 of {shop.home}/web to release 2 (v2)" in refused.err
        assert f"process {process.pid}-" in refused.err
        assert f"process {process.pid}-" in shop.run("status", "-e", "dev").out
        aborted = shop.run("abort", "-e", "dev", "--reason", "wrong branch")
        assert aborted.code == 0
        assert "who carries it" in aborted.out
        out, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 1
        assert json.loads(out.splitlines()[-1])["rollout"]["reason"] == "wrong branch"
    assert not visitors.lost


def test_a_cancelled_job_leaves_things_as_they_are(shop: Shop) -> None:
    """SIGTERM gives the lease back at once, and says how to go on; `abort` carries it home."""
    shop.run("deploy", "-e", "dev", "--version", "v1")
    shop.write(2, bake="10m")
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
            _until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
            process.terminate()
            assert process.wait(LIMIT) == 130
        assert "nobody carries it" in shop.run("status", "-e", "dev").out
        assert shop.run("abort", "-e", "dev").code == 0
    assert not visitors.lost


def test_credentials_that_expire_on_the_way_end_the_command(rig: Rig, shop: Shop) -> None:
    """It cannot even write down what is: traffic stays, and the next command with good ones carries it home."""
    shop.write(1, bake="10m")
    with shop.visited() as visitors:
        with shop.running("deploy", "-e", "dev", "--version", "v1", "--json") as process:
            _until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
            rig.knobs.refuse("*", "*", "ExpiredTokenException", "The security token is expired")
            out, _ = process.communicate(timeout=LIMIT)
            rig.knobs.clear()
        error = json.loads(out.splitlines()[-1])["error"]
        assert (process.returncode, error["cause"]) == (4, "the credentials for AWS have expired")
        assert "traffic stays as it is, and `crossfade resume -e dev` goes on" in error["way_out"]
        assert shop.run("abort", "-e", "dev").code == 0
    assert not visitors.lost


def test_what_aws_refuses_is_one_sentence(rig: Rig, shop: Shop) -> None:
    """With its way out and exit code, and nothing is on record."""
    nobody = shop.run("deploy", "-e", "dev", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nonexistent")
    assert (nobody.code, "there are no credentials for AWS" in nobody.err) == (4, True)
    rig.knobs.refuse("dynamodb", "GetItem", "ExpiredTokenException", "The security token is expired")
    expired = shop.run("deploy", "-e", "dev")
    rig.knobs.clear()
    assert (expired.code, "the credentials for AWS have expired" in expired.err) == (4, True)
    assert "nothing runs here" in shop.run("status", "-e", "dev").out
