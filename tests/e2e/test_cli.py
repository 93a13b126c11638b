"""The verbs against a real controller, a real Envoy and real processes."""

import asyncio
import json
import os
import pty
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

import pytest
from tests.e2e.shell import ERRORS, GOOD, NEVER_HEALTHY, PYTHON, Machine, machine, sentence

from crossfade.cli.client import ControllerClient
from crossfade.cli.machine import controller
from crossfade.core.errors import CrossfadeError
from crossfade.load import LoadGenerator, LoadReport
from crossfade.paths import StateDirectory

pytestmark = pytest.mark.slow

NOTHING: dict[str, list[object]] = {
    name: [] for name in ("services", "stores", "groups", "building", "unknown", "trouble")
}


@pytest.fixture
def alone() -> Iterator[Machine]:
    """For what starts or ends a controller."""
    with machine() as made:
        made.write()
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Machine]:
    """A machine with a release that nothing touches which is done beside it, or goes wrong."""
    with machine() as made:
        made.write()
        made.ok("deploy")
        yield made


@pytest.fixture
def shop(running: Machine) -> Iterator[Machine]:
    """An app that was never deployed yet, of a controller that runs."""
    made = running.beside(f"shop-{secrets.token_hex(3)}")
    made.write()
    yield made
    made.leave()


class Clients:
    """Steady traffic beside what a test does."""

    def __init__(self, url: str) -> None:
        self._traffic = lambda: LoadGenerator(url, clients=4, rate=100, path="/")
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.report: LoadReport | None = None

    async def _run(self) -> None:
        async with self._traffic() as traffic:
            while not self._end.is_set():  # noqa: ASYNC110  another thread's event
                await asyncio.sleep(0.05)
        self.report = traffic.report()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *how: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def seen(self) -> LoadReport:
        assert self.report is not None
        return self.report


