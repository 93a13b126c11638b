"""Releases over hosts that stay, behind a load balancer of the rig, under load; the clients are the referee."""

import itertools
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.e2e.shell import APP, ERRORS, GOOD, NEVER_HEALTHY, PYTHON, Ran
from tests.e2e.test_hosts import Clients
from tests.rig import Rig
from tests.support.on_servers import OnServers
from tests.support.sshd import why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "hosts")]

CRASHES = "if self.path != '/health': os._exit(3)"
UPLOADS = "time.sleep(1.5 * (self.path == '/upload'))"  # longer than the load balancer's delay lasts on the rig
PATIENCE = 300.0  # seconds for what a busy machine may take its time with
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB deploy"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=20.0, lag=2.0) as made:
        yield made


class Team:
    """An app of its own on hosts of its own, and `crossfade` from a shell that knows nothing else of them."""

    def __init__(self, rig: Rig, name: str, count: int) -> None:
        self.place = OnServers(rig, name, count)
        self.folder = self.place.ssh.root / "app"
        self.folder.mkdir()
        self.write()

    def write(
        self, trouble: str = GOOD, mark: str = "", processes: int = 1, address: str = "fixed", **deploy: Any
    ) -> None:
        """The app and its file; another `mark` makes another release of the same code."""
        (self.folder / "main.py").write_text(f"# {mark}\n{APP.format(trouble=trouble)}")
        web = {
            "source": ".",
            "command": f"exec {PYTHON} main.py",
            "port": self.place.port,
            "replicas": len(self.place.instances),
            "health": {"path": "/health", "interval": "5s", "timeout": "2s", "healthy": 2, "unhealthy": 2},
            "drain": "3s",
            "grace": "1s",
            "deploy": {"bake": "300ms", "timeout": "60s", "rollback_on": {"min_requests": 5}, **deploy},
        }
        compute = {"kind": "hosts", "user": "root", "keys": [KEY], "processes": processes, "address": address}
        dev = {"platform": "aws", "ssh": {"key": str(self.place.ssh.root / "id")}}
        data = {
            "app": self.place.app,
            "services": {"web": web},
            "environments": {"dev": {**dev, "cloud": {"region": "us-east-1", "compute": compute}}},
        }
        (self.folder / "crossfade.yaml").write_text(json.dumps(data, indent=1))  # JSON is YAML

    def ask_outside(self) -> None:
        """The next deploy asks for a page through the load balancer, as a visitor does."""
        file = json.loads((self.folder / "crossfade.yaml").read_text())
        file["outside"] = {"url": f"{self.place.url}/", "codes": "200", "passes": 20, "timeout": "5s"}
        (self.folder / "crossfade.yaml").write_text(json.dumps(file, indent=1))

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(PYTHON), "-m", "crossfade.cli.main", *words, "-e", "dev"],
            cwd=self.folder,
            env={
                **self.place.environment,
                "CROSSFADE_STATE": str(self.folder / "s"),
                "TMPDIR": str(self.place.ssh.root),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def comes_in(self) -> bool:
        """SSH of somebody who has the key leads to the first host."""
        root = self.place.ssh.root
        options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        done = subprocess.run(
            ["ssh", *options, "-i", str(root / "id"), f"root@{self.place.addresses[0]}", "true"],
            env=self.place.environment,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def run(self, *words: str) -> Ran:
        began = time.perf_counter()
        process = self.start(*words)
        out, _ = process.communicate(timeout=PATIENCE)
        return Ran(process.returncode, out, out, time.perf_counter() - began)

    def ok(self, *words: str) -> Any:
        """Run with --json, expect success, and return the result."""
        ran = self.run(*words, "--json")
        assert ran.code == 0, ran.out
        return ran.last

    def until_said(self, process: "subprocess.Popen[str]", words: str) -> None:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if words in line:
                return
        pytest.fail("".join(said))

    def close(self) -> None:
        self.run("down", "--force")
        self.place.close()


@pytest.fixture
def team(rig: Rig) -> Iterator[Callable[[int], Team]]:
    made: list[Team] = []

    def make(count: int) -> Team:
        made.append(Team(rig, f"team{next(numbers)}", count))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.long
def test_four_hosts_get_a_release_one_after_the_other_and_lose_nothing(team: Callable[[int], Team]) -> None:
    """Each leaves the load balancer, changes, and is in service before the next one; the rule for SSH is closed."""
    of = team(4)
    of.write(UPLOADS)
    of.ok("deploy", "--version", "v1")
    assert len(of.place.serving()) == 4
    assert of.place.rules() == []
    with Clients([of.place.url, f"{of.place.url}/upload"]) as clients:
        of.write(UPLOADS, mark="two")
        ran = of.run("deploy", "--version", "v2")
        assert ran.code == 0, ran.out
        assert ran.out.count("is out of service, and idle") == 4
        assert ran.out.count("is in service") == 4
        assert of.run("rollback").code == 0
    assert [report.losses for report in clients.reports] == [(), ()]
    assert clients.reports[0].requests > 100
    assert of.place.rules() == []
    status = of.ok("status")
    assert (status["release"], status["rollout"], len(status["hosts"])) == (1, None, 4)


@pytest.mark.long
def test_a_release_that_is_never_healthy_never_gets_to_the_second_host(team: Callable[[int], Team]) -> None:
    """The first takes it back while it is out of service, and serves again what it served."""
    of = team(2)
    of.ok("deploy")
    of.write(NEVER_HEALTHY, strategy="blue-green", timeout="3s")
    with Clients([of.place.url]) as clients:
        ran = of.run("deploy", "--json")
    assert ran.code == 1, ran.out
    assert [host["stage"] for host in ran.last["rollout"]["hosts"]] == ["back", "waiting"]
    assert [report.losses for report in clients.reports] == [()]
    assert len(of.place.serving()) == 2
    assert of.place.rules() == []


@pytest.mark.long
def test_errors_that_only_a_page_shows_take_the_first_host_back(team: Callable[[int], Team]) -> None:
    """Nobody visits a host that is out of service: whoever is asked from outside sees them once it is in."""
    of = team(2)
    of.ok("deploy")
    of.write(ERRORS)
    of.ask_outside()
    ran = of.run("deploy", "--json")
    assert ran.code == 1, ran.out
    assert [host["stage"] for host in ran.last["rollout"]["hosts"]] == ["back", "waiting"]
    assert "answered 500" in ran.last["rollout"]["reason"]
    assert len(of.place.serving()) == 2
    assert of.place.rules() == []


@pytest.mark.long
def test_a_release_that_crashes_under_load_takes_the_first_host_back(team: Callable[[int], Team]) -> None:
    """Each page ends its process: whoever comes to the one host meets that, and nobody at the other one."""
    of = team(2)
    of.ok("deploy")
    of.write(CRASHES)
    of.ask_outside()
    with Clients([of.place.url]) as clients:
        ran = of.run("deploy", "--json")
    [report] = clients.reports
    assert ran.code == 1, ran.out
    assert [host["stage"] for host in ran.last["rollout"]["hosts"]] == ["back", "waiting"]
    assert report.failed < report.requests, report.losses
    assert of.ok("status")["release"] == 1
    assert len(of.place.serving()) == 2
    assert of.place.rules() == []


@pytest.mark.long
def test_a_cancelled_job_closes_its_rule_and_abort_takes_the_rest_back(team: Callable[[int], Team]) -> None:
    """By SIGTERM, while the first host is out of service; nobody loses a request by either of them."""
    of = team(2)
    of.ok("deploy")
    of.write(mark="two", bake="20s")
    with Clients([of.place.url]) as clients:
        process = of.start("deploy")
        of.until_said(process, "is out of service, and idle")
        assert len(of.place.rules()) == 1
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
        assert "the hosts stay as they are" in out
        assert (of.place.rules(), of.place.serving()) == ([], of.place.instances[1:])
        ended = of.run("abort")
        assert ended.code == 0, ended.out
    assert [report.losses for report in clients.reports] == [()]
    assert of.ok("status")["release"] == 1
    assert len(of.place.serving()) == 2
    assert of.place.rules() == []


@pytest.mark.long
def test_throttling_and_lost_answers_hold_a_deploy_up_and_no_more(rig: Rig, team: Callable[[int], Team]) -> None:
    """Of five calls one is refused, and of each change one answer is lost: all hosts have it, and no rule is left."""
    of = team(2)
    of.ok("deploy")
    of.write(mark="two")
    for service, change in (
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "RevokeSecurityGroupIngress"),
        ("elbv2", "DeregisterTargets"),
        ("elbv2", "RegisterTargets"),
    ):
        rig.knobs.lose_answer(service, change, times=1)
    for service in ("ec2", "elbv2", "dynamodb"):
        rig.knobs.throttle(service, rate=0.2)
    try:
        with Clients([of.place.url]) as clients:
            ran = of.run("deploy")
    finally:
        rig.knobs.clear()
    assert ran.code == 0, ran.out
    assert [report.losses for report in clients.reports] == [()]
    assert of.place.rules() == []
    assert len(of.place.serving()) == 2


@pytest.mark.long
def test_a_single_host_stays_in_service_and_has_several_processes(team: Callable[[int], Team]) -> None:
    """Its own balancer makes the change without a gap."""
    of = team(1)
    of.write(processes=2)
    of.ok("deploy")
    of.write(mark="two", processes=2)
    with Clients([of.place.url]) as clients:
        ran = of.run("deploy")
        assert ran.code == 0, ran.out
    assert "is the only one that serves" in ran.out
    assert [report.losses for report in clients.reports] == [()]
    assert of.ok("status")["hosts"][0]["services"][0]["replicas"] == 2


@pytest.mark.long
def test_the_rule_of_a_killed_deploy_is_closed_by_the_next_command(team: Callable[[int], Team]) -> None:
    """First of all; and that one goes on, for the record says how far it was."""
    of = team(2)
    of.ok("deploy")
    of.write(mark="two")
    with Clients([of.place.url]) as clients:
        process = of.start("deploy", "--version", "v2")
        of.until_said(process, "is out of service, and idle")
        process.send_signal(signal.SIGKILL)
        process.wait()
        [left] = of.place.rules()
        assert of.comes_in()  # the control: anybody from there may, as long as it is left open
        assert left.startswith(f"crossfade {of.place.app}@dev rollout 2 by ")
        ran = of.run("deploy", "--version", "v2")
        assert ran.code == 0, ran.out
    assert "was left on its way" in ran.out
    assert of.place.rules() == []
    assert [report.losses for report in clients.reports] == [()]
    assert len(of.place.serving()) == 2


@pytest.mark.long
def test_a_host_that_dies_on_the_way_stays_out_of_service(team: Callable[[int], Team]) -> None:
    """The other one has never stopped to serve; once it answers again, `abort` brings it back into service."""
    of = team(2)
    of.ok("deploy")
    of.write(mark="two", bake="5s")
    second = of.place.ssh.hosts[1]
    with Clients([of.place.url]) as clients:
        process = of.start("deploy")
        of.until_said(process, f"root@{of.place.addresses[1]}: release 2")
        second.stop()
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1, out
        assert "was taken back, but not everywhere" in out
        assert of.place.serving() == of.place.instances[:1]
        second.start()
        ended = of.run("abort")
        assert ended.code == 0, ended.out
    assert sorted(of.place.serving()) == sorted(of.place.instances)
    assert [report.losses for report in clients.reports] == [()]
    assert of.place.rules() == []


@pytest.mark.long
def test_nobody_gets_in_without_a_rule_and_to_a_host_whose_key_is_another(team: Callable[[int], Team]) -> None:
    """Each with one sentence; and no host is touched."""
    of = team(1)
    assert not of.comes_in()
    assert of.place.guards[0].refused == 1
    host = of.place.ssh.hosts[0]
    host.stop()
    host.make_key()
    host.start()
    ran = of.run("deploy")
    assert ran.code == 4, ran.out
    assert "changed: it may be another machine, so it was told nothing" in ran.out
    assert of.place.rules() == []


@pytest.mark.long
def test_the_last_host_that_serves_is_not_touched(team: Callable[[int], Team]) -> None:
    """One host too few to go on: who would be the last is named, and who does not serve."""
    of = team(2)
    of.ok("deploy")
    rig, group = of.place.rig, of.place.target_groups["blue"]
    target = [{"Id": of.place.instances[1], "Port": of.place.port}]
    rig.client("elbv2").deregister_targets(TargetGroupArn=group, Targets=target)
    while len(of.place.serving()) > 1:
        time.sleep(0.1)
    of.write(mark="two")
    with Clients([of.place.url]) as clients:
        ran = of.run("deploy")
    assert ran.code == 1, ran.out
    first, second = (f"root@{address}" for address in of.place.addresses)
    assert f"{first} would be the last host that serves: {second} does not answer; no host was touched" in ran.out
    assert [report.losses for report in clients.reports] == [()]
    assert of.place.rules() == []


@pytest.mark.long
def test_without_its_key_nothing_is_opened(team: Callable[[int], Team]) -> None:
    """On a runner where somebody forgot it: one sentence with the file, and exit code 2."""
    of = team(1)
    before = of.place.rig.calls().get("ec2:AuthorizeSecurityGroupIngress", 0)
    (of.place.ssh.root / "id").rename(of.place.ssh.root / "forgotten")
    try:
        ran = of.run("deploy")
    finally:
        (of.place.ssh.root / "forgotten").rename(of.place.ssh.root / "id")
    assert (ran.code, "the key" in ran.out, "does not exist" in ran.out) == (2, True, True), ran.out
    assert of.place.rig.calls().get("ec2:AuthorizeSecurityGroupIngress", 0) == before
    assert of.place.rules() == []


@pytest.mark.long
def test_private_hosts_are_reached_by_session_manager_and_no_rule_is_opened(team: Callable[[int], Team]) -> None:
    """By the key that each told AWS; without what leads there a command says what is missing, and does nothing."""
    of = team(1)
    of.write(address="private")
    of.ok("deploy")
    asked = of.place.sessions()
    assert asked
    assert all(f"--target {of.place.instances[0]} --document-name AWS-StartSSHSession" in one for one in asked)
    assert (of.place.rules(), of.place.guards[0].refused) == ([], 0)
    (of.place.ssh.root / "tools" / "session-manager-plugin").unlink()
    ran = of.run("status")
    assert (ran.code, "which takes session-manager-plugin here" in ran.out) == (2, True), ran.out


@pytest.mark.long
def test_a_host_stopped_without_leaving_loses_requests(team: Callable[[int], Team]) -> None:
    """The control: what the order of steps saves is lost without it, or this rig would show nothing."""
    of = team(2)
    of.ok("deploy")
    with Clients([of.place.url]) as clients:
        host = of.place.ssh.hosts[1]
        subprocess.run(
            [str(PYTHON), "-m", "crossfade.cli.main", "down", "--all", "--force"],
            env={**of.place.environment, "CROSSFADE_STATE": str(host.state), "HOME": str(host.root)},
            capture_output=True,
            check=True,
        )
        time.sleep(2)
    assert clients.reports[0].failed > 0
