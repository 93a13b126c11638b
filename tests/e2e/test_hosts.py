"""Releases over two real sshds with a controller each, under constant load on both; the clients are the referee."""

import asyncio
import itertools
import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from tests.e2e.shell import APP, ERRORS, GOOD, NEVER_HEALTHY, PYTHON, Ran
from tests.support.ports import free_port
from tests.support.sshd import SshHosts, why_not

from crossfade.load import LoadGenerator, LoadReport

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "hosts")]

PATIENCE = 240.0  # seconds for what a busy machine may take its time with
SECRET = "hush-8d1f"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pair() -> Iterator[SshHosts]:
    made = SshHosts()
    try:
        yield made
    finally:
        made.close()


class Shop:
    """An app of its own on both hosts, and `crossfade` from a shell that knows nothing else of them."""

    def __init__(self, pair: SshHosts, name: str) -> None:
        self.name = name
        self.pair = pair
        self.port = free_port()
        self.folder = pair.root / name
        self.folder.mkdir()
        self.ssh: dict[str, Any] = {"key": str(pair.root / "id"), "known_hosts": str(pair.root / "known_hosts")}
        self.hosts = [host.address for host in pair.hosts]
        self.deployed = False
        self.write()

    @property
    def urls(self) -> list[str]:
        return [f"http://{host.ip}:{self.port}" for host in self.pair.hosts]

    def write(self, trouble: str = GOOD, mark: str = "", **deploy: Any) -> None:
        """The app and its file; another `mark` makes another release of the same code."""
        (self.folder / "main.py").write_text(f"# {mark}\n{APP.format(trouble=trouble)}")
        web = {
            "source": ".",
            "command": f"exec {PYTHON} main.py",
            "health": {"path": "/health", "interval": "1s", "timeout": "1s", "healthy": 1, "unhealthy": 5},
            "drain": "3s",
            "grace": "1s",
            "secrets": ["TOKEN"],
            "deploy": {"bake": "300ms", "timeout": "60s", "rollback_on": {"min_requests": 5}, **deploy},
        }
        prod = {"platform": "hosts", "hosts": self.hosts, "ssh": self.ssh}
        listen = {"http": self.port, "host": "own"}
        data = {"app": self.name, "services": {"web": web}, "environments": {"prod": {**prod, "listen": listen}}}
        (self.folder / "crossfade.yaml").write_text(json.dumps(data, indent=1))  # JSON is YAML

    def start(self, *words: str, token: str | None = SECRET) -> "subprocess.Popen[str]":
        """`token` is what this shell has for the secret."""
        return subprocess.Popen(
            [str(PYTHON), "-m", "crossfade.cli.main", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "CROSSFADE_STATE": str(self.folder / "s"),
                "TMPDIR": str(self.pair.root),
                **({"TOKEN": token} if token else {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> Ran:
        began = time.perf_counter()
        process = self.start(*words, "-e", "prod")
        out, _ = process.communicate(timeout=PATIENCE)
        return Ran(process.returncode, out, out, time.perf_counter() - began)

    def ok(self, *words: str) -> Any:
        """Run with --json, expect success, and return the result."""
        ran = self.run(*words, "--json")
        assert ran.code == 0, ran.out
        self.deployed = self.deployed or "deploy" in words
        return ran.last

    def serving(self) -> list[str]:
        """The release that each host answers with."""
        return [urllib.request.urlopen(url, timeout=30).read().decode() for url in self.urls]

    def until_said(self, process: "subprocess.Popen[str]", words: str) -> None:
        """Read what a verb says up to these words."""
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if words in line:
                return
        pytest.fail("".join(said))


@pytest.fixture
def shop(pair: SshHosts) -> Iterator[Shop]:
    made = Shop(pair, f"shop{next(numbers)}")
    yield made
    if made.deployed:
        made.run("down", "--force")


class Clients:
    """Steady traffic at each host beside what a test does; `reports` in their order once it ended."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.reports: list[LoadReport] = []

    async def _run(self) -> None:
        traffics = [LoadGenerator(url, clients=3, rate=40, path="/", timeout=30.0) for url in self._urls]
        for traffic in traffics:
            await traffic.__aenter__()
        while not self._end.is_set():  # noqa: ASYNC110  another thread's event
            await asyncio.sleep(0.05)
        await asyncio.gather(*(traffic.stop() for traffic in traffics))
        self.reports = [traffic.report() for traffic in traffics]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *how: object) -> None:
        self._end.set()
        self._thread.join()


@pytest.mark.long
def test_releases_go_out_and_come_back_without_losing_a_request(shop: Shop) -> None:
    """One host after the other, with each one's own verdict; the ledger, status and rollback are of all of them."""
    shop.ok("deploy", "--version", "v1")
    assert shop.serving() == ["1", "1"]
    with Clients(shop.urls) as clients:
        shop.write(mark="two")
        result = shop.ok("deploy", "--version", "v2")
        assert shop.serving() == ["2", "2"]
        back = shop.ok("rollback")
        assert shop.serving() == ["1", "1"]
    assert [report.losses for report in clients.reports] == [(), ()]
    assert all(report.requests for report in clients.reports)
    assert (result["rollout"]["id"], result["rollout"]["state"], result["rollout"]["version"]) == (2, "succeeded", "v2")
    assert [host["host"] for host in result["hosts"]] == shop.hosts
    assert [one["rollout"]["state"] for host in result["hosts"] for one in host["rollouts"]] == ["succeeded"] * 2
    assert (back["rollout"]["to"], back["rollout"]["state"]) == (1, "succeeded")
    status = shop.ok("status")
    assert (status["environment"], status["release"], status["rollout"]) == (f"{shop.name}@prod", 1, None)
    assert [host["services"][0]["release"] for host in status["hosts"]] == [1, 1]
    releases = shop.ok("releases")
    assert [(one["id"], one["to"], one["state"]) for one in releases["releases"]] == [
        (3, 1, "succeeded"),
        (2, None, "succeeded"),
        (1, None, "succeeded"),
    ]
    again = shop.run("rollback")
    assert again.code == 3
    assert "has no other good release to go back to" in again.out
    scaled = shop.ok("scale", "web=2")
    assert [host["services"][0]["replicas"] for host in scaled["hosts"]] == [2, 2]
    assert [host["why"] for host in shop.ok("restart")["hosts"]] == ["", ""]
    assert f"listening, secret {SECRET}" in shop.run("logs", "--lines", "3").out
    assert SECRET not in shop.run("events", "--json").out
    assert "goes to release 2 (v2), one host after the other" in shop.run("events").out
    assert len(shop.ok("plan")["plans"]) == 2


@pytest.mark.long
def test_errors_on_the_first_host_never_reach_the_second(shop: Shop) -> None:
    """Its own controller takes the release back; nobody else is touched."""
    shop.ok("deploy")
    shop.write(ERRORS, bake="20s")
    with Clients(shop.urls) as clients:
        ran = shop.run("deploy", "--json")
    assert ran.code == 1, ran.out
    assert ran.last["rollout"]["state"] == "rolled_back"
    assert [host["stage"] for host in ran.last["rollout"]["hosts"]] == ["back", "waiting"]
    assert "500" in ran.last["rollout"]["reason"] or "failed" in ran.last["rollout"]["reason"]
    assert shop.serving() == ["1", "1"]
    assert clients.reports[1].failed == 0


@pytest.mark.long
def test_a_release_that_is_never_healthy_costs_nobody_a_request(shop: Shop) -> None:
    shop.ok("deploy")
    shop.write(NEVER_HEALTHY, timeout="3s")
    with Clients(shop.urls) as clients:
        ran = shop.run("deploy")
    assert ran.code == 1, ran.out
    assert "was taken back" in ran.out
    assert [report.losses for report in clients.reports] == [(), ()]
    assert shop.serving() == ["1", "1"]


@pytest.mark.long
def test_a_host_that_dies_on_the_way_takes_the_others_back_and_itself_later(shop: Shop) -> None:
    """What it has goes on serving; once it answers again, `abort` ends it."""
    shop.ok("deploy")
    shop.write(mark="two", bake="5s")
    second = shop.pair.hosts[1]
    try:
        with Clients(shop.urls) as clients:
            process = shop.start("deploy", "-e", "prod")
            shop.until_said(process, f"{second.address}: release 2")
            second.stop()
            out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1, out
        assert "was taken back, but not everywhere" in out
        assert f"{second.address} could not go back" in out
        assert shop.serving()[0] == "1"
        refused = shop.run("deploy")
        assert (refused.code, second.address in refused.out) == (4, True)
        status = shop.ok("status")
        assert (status["rollout"]["state"], bool(status["hosts"][1]["trouble"])) == ("rolling_back", True)
    finally:
        second.start()
    ended = shop.run("abort")
    assert ended.code == 0, ended.out
    assert shop.serving() == ["1", "1"]
    assert [report.losses for report in clients.reports] == [(), ()]


@pytest.mark.long
def test_whoever_comes_next_goes_on_with_what_a_killed_deploy_left(shop: Shop) -> None:
    """Of the same release; and nothing of SSH stays behind."""
    shop.ok("deploy")
    shop.write(mark="two")
    with Clients(shop.urls) as clients:
        process = shop.start("deploy", "-e", "prod", "--version", "v2")
        shop.until_said(process, f"{shop.hosts[0]} has it")
        process.kill()
        process.wait()
        gone_on = shop.run("deploy", "--version", "v2")
    assert gone_on.code == 0, gone_on.out
    assert "was left on its way" in gone_on.out
    assert shop.serving() == ["2", "2"]
    assert [report.losses for report in clients.reports] == [(), ()]
    assert no_ssh_of(shop.pair.root)


@pytest.mark.long
def test_a_killed_deploy_is_taken_back_by_a_rollback(shop: Shop) -> None:
    """The host that has it already goes back, and the record says so."""
    shop.ok("deploy")
    shop.write(mark="two", bake="3s")
    process = shop.start("deploy", "-e", "prod")
    shop.until_said(process, f"{shop.hosts[1]} begins")
    process.kill()
    process.wait()
    back = shop.run("rollback")
    assert back.code == 0, back.out
    assert shop.serving() == ["1", "1"]
    assert [one["state"] for one in shop.ok("releases")["releases"]] == ["aborted", "succeeded"]


@pytest.mark.long
def test_a_step_that_waits_for_a_person_is_approved_from_here(shop: Shop) -> None:
    """On each host as it comes; and what was taken down runs no release."""
    shop.write(strategy="canary", steps=["50%", "100%"], approve=["50%"], bake="0s")
    shop.ok("deploy")
    shop.write(mark="two", strategy="canary", steps=["50%", "100%"], approve=["50%"], bake="0s")
    process = shop.start("deploy", "-e", "prod")
    for host in shop.hosts:
        shop.until_said(process, "crossfade promote")
        assert shop.ok("promote")["hosts"] == [{"host": host, "service": "web"}]
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out
    assert shop.serving() == ["2", "2"]
    assert [host["stopped"] for host in shop.ok("down", "--force")["hosts"]] == [[f"{shop.name}/web"]] * 2
    assert shop.ok("status")["release"] is None


@pytest.mark.long
def test_two_deploys_at_once_are_one(shop: Shop) -> None:
    """The second is told who works on it, and touches nothing."""
    shop.write(strategy="canary", steps=["50%", "100%"], approve=["50%"])
    shop.ok("deploy")
    shop.write(mark="two", strategy="canary", steps=["50%", "100%"], approve=["50%"])
    first = shop.start("deploy", "-e", "prod")
    shop.until_said(first, "crossfade promote")
    refused = shop.run("deploy")
    assert refused.code == 3, refused.out
    assert f"has been working on {shop.name}@prod since" in refused.out
    first.kill()
    first.wait()
    assert "half done" in shop.run("scale", "web=2").out
    stopped = shop.run("down", "--force")
    assert stopped.code == 0, stopped.out
    assert shop.ok("status")["rollout"] is None


@pytest.mark.long
def test_a_host_whose_key_changed_is_told_nothing(shop: Shop) -> None:
    """It may be another machine: no host is touched, and status says which one it is."""
    second = shop.pair.hosts[1]
    second.stop()
    second.make_key()
    second.start()
    try:
        ran = shop.run("deploy")
        assert ran.code == 4
        assert f"the key of {second.address} changed: it may be another machine, so it was told nothing" in ran.out
        [trouble] = [one["trouble"] for one in shop.ok("status")["hosts"] if one["host"] == second.address]
        assert "the key of" in trouble
    finally:
        shop.pair.know()


@pytest.mark.parametrize(
    ("ssh", "code", "said"),
    [
        ({"key": "/nowhere/id"}, 2, "the key /nowhere/id does not exist"),
        ({"known_hosts": "/dev/null"}, 4, "is not known here, so it was told nothing"),
        ({"crossfade": "no-such-crossfade"}, 4, "has no crossfade"),
    ],
)
def test_what_keeps_hosts_from_being_reached_is_one_sentence(
    shop: Shop, ssh: dict[str, str], code: int, said: str
) -> None:
    """With the way out, and before anything is touched."""
    shop.ssh |= ssh
    shop.write()
    ran = shop.run("deploy")
    assert ran.code == code, ran.out
    assert said in ran.out
    assert "Traceback" not in ran.out


@pytest.mark.long
def test_a_secret_is_given_to_hosts_before_a_deploy_that_does_not_have_it(shop: Shop) -> None:
    """Each host keeps the value; the next release starts with it, another value makes another release."""
    (shop.folder / "value").write_text("given-4f2a\n")
    assert shop.run("secrets", "set", "TOKE", "--from", "value").code == 2
    told = shop.ok("secrets", "set", "TOKEN", "--from", "value")
    assert told["secret"] == {"variable": "TOKEN", "hosts": shop.hosts}
    process = shop.start("deploy", "-e", "prod", token=None)
    out, _ = process.communicate(timeout=PATIENCE)
    shop.deployed = True
    assert process.returncode == 0, out
    assert "listening, secret given-4f2a" in shop.run("logs", "--lines", "3").out
    listed = shop.run("secrets", "list")
    assert listed.out.count("TOKEN  given 20") == 2
    assert "given-4f2a" not in listed.out + shop.run("events", "--json").out


def test_a_verb_that_is_each_hosts_own_says_where_it_works(shop: Shop) -> None:
    ran = shop.run("tag", "stable")
    assert ran.code == 3
    assert f"ssh -t {shop.hosts[0]} crossfade tag" in ran.out


def no_ssh_of(root: Path, seconds: float = 60.0) -> bool:
    """No client of ours is left; one whose process was killed may take a moment to notice."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not [pid for pid in _commands(str(root)) if _is_ssh(pid)]:
            return True
        time.sleep(0.1)
    return False


def _commands(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _is_ssh(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "ssh"
    except OSError:
        return False