class TestDeploy:
    def test_the_first_release_of_a_newcomers_app(self, shop: Machine) -> None:
        """Its last line is the one result; status and releases have their stable shapes."""
        result = shop.ok("deploy", "--version", "v1")
        rollout, traffic = result["rollout"], result["traffic"]
        assert {"id", "service", "from", "to", "strategy", "state", "reason", "seconds", "switch_ms"} <= rollout.keys()
        assert {"requests", "failed", "retried", "drained", "p50_ms", "p99_ms"} <= traffic.keys()
        assert (rollout["service"], rollout["from"], rollout["to"]) == (f"{shop.app}/web", None, 1)
        assert (rollout["strategy"], rollout["state"]) == ("blue-green", "succeeded")
        status = shop.status()
        assert (status["name"], status["release"], status["rollout"]) == ("web", 1, None)
        assert {(i["release"], i["state"], i["weight"]) for i in status["instances"]} == {(1, "healthy", 50.0)}
        assert all({"id", "address"} <= i.keys() for i in status["instances"])
        [release] = shop.ok("releases")["releases"]
        assert (release["number"], release["version"], release["outcome"]) == (1, "v1", "good")
        assert "current" in release["tags"]

    def test_a_new_release_under_traffic(self, shop: Machine) -> None:
        """No request is lost, and what the balancer counted is in the answer and in status."""
        shop.ok("deploy")
        with Clients(shop.url) as clients:
            ran = shop.run("deploy", "--force", "--strategy", "canary")
        assert ran.code == 0
        assert f"{shop.app}/web runs release 2 (r2): canary in" in ran.out
        assert "0 failed" in ran.out
        assert "10 % of the traffic, switched in" in ran.out
        assert clients.seen.failed == 0
        assert set(clients.seen.releases) == {"1", "2"}
        assert shop.status()["last"]["traffic"]["requests"] > 0
        assert "0 failed" in shop.run("status", "--app", shop.app).out

    def test_a_bad_release_takes_itself_back(self, shop: Machine) -> None:
        """Exit code 1, the reason first, the old release untouched, and the bad one marked."""
        shop.ok("deploy")
        before = shop.status()["instances"]
        shop.write(ERRORS, deploy={"strategy": "canary", "bake": "10s"})
        with Clients(shop.url) as clients:
            ran = shop.run("deploy")
        assert ran.code == 1
        assert "Release 2 (r2) was taken back: release 2 failed" in ran.out
        status = shop.status()
        assert status["release"] == 1
        assert [i["id"] for i in status["instances"]] == [i["id"] for i in before]
        newest = shop.ok("releases")["releases"][0]
        assert newest["outcome"] == "bad"
        assert "failed" in newest["why"]
        bad = clients.seen.statuses.get(500, 0)
        assert clients.seen.failed == bad == status["last"]["traffic"]["failed"]

    @pytest.mark.long
    def test_a_release_that_never_gets_healthy(self, shop: Machine) -> None:
        """It gets no request, and the last complaint of its health check is in the reason."""
        shop.ok("deploy")
        shop.write(NEVER_HEALTHY, deploy={"timeout": "2s"})
        with Clients(shop.url) as clients:
            ran = shop.run("deploy", "--json")
        assert ran.code == 1
        assert ran.last["rollout"]["state"] == "rolled_back"
        assert "503" in ran.last["rollout"]["reason"]
        assert clients.seen.failed == 0
        assert set(clients.seen.releases) == {"1"}

    def test_a_wrong_file_is_named_alike_by_whoever_reads_it(self, shop: Machine) -> None:
        """Without a controller the command line reads the file, with one the controller does; nobody sees which."""
        shop.write(replica=3)
        alone = shop.run("deploy", "--state", str(shop.home / "none"))
        shop.write()
        shop.ok("deploy")
        shop.write(replica=3)
        asked = shop.run("deploy")
        assert (alone.code, asked.code) == (2, 2)
        assert "did you mean replicas?" in alone.err
        assert asked.err == alone.err
        assert shop.status()["release"] == 1

    def test_events_are_lines_before_the_result(self, shop: Machine) -> None:
        """NDJSON: each line an event of the journal, the last one the result."""
        lines = [json.loads(line) for line in shop.run("deploy", "--json").out.splitlines()]
        assert [line["kind"] for line in lines[:2]] == ["release created", "rollout started"]
        assert all("kind" in line for line in lines[:-1])
        assert "rollout" in lines[-1]

    def test_the_same_again_is_unchanged(self, shop: Machine) -> None:
        """Nothing changed, so nothing is done, unless forced; a job of CI that runs again does not fail."""
        shop.ok("deploy")
        ran = shop.run("deploy", "--json")
        assert ran.code == 0
        assert "already runs exactly this" in ran.last["unchanged"][0]
        assert "unchanged: release 1" in shop.run("deploy").out
        assert len(shop.ok("releases")["releases"]) == 1

    def test_a_terminal_sees_it_move(self, shop: Machine) -> None:
        """On a terminal there is a line that lives; the sentences are the same."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", "deploy"],
            cwd=shop.source,
            env=shop.environment | {"TERM": "xterm"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        seen = bytearray()
        try:
            while chunk := os.read(leader, 65536):
                seen += chunk
        except OSError:
            pass  # the other side is closed
        os.close(leader)
        assert process.wait(10) == 0
        assert b"switched in" in seen
        assert f"{shop.app}/web runs release 1".encode() in seen
        assert "⠋".encode() in seen or b"baking" in seen

    def test_ctrl_c_leaves_the_rollout_to_the_controller(self, shop: Machine) -> None:
        """Who watches may leave; the rollout goes on and says how to be watched again."""
        shop.write(deploy={"bake": "4s"})
        process = shop.start("deploy")
        shop.until(lambda status: status["rollout"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert "crossfade abort" in err
        assert shop.until(lambda status: status["last"])["rollout"]["state"] == "succeeded"

    def test_detach_returns_at_once(self, shop: Machine) -> None:
        """With the number of the rollout."""
        shop.write(deploy={"bake": "2s"})
        assert shop.ok("deploy", "--detach")["rollout"]["id"] == 1
        assert shop.status()["rollout"]["state"] == "running"


class TestSecrets:
    def test_their_values_come_from_the_shell_and_go_nowhere_else(self, shop: Machine) -> None:
        """Without a value the deploy is refused; with one, no file but the secret's own has it, and no command line."""
        shop.write(secrets=["TOKEN"])
        ran = shop.run("deploy")
        assert (ran.code, "TOKEN" in ran.err) == (2, True)
        shop.ok("deploy", env={"TOKEN": "s3same-0pen"})
        assert "secret s3same-0pen" in shop.run("logs").out
        found = subprocess.run(["grep", "-rl", "s3same-0pen", shop.state], capture_output=True, text=True, check=False)
        assert all("/secrets" in line or "/logs/" in line for line in found.stdout.splitlines())
        assert not any("s3same" in command for command in shop.processes().values())


class TestSteering:
    def test_rollback_to_the_warm_release(self, shop: Machine) -> None:
        """One change of routing to the old instances, and the one left is bad and not chosen again."""
        shop.ok("deploy")
        old = {i["id"] for i in shop.status()["instances"]}
        shop.ok("deploy", "--force")
        with Clients(shop.url) as clients:
            result = shop.ok("rollback")
        assert (result["rollout"]["to"], result["rollout"]["strategy"]) == (1, "rollback")
        assert {i["id"] for i in shop.status()["instances"] if i["weight"]} == old
        assert clients.seen.failed == 0
        ran = shop.run("rollback")
        assert ran.code == 3
        assert "no other good release" in ran.err

    @pytest.mark.long
    def test_rollback_to_a_tag_that_is_cold(self, shop: Machine) -> None:
        """A tagged release is kept, and started again when it is wanted."""
        shop.write(deploy={"keep_previous": 0})
        shop.ok("deploy")
        assert shop.ok("tag", "stable")["release"] == 1
        shop.ok("deploy", "--force")
        shop.until(lambda status: all(i["release"] == 2 for i in status["instances"]))
        with Clients(shop.url) as clients:
            assert shop.ok("rollback", "--to", "stable")["rollout"]["to"] == 1
        assert clients.seen.failed == 0
        ran = shop.run("rollback", "--to", "nonsense")
        assert ran.code == 2
        assert "no release 'nonsense'" in ran.err

    def test_a_rollout_can_be_paused_promoted_and_aborted(self, shop: Machine) -> None:
        """Approvals wait for `promote`; an abort takes it back without calling the release bad."""
        shop.ok("deploy")
        shop.write(deploy={"strategy": "canary", "steps": [50, 100], "approve": [50], "bake": 0})
        process = shop.start("deploy")
        assert process.stdout is not None
        assert any("asks for `crossfade promote`" in line for line in process.stdout)
        assert shop.ok("pause")["rollout"]["paused"]
        shop.ok("promote")
        time.sleep(0.5)
        assert shop.status()["rollout"]["paused"]
        shop.ok("resume")
        assert process.wait(20) == 0
        process = shop.start("deploy", "--force", "--json")
        shop.until(lambda status: status["rollout"] and "promote" in str(status["rollout"]["waiting_for"]))
        shop.ok("abort", "--reason", "wrong branch")
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 1
        rollout = json.loads(out.splitlines()[-1])["rollout"]
        assert (rollout["state"], rollout["reason"]) == ("aborted", "wrong branch")
        assert shop.ok("releases")["releases"][0]["outcome"] == "aborted"
        ran = shop.run("abort")
        assert (ran.code, "no rollout" in ran.err) == (3, True)

    @pytest.mark.long
    def test_a_second_deployer_is_told_who_was_first(self, shop: Machine) -> None:
        """Who and since when; --supersede takes the first back and goes on."""
        shop.ok("deploy")
        shop.write(deploy={"bake": "30s"})
        first = shop.start("deploy", "--json")
        shop.until(lambda status: status["rollout"] and "baking" in str(status["rollout"]["waiting_for"]))
        ran = shop.run("deploy")
        assert ran.code == 3
        assert "@" in ran.err
        assert "since" in ran.err
        assert "--supersede" in ran.err
        shop.write(deploy={"bake": "100ms"})
        with Clients(shop.url) as clients:
            assert shop.ok("deploy", "--supersede")["rollout"]["state"] == "succeeded"
        assert first.wait(10) == 1
        assert clients.seen.failed == 0

    @pytest.mark.long
    def test_a_lock_holds_everybody_off(self, shop: Machine) -> None:
        """With the reason, until it is released."""
        shop.ok("deploy")
        shop.ok("lock", "--reason", "sale until Monday")
        ran = shop.run("deploy", "--force", "--json")
        assert ran.code == 0  # forced
        ran = shop.run("rollback")
        assert ran.code == 3
        assert "sale until Monday" in ran.err
        assert "locked by" in shop.run("status", "--app", shop.app).out
        shop.ok("lock", "--release")
        assert shop.run("rollback").code == 0

    @pytest.mark.long
    def test_scaling_under_traffic(self, shop: Machine) -> None:
        """Up and down, and no request is lost."""
        shop.ok("deploy")
        with Clients(shop.url) as clients:
            assert shop.ok("scale", "web=4")["services"][0]["replicas"] == 4
            assert sum(i["weight"] > 0 for i in shop.status()["instances"]) == 4
            shop.ok("scale", "1")
            assert sum(i["weight"] > 0 for i in shop.status()["instances"]) == 1
        assert clients.seen.failed == 0


class TestMachine:
    def test_a_killed_controller_is_started_again(self, alone: Machine) -> None:
        """The deploy that was under way ends as if nothing had happened, for its clients and for who watches."""
        alone.ok("deploy")
        alone.write(deploy={"bake": "2s"})
        with Clients(alone.url) as clients:
            process = alone.start("deploy")
            alone.until(lambda status: status["rollout"] and "baking" in str(status["rollout"]["waiting_for"]))
            alone.kill_controller()
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        assert "the controller is back" in out
        assert "runs release 2" in out
        assert clients.seen.failed == 0

    def test_what_changes_something_starts_a_killed_controller(self, alone: Machine) -> None:
        """As a deploy does; what only looks says how it is started, and so does all where nothing was deployed."""
        refused = alone.run("restart")
        assert (refused.code, "`crossfade up` starts it" in refused.err) == (4, True), refused
        assert not (alone.state / "controller.lock").exists()
        alone.ok("deploy")
        for words in (["restart"], ["lock"], ["run", "--", "true"]):
            alone.kill_controller()
            ran = alone.run(*words)
            assert ran.code == 0, ran.err
        alone.kill_controller()
        assert "`crossfade up` starts it" in alone.run("releases").err

    @pytest.mark.long
    def test_the_controller_can_go_and_come_back(self, alone: Machine) -> None:
        """Stopped and upgraded while everything keeps serving; the instances and the balancer are the same."""
        alone.ok("deploy")
        before = alone.status()["instances"]
        with Clients(alone.url) as clients:
            first = alone.ok("up")["controller"]["pid"]
            alone.ok("down", "--controller")
            gone = alone.run("status")
            assert "what was deployed goes on serving" in gone.out
            assert alone.ok("up")["controller"]["pid"] != first
            again = alone.ok("up", "--restart")["controller"]["pid"]
            assert again != first
            assert alone.ok("up")["controller"]["pid"] == again
            after = alone.until(lambda s: len([i for i in s["instances"] if i["weight"]]) == 2 and s["instances"])
        assert [i["id"] for i in after] == [i["id"] for i in before]
        assert clients.seen.failed == 0

    def test_a_controller_whose_successor_could_not_start_stays(self, alone: Machine) -> None:
        """Nobody would look after what it deployed while the disk takes nothing."""
        pid = alone.ok("up")["controller"]["pid"]
        broken = alone.state / "balancer.new"
        broken.symlink_to("/dev/full")
        ran = alone.run("up", "--restart")
        assert (ran.code, "is full" in ran.err) == (4, True), ran
        assert alone.ok("up")["controller"]["pid"] == pid
        broken.unlink()
        assert alone.ok("up", "--restart")["controller"]["pid"] != pid

    def test_a_disk_that_hangs_holds_up_nobody_else(self, alone: Machine) -> None:
        """As a network disk does that is gone: other apps are deployed, and the controller can be replaced."""
        alone.ok("up")
        other = alone.beside("other")
        other.write(env_file=["values"])
        os.mkfifo(other.source / "values")  # whoever reads it waits for a writer who never comes
        said = {"path": str(other.source / "crossfade.yaml"), "called": "crossfade.yaml"}

        def ask() -> None:
            with suppress(CrossfadeError):  # the controller goes meanwhile
                ControllerClient(alone.state / "api.sock").post("/v1/services", **said)

        asking = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        for one in asking:
            one.start()
        alone.ok("deploy", limit=30)
        alone.ok("up", "--restart")
        for one in asking:
            one.join(30)
        assert not any(one.is_alive() for one in asking)

    def test_a_umask_does_not_lock_us_out_of_our_own_files(self, alone: Machine) -> None:
        """Of others it takes as much as it says."""
        words = ["sh", "-c", 'umask 777; exec "$@"', "sh", str(PYTHON), "-m", "crossfade.cli.main", "up"]
        ran = subprocess.run(words, env=alone.environment, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        for made in ("controller.log", "journal.db", "releases"):
            assert stat.S_IMODE((alone.state / made).stat().st_mode) & 0o677 == 0o600

    @pytest.mark.long
    def test_a_deploy_is_watched_through_an_upgrade(self, alone: Machine) -> None:
        """The controller is replaced in the middle; who watches sees the end all the same."""
        alone.ok("deploy")
        alone.write(deploy={"bake": "3s"})
        process = alone.start("deploy", "--json")
        alone.until(lambda status: status["rollout"] and "baking" in str(status["rollout"]["waiting_for"]))
        alone.ok("up", "--restart")
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        assert json.loads(out.splitlines()[-1])["rollout"]["state"] == "succeeded"

    @pytest.mark.long
    def test_down_in_the_middle_of_a_rollout(self, alone: Machine) -> None:
        """It is refused; forced, the rollout is taken back first, and who watches is told."""
        alone.write(deploy={"bake": "30s"})
        process = alone.start("deploy", "--json")
        alone.until(lambda status: status["rollout"] and "baking" in str(status["rollout"]["waiting_for"]))
        assert alone.run("down").code == 3
        alone.ok("down", "--force")
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 1
        assert "taken down" in json.loads(out.splitlines()[-1])["rollout"]["reason"]
        assert alone.ok("status") == NOTHING

    @pytest.mark.long
    def test_the_balancer_can_be_replaced(self, alone: Machine) -> None:
        """Another process, no lost request."""
        alone.ok("deploy")
        with Clients(alone.url) as clients:
            alone.ok("up", "--balancer-restart")
            time.sleep(0.5)
        assert clients.seen.failed == 0

    def test_down_finds_a_controller_that_was_just_begun(self, alone: Machine) -> None:
        """It outlives the `up` that began it and was killed, and came up after `down` had said that nothing runs."""
        begun = subprocess.Popen(controller.command(StateDirectory(alone.state), "envoy"), env=alone.environment)
        assert alone.ok("down", "--all")["stopped"] == ["balancer", "controller"]
        assert begun.wait(30) == 0
        assert alone.ok("down", "--all")["stopped"] == []

    def test_down_leaves_nothing(self, alone: Machine) -> None:
        """An app stops alone; with --all, nothing of ours is left running, and its controller is gone at once."""
        alone.ok("deploy")
        assert alone.ok("down")["stopped"] == ["shop/web"]
        assert alone.ok("status") == NOTHING
        assert alone.run("deploy").code == 0
        pid = alone.ok("up")["controller"]["pid"]
        assert set(alone.ok("down", "--all")["stopped"]) == {"shop/web", "balancer", "controller"}
        assert pid not in alone.processes()
        end = time.monotonic() + 5
        while alone.processes() and time.monotonic() < end:
            time.sleep(0.05)
        assert alone.processes() == {}

    @pytest.mark.long
    def test_down_after_a_crash_finds_what_was_left(self, alone: Machine) -> None:
        """A controller that was killed is started once more, to stop gently what it left."""
        alone.ok("deploy")
        alone.kill_controller()
        alone.ok("down", "--all")
        end = time.monotonic() + 5
        while alone.processes() and time.monotonic() < end:
            time.sleep(0.05)
        assert alone.processes() == {}

    @pytest.mark.long
    @pytest.mark.parametrize("alive", [True, False])
    def test_down_finds_what_runs_after_its_state_directory_was_deleted(self, alone: Machine, *, alive: bool) -> None:
        """The deploy that meets its port says who has it and how to end that; afterwards nothing is left of it.

        A controller that runs in the directory ends by itself.
        """
        alone.ok("deploy")
        if not alive:
            alone.kill_controller()
        while alone.state.exists():  # the balancer may write into it just now
            shutil.rmtree(alone.state, ignore_errors=True)
        ran = alone.run("deploy")
        assert ran.code == 4, ran.out + ran.err
        assert f"`crossfade down --all --state {alone.state}` ends it" in ran.err
        assert len(alone.ok("down", "--all", "--state", str(alone.state))["stopped"]) > 1
        end = time.monotonic() + 60
        while alone.processes() and time.monotonic() < end:
            time.sleep(0.05)
        assert alone.processes() == {}
        assert alone.ok("deploy")["rollout"]["state"] == "succeeded"

    @pytest.mark.long
    def test_the_foreground_is_for_supervisors(self, alone: Machine) -> None:
        """`up --foreground` is the controller, until it is told to stop."""
        process = alone.start("up", "--foreground")
        end = time.monotonic() + 10
        while not (alone.state / "api.sock").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert alone.ok("up")["controller"]["pid"] == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


class TestLooking:
    def test_events_logs_and_watch(self, shop: Machine) -> None:
        """Sentences for people, lines for programs."""
        shop.ok("deploy")
        assert "release 1 (r1) is built" in shop.run("events").out
        events = [json.loads(line) for line in shop.run("events", "web", "--json").out.splitlines()]
        assert any(event["data"].get("action", {}).get("state") == "succeeded" for event in events)
        assert len(shop.run("events", "--json", "--limit", "2").out.splitlines()) == 2
        assert "listening" in shop.run("logs").out
        instance = shop.status()["instances"][0]["id"]
        one = [json.loads(line) for line in shop.run("logs", "--instance", instance, "--json").out.splitlines()]
        assert {line["instance"] for line in one} == {instance}
        watch = shop.start("watch")
        assert watch.stdout is not None
        assert f"{shop.app}/web: release 1" in watch.stdout.readline()

    @pytest.mark.parametrize("words", [("events", "--follow"), ("logs", "--follow"), ("watch",)])
    def test_who_follows_ends_with_its_reader(self, shop: Machine, words: tuple[str, ...]) -> None:
        """As behind `| head -1`, and not when the next thing happens, which may be tomorrow."""
        shop.ok("deploy")
        follow = shop.start(*words)
        assert follow.stdout is not None
        assert follow.stdout.readline()
        follow.stdout.close()
        assert follow.wait(timeout=20) == 0

    def test_following_shows_what_comes(self, shop: Machine) -> None:
        """`events --follow` goes on with new ones."""
        shop.ok("deploy")
        follow = shop.start("events", "--follow", "--limit", "1")
        assert follow.stdout is not None
        follow.stdout.readline()
        shop.ok("scale", "3")
        assert any("scaled to 3 instances" in follow.stdout.readline() for _ in range(5))

    def test_plan_changes_nothing(self, shop: Machine) -> None:
        """With and without a controller it tells the steps with their times; none where a deploy would do nothing."""
        none = shop.home / "none"
        [plan] = shop.ok("plan", "--state", str(none))["plans"]
        assert plan["service"] == f"{shop.app}/web"
        assert all({"at", "do"} == step.keys() for step in plan["steps"])
        assert not none.exists()
        shop.ok("deploy")
        [same] = shop.ok("plan")["plans"]
        assert same["steps"] == []
        assert same["unchanged"].endswith(f"of {shop.app}/web already runs exactly this")
        assert shop.ok("plan", "--strategy", "canary")["plans"][0]["steps"]
        assert len(shop.ok("releases")["releases"]) == 1


class TestSeveralServices:
    def test_one_release_of_several(self, shop: Machine) -> None:
        """In the order of their dependencies; the one that did not change is passed over."""
        (shop.source / "code").mkdir()
        (shop.source / "main.py").rename(shop.source / "code" / "main.py")
        api = shop.service(source="code", routes=[{"path": "/api/*"}], env={"N": "1"})
        web = shop.service(source="code", depends_on=["api"])
        shop.write_file({"web": web, "api": api})
        result = shop.ok("deploy")
        assert [r["service"] for r in result["rollouts"]] == [f"{shop.app}/api", f"{shop.app}/web"]
        shop.write_file({"web": web, "api": {**api, "env": {"N": "2"}}})
        ran = shop.run("deploy")
        assert ran.code == 0
        assert "already runs exactly this" in ran.out
        ran = shop.run("rollback")
        assert (ran.code, "several services" in ran.err) == (2, True)
        assert shop.ok("rollback", "api")["rollout"]["service"] == f"{shop.app}/api"

    @pytest.mark.long
    def test_when_a_later_one_fails_those_before_go_back(self, shop: Machine) -> None:
        """The failed one is the result, and all of them are named."""
        (shop.source / "bad.py").write_text((shop.source / "main.py").read_text())
        api = shop.service(routes=[{"path": "/api/*"}])
        web = shop.service(depends_on=["api"], command="python3 bad.py")
        shop.write_file({"web": web, "api": api})
        shop.ok("deploy")
        (shop.source / "bad.py").write_text("raise SystemExit('no database')\n")
        ran = shop.run("deploy", "--json")
        assert ran.code == 1
        assert (ran.last["rollout"]["service"], ran.last["rollout"]["state"]) == (f"{shop.app}/web", "rolled_back")
        assert "no database" in ran.last["rollout"]["reason"]
        told = [(r["service"].removeprefix(f"{shop.app}/"), r["to"], r["strategy"]) for r in ran.last["rollouts"]]
        assert told == [("api", 2, "blue-green"), ("api", 1, "rollback"), ("web", 2, "blue-green")]
        assert {s["release"] for s in shop.services()} == {1}

    @pytest.mark.long
    def test_a_lost_shell_leaves_nothing_half_done(self, alone: Machine) -> None:
        """Killed while the bad one is under way, and the controller with it: the one that was out goes back."""
        (alone.source / "bad.py").write_text((alone.source / "main.py").read_text())
        api = alone.service(routes=[{"path": "/api/*"}])
        web = alone.service(depends_on=["api"], command="python3 bad.py")
        alone.write_file({"web": web, "api": api})
        alone.ok("deploy")
        (alone.source / "bad.py").write_text("import time; time.sleep(1); raise SystemExit('no database')\n")
        shell = alone.start("deploy")

        def under_way() -> bool:
            services = {s["name"]: s for s in alone.ok("status")["services"]}
            return bool(services["api"]["release"] == 2 and services["web"]["rollout"])

        alone.until(lambda _: under_way())
        shell.kill()
        alone.kill_controller()
        alone.ok("up")
        alone.until(lambda _: not alone.ok("status")["groups"], limit=40)
        assert {s["release"] for s in alone.services()} == {1}
        newest = alone.ok("releases", "api")["releases"][0]
        assert (newest["number"], newest["outcome"]) == (2, "aborted")

    def test_ctrl_c_stops_a_build(self, shop: Machine) -> None:
        """Nothing is on record yet, so nothing is left of it; `status` shows it meanwhile."""
        shop.ok("deploy")
        shop.write(build="exec sleep 60")
        process = shop.start("deploy")
        while not shop.ok("status")["building"]:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "the build is stopped; nothing was changed" in err
        status = shop.ok("status")
        assert status["building"] == []
        assert status["services"][0]["release"] == 1
        assert not any("sleep 60" in command for command in shop.processes().values())

    @pytest.mark.long
    def test_what_runs_but_is_not_in_the_file_is_named(self, shop: Machine) -> None:
        """By `plan` and `deploy`, with the way to end it, which ends it alone."""
        old, web = shop.service(routes=[{"path": "/old/*"}]), shop.service()
        shop.write_file({"web": web, "old": old})
        shop.ok("deploy")
        shop.write_file({"web": web | {"env": {"N": "2"}}})
        way_out = f"{shop.app}/old runs, but is not in the file: `crossfade down {shop.app}/old` ends it"
        assert way_out in shop.run("plan").out
        assert way_out in shop.run("deploy").out
        assert shop.ok("down", f"{shop.app}/old")["stopped"] == [f"{shop.app}/old"]
        assert [s["name"] for s in shop.services()] == ["web"]

    @pytest.mark.long
    def test_a_restart_loses_no_request(self, shop: Machine) -> None:
        """New instances of the same release."""
        shop.ok("deploy")
        before = {i["id"] for i in shop.status()["instances"]}
        with Clients(shop.url) as clients:
            assert shop.ok("restart")["release"] == 1
        after = shop.status()
        assert not before & {i["id"] for i in after["instances"]}
        assert (after["release"], clients.seen.failed) == (1, 0)


def _web(trouble: str = GOOD, **more: Any) -> Callable[[Machine], None]:
    return lambda shop: shop.write(trouble, **more)


HOLDER = """\
import socket, time
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
time.sleep(60)
"""


def _port_in_use(shop: Machine) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, cwd=shop.home)
    shop._running.append(holder)
    assert holder.stdout is not None
    shop.write_file({"web": shop.service()}, listen={"http": int(holder.stdout.readline()), "host": "127.0.0.1"})


BAD: list[tuple[str, Callable[[Machine], None], int, str]] = [
    ("a misspelt key", _web(replicsa=3), 2, "did you mean replicas"),
    ("a wrong type", _web(replicas="many"), 2, "replicas"),
    ("healthy 0", _web(health={"path": "/", "healthy": 0}), 2, "healthy"),
    (
        "no room to move",
        _web(deploy={"strategy": "rolling", "min_healthy": 100, "max_surge": 0}),
        2,
        "min_healthy 100 with max_surge 0",
    ),
    ("steps that do not ascend", _web(deploy={"strategy": "canary", "steps": [50, 10, 100]}), 2, "ascending"),
    ("not YAML", lambda shop: (shop.source / "crossfade.yaml").write_text("app: [") and None, 2, "crossfade.yaml:2:1"),
    (
        "AWS without credentials",
        lambda shop: shop.write_file(
            {"web": {"image": "acme/shop", "health": {"path": "/health"}, "resources": {"cpu": 1, "memory": "2G"}}},
            platform="aws",
        ),
        4,
        "credentials",
    ),
    (
        "a source on Fargate",
        lambda shop: shop.write_file(
            {"web": shop.service(health={"path": "/health"}, resources={"cpu": 1, "memory": "2G"})}, platform="aws"
        ),
        3,
        "give it an `image`",
    ),
    ("a port in use", _port_in_use, 4, "is in use by python"),
    ("a command that is not there", _web(command="gunicorm app:app"), 2, "gunicorm"),
    ("a script that is not there", _web(command="./start.sh"), 2, "./start.sh"),
    ("a source folder that is not there", _web(source="nowhere"), 2, "nowhere"),
    ("a build that fails", _web(build="echo compiling; echo no such module >&2; exit 3"), 2, "no such module"),
    ("a migration that fails", _web(hooks={"migrate": "echo table is locked; exit 1"}), 1, "table is locked"),
    ("a smoke test that fails", _web(hooks={"smoke": "echo page is empty; exit 1"}), 1, "page is empty"),
    ("a health path that is not there", _web("code = 404", deploy={"timeout": "1s"}), 1, "404"),
    ("an app that exits", _web(command="python3 -c 'raise SystemExit(\"no database\")'"), 1, "no database"),
]


@pytest.mark.parametrize(("write", "code", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_named_and_changes_nothing(
    running: Machine, write: Callable[[Machine], None], code: int, says: str
) -> None:
    """One clear message with its exit code; the release that ran runs on, on the same instances."""
    running.write()
    before = running.status()
    write(running)
    ran = running.run("deploy")
    assert ran.code == code, ran.err + ran.out
    assert says in sentence(ran.err + ran.out)
    assert "Traceback" not in ran.err
    after = running.until(lambda status: len(status["instances"]) == len(before["instances"]) and status)
    assert after["release"] == before["release"]
    assert [i["id"] for i in after["instances"]] == [i["id"] for i in before["instances"]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["deploy", "api"], "no service api it has web"),
        (["deploy", "-e", "prod"], 'no environment "prod"'),
        (["deploy", "-f", "other.yaml"], "other.yaml"),
        (["status", "api"], "api"),
        (["scale", "web=many"], "not a size"),
        (["releases", "--app", "blog"], "blog"),
        (["tag", "latest"], "already means something else"),
        (["logs", "--instance", "nobody"], "nobody"),
        (["down", "shop", "--all"], "give one of them"),
    ],
)
def test_wrong_words_are_named(running: Machine, words: list[str], says: str) -> None:
    """Exit code 2 and the way out, and with --json the same as an object."""
    running.write()
    ran = running.run(*words, "--json")
    assert ran.code == 2, ran.err + ran.out
    assert says in sentence(ran.err)
    assert ran.last["error"]["exit_code"] == 2


class TestState:
    def test_a_state_of_a_newer_version(self, alone: Machine) -> None:
        """It is refused before anything is written, and not taken for one where nothing runs."""
        alone.state.mkdir()
        (alone.state / "format").write_text("99\n")
        for verb in ("deploy", "status", "down --all"):
            ran = alone.run(*verb.split())
            assert (ran.code, "format 99" in ran.err) == (2, True)
        assert not (alone.state / "journal.db").exists()

    def test_a_state_with_a_path_no_socket_can_have(self, alone: Machine) -> None:
        """The limit is named, and the way out."""
        ran = alone.run("deploy", "--state", str(alone.home / ("x" * 120)))
        assert (ran.code, "too long" in ran.err, "--state" in ran.err) == (2, True, True)

    def test_a_state_that_is_no_directory(self, alone: Machine) -> None:
        """A file in the way is named."""
        alone.state.write_text("")
        ran = alone.run("deploy")
        assert (ran.code, str(alone.state) in ran.err) == (4, True)
