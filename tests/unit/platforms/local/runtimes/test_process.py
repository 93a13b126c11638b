"""What only real processes can get wrong: families, pids, ports, logs and limits."""

import asyncio
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import UserDict
from collections.abc import KeysView
from contextlib import suppress
from pathlib import Path

import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.ports.runtime import Running
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.runtimes.processes import logs
from crossfade.platforms.local.runtimes.processes.addresses import ports
from crossfade.platforms.local.runtimes.processes.log_writer import LARGEST
from crossfade.platforms.local.runtimes.processes.logs import FULL_BYTES
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime
from crossfade.platforms.local.runtimes.processes.session import Session

FAMILY = (
    "echo $$ >> {pids}; (trap '' TERM; echo $(exec sh -c 'echo $PPID') >> {pids}; while :; do sleep 0.05; done) & wait"
)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def runs(pid: int) -> bool:
    process = proc.look(pid)
    return process is not None and not process.ended


def arguments(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def get(url: str) -> bytes:
    """The body, empty while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return b""


async def test_a_child_that_does_not_listen_ends_too(machine: Machine, tmp_path: Path) -> None:
    """When the command ends by SIGTERM but its child ignores it, the child gets the grace and then SIGKILL."""
    file = tmp_path / "pids"
    await machine.launch("one", FAMILY.format(pids=file))
    leader, child = await until(lambda: len(pids(file)) == 2 and pids(file))
    began = time.monotonic()
    stop = asyncio.create_task(machine.runtime.stop("one", 0.6, 1))
    await asyncio.sleep(0.3)
    assert (runs(leader), runs(child)) == (False, True)
    await stop
    assert time.monotonic() - began >= 0.6
    assert not runs(child)


async def test_a_helper_in_a_session_of_its_own_ends_with_its_instance(machine: Machine, tmp_path: Path) -> None:
    """It left the session but carries its mark; a browser or a watcher that an app starts is like that."""
    file = tmp_path / "pid"
    await machine.launch("one", f"setsid sh -c 'echo $$ > {file}; exec sleep 60' & exec sleep 60")
    (helper,) = await until(lambda: pids(file))
    await machine.runtime.stop("one", 1.0, 1)
    assert not runs(helper)


LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


@pytest.mark.parametrize("marked", [True, False])
async def test_a_port_that_another_instance_took_is_lost(machine: Machine, tmp_path: Path, marked: bool) -> None:
    """One of another state directory, which chooses among the same ports: it would get this one's requests.

    What else runs as the same user may be a helper of the instance, such as Docker's proxy.
    """
    await machine.launch("one", "exec sleep 60")
    (seen,) = await machine.runtime.instances(machine.key)
    port = seen.address.rpartition(":")[2]
    mark = {"CROSSFADE_SESSION": str(tmp_path / "elsewhere" / "other.session")} if marked else {}
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", LISTEN, port, env={**os.environ, **mark})
    try:
        await until(lambda: not ports.is_free(int(port)))
        await asyncio.sleep(0.6)  # for as long as the kernel's table counts
        (seen,) = await machine.runtime.instances(machine.key)
    finally:
        other.kill()
        await other.wait()
    assert (seen.exited, seen.blamed) == (marked, not marked)
    assert (f"taken by process {other.pid} of another instance" in seen.detail) == marked


async def test_a_port_that_an_instances_own_child_has_is_its_own(machine: Machine) -> None:
    """Most commands are a shell or a master, and a process below listens."""
    script = shlex.quote(LISTEN)
    await machine.launch("one", f"{sys.executable} -c {script} $PORT & wait")
    (seen,) = await machine.runtime.instances(machine.key)
    await until(lambda: not ports.is_free(int(seen.address.rpartition(":")[2])))
    await asyncio.sleep(0.6)
    (seen,) = await machine.runtime.instances(machine.key)
    assert not seen.exited


async def test_a_copy_of_the_state_directory_touches_nothing_of_the_original(machine: Machine, tmp_path: Path) -> None:
    """A backup that is tried beside what it was made of; one that was moved is the same directory as before."""
    file = tmp_path / "pid"
    await machine.launch("one", f"echo $$ > {file}; exec sleep 60")
    (pid,) = await until(lambda: pids(file))
    shutil.copytree(machine.state, tmp_path / "copy")
    copied = ProcessRuntime(tmp_path / "copy", TokenFence())
    (seen,) = await copied.instances(machine.key)
    await copied.stop("one", 0.0, 1)
    await copied.close()
    assert seen.exited
    assert runs(pid)

    machine.state.rename(tmp_path / "moved")
    moved = ProcessRuntime(tmp_path / "moved", TokenFence())
    (seen,) = await moved.instances(machine.key)
    await moved.stop("one", 0.0, 1)
    await moved.close()
    assert not seen.exited
    assert not runs(pid)


async def test_a_command_that_goes_into_the_background_ends_with_its_instance(machine: Machine, tmp_path: Path) -> None:
    """To us it exited; what it left listening is found by its mark."""
    file = tmp_path / "pid"
    await machine.launch("one", f"(setsid sh -c 'echo $$ > {file}; exec sleep 60' &) ; exit 0")
    (daemon,) = await until(lambda: pids(file))
    assert (await until(machine.seen)).exited
    await machine.runtime.stop("one", 1.0, 1)
    assert not runs(daemon)


async def test_what_is_in_no_record_is_found_and_can_be_ended(machine: Machine, tmp_path: Path) -> None:
    """Its records were removed by hand; the processes say themselves whose they are."""
    file = tmp_path / "pid"
    await machine.launch("one", f"echo $$ > {file}; exec sleep 60", env=())
    (pid,) = await until(lambda: pids(file))
    for name in ("one.json", "one.session", "one.release"):
        (machine.state / "instances" / name).unlink()
    successor = machine.successor()
    (found,) = await successor.found()
    assert (found.id, found.service, found.release) == ("one", machine.key, None)
    await successor.stop("one", 1.0, 1)
    assert not runs(pid)
    assert await successor.found() == []


async def test_what_a_crashed_command_left_behind_ends(machine: Machine, tmp_path: Path) -> None:
    """A child that outlives its crashed parent is ended when the instance is cleared, by a new controller too."""
    file = tmp_path / "pids"
    await machine.launch("one", FAMILY.format(pids=file))
    leader, child = await until(lambda: len(pids(file)) == 2 and pids(file))
    os.kill(leader, signal.SIGKILL)
    await until(lambda: not runs(leader))
    seen = await machine.seen()
    assert seen.detail == "killed by signal 9 (SIGKILL)"
    await machine.successor().stop("one", 0.1, 1)
    assert not runs(child)


async def test_a_child_in_a_group_of_its_own_ends(machine: Machine, tmp_path: Path) -> None:
    """A process that left the command's group, but not its session, does not escape the stop."""
    file = tmp_path / "pids"
    code = "import subprocess as s; p = s.Popen(['sleep', '60'], process_group=0); print(p.pid, flush=True); p.wait()"
    await machine.launch("one", f'exec python3 -c "{code}" > {file}')
    (child,) = await until(lambda: pids(file))
    found = proc.look(child)
    assert found is not None
    assert found.group != found.session
    await machine.runtime.stop("one", 0.2, 1)
    assert not runs(child)


async def test_a_recycled_pid_is_not_ours(machine: Machine, stranger: subprocess.Popen[bytes]) -> None:
    """A stranger that got the pid of an instance is neither listed as it nor killed."""
    await machine.launch("one", "exit 0")
    leader = await until(lambda: machine.recorded("one"))
    file = machine.state / "instances" / "one.session"
    file.write_text(file.read_text().replace(f" {leader.pid}", f" {stranger.pid}"))
    successor = machine.successor()
    assert [instance.exited for instance in await successor.instances(machine.key)] == [True]
    await successor.stop("one", 0, 1)
    assert stranger.poll() is None


async def test_pids_of_another_boot_mean_nothing(machine: Machine, stranger: subprocess.Popen[bytes]) -> None:
    """After the machine was restarted an instance has exited, whoever has its pid and start time now."""
    await machine.launch("one", "exec sleep 60")
    leader = await until(lambda: machine.recorded("one"))
    os.kill(leader.pid, signal.SIGKILL)
    stat = Path(f"/proc/{stranger.pid}/stat").read_text()  # noqa: ASYNC240  the kernel's, at once
    file = machine.state / "instances" / "one.session"
    file.write_text(f"c0ffee00-0000-0000-0000-000000000000 {stat}")
    successor = machine.successor()
    assert [instance.exited for instance in await successor.instances(machine.key)] == [True]
    await successor.stop("one", 0, 1)
    assert runs(stranger.pid)


async def test_an_announced_instance_that_never_started_can_be_launched(machine: Machine) -> None:
    """A controller that died between its record and the start leaves something that is seen, and can be started."""
    release = await machine.release("exec sleep 60")
    machine.runtime._announce("one", release)
    successor = machine.successor()
    (seen,) = await successor.instances(machine.key)
    assert (seen.exited, seen.detail) == (True, "was never started")
    await machine.runtime.launch("one", release, {}, 1)
    assert not (await machine.seen()).exited


async def test_what_ended_in_its_stop_is_seen_stopping(machine: Machine) -> None:
    """While its files are looked after nobody reads that it was never started."""
    release = await machine.release("exec sleep 60")
    await machine.runtime.launch("one", release, {}, 1)
    leader = await until(lambda: machine.recorded("one"))
    async with machine.runtime._artifacts._locked(release.digest):
        stop = asyncio.create_task(machine.runtime.stop("one", 5, 1))
        await until(lambda: proc.look(leader.pid) is None)
        for runtime in (machine.runtime, machine.successor()):
            (seen,) = await runtime.instances(machine.key)
            assert seen.stopping
            assert seen.detail != "was never started"
    await stop
    assert await machine.runtime.instances(machine.key) == []


async def test_a_record_that_a_power_cut_emptied_is_no_instance(machine: Machine) -> None:
    """An empty record belongs to a process that is gone: it neither counts nor stops others from being seen."""
    await machine.launch("one", "exec sleep 60")
    (machine.state / "instances" / "two.json").write_text("")
    assert [instance.id for instance in await machine.runtime.instances(machine.key)] == ["one"]


async def test_no_zombies_are_left(machine: Machine) -> None:
    """An exited instance is reaped when it is looked at."""
    await machine.launch("one", "exit 0")
    leader = await until(lambda: machine.recorded("one"))

    async def exited() -> bool:
        return (await machine.seen()).exited

    await until(exited)
    assert proc.look(leader.pid) is None


async def test_it_is_reached_at_its_address(machine: Machine) -> None:
    """What listens on $PORT is reached at the address that is reported."""
    await machine.launch("one", "exec python3 -m http.server --bind 127.0.0.1 $PORT")
    address = (await machine.seen()).address
    assert await until(lambda: asyncio.to_thread(get, f"http://{address}/app.txt")) == b"hello"


async def test_secrets_stay_in_the_environment(machine: Machine) -> None:
    """No file of ours and no argument list holds a secret."""
    release = await machine.release("exec sleep 60")
    await machine.runtime.launch("one", release, {"PASSWORD": "xyzzy-secret"}, 1)
    await machine.runtime.run(release, "true", {"PASSWORD": "xyzzy-secret"}, {}, 5)
    leader = await until(lambda: machine.recorded("one"))
    assert b"PASSWORD=xyzzy-secret" in proc.environment(leader.pid)
    assert "xyzzy" not in arguments(leader.pid)
    assert not [file for file in machine.state.rglob("*") if file.is_file() and b"xyzzy" in file.read_bytes()]


async def test_little_of_our_environment_leaks(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance gets PATH of its release, who and where we are, and nothing else of ours."""
    monkeypatch.setenv("OUR_OWN_TOKEN", "xyzzy")
    result = await machine.runtime.run(await machine.release(), "env | cut -d= -f1 | sort", {}, {}, 5)
    assert set(result.output.split()) <= {
        *("HOME", "USER", "LANG", "TZ", "PATH", "PWD", "OLDPWD", "SHLVL", "_"),
        *("CROSSFADE_APP", "CROSSFADE_SERVICE", "CROSSFADE_RELEASE", "CROSSFADE_VERSION", "CROSSFADE_SESSION"),
    }


async def test_descriptors_of_ours_do_not_leak(machine: Machine) -> None:
    """A pipe that we inherited is not kept open by an instance: whoever waits for its end is not kept waiting."""
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    try:
        result = await machine.runtime.run(await machine.release(), f"readlink /proc/$$/fd/{theirs}", {}, {}, 5)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.output == ""


async def test_memory_is_limited(machine: Machine) -> None:
    """A process that wants more than its limit does not get it."""
    from crossfade.core.service import Resources

    code = "x = bytearray(200 << 20)"
    release = await machine.release(f"exec python3 -c '{code}'", resources=Resources(memory=100 << 20))
    await machine.runtime.launch("one", release, {}, 1)

    async def detail() -> str:
        return (await machine.seen()).detail

    assert await until(detail) == "exited with code 1: MemoryError"


async def test_a_log_that_grew_too_big_is_shortened(machine: Machine) -> None:
    """At 50 MB a log starts anew, its end is kept beside it, and the instance goes on writing."""
    await machine.launch("one", "trap 'echo still here' USR1; echo up; while :; do sleep 0.05; done")
    log = machine.log("one")
    os.truncate(log, logs.FULL_BYTES)
    await machine.seen()
    assert log.stat().st_size < 100
    assert 0 <= log.with_suffix(".old").stat().st_size - logs.KEPT_BYTES < 100
    leader = await until(lambda: machine.recorded("one"))
    os.kill(leader.pid, signal.SIGUSR1)
    await until(lambda: "still here" in logs.last_words(log))
    assert not (await machine.seen()).exited


async def test_old_logs_are_thrown_away(machine: Machine) -> None:
    """The newest twenty logs of a service are kept, and those that are still written."""
    await machine.launch("old", "exec sleep 60")
    os.utime(machine.log("old"), (1, 1))
    for n in range(30):
        machine.log(f"gone{n}").write_text("x")
        os.utime(machine.log(f"gone{n}"), (100 + n, 100 + n))
    await machine.launch("new", "exec sleep 60")
    await machine.runtime.stop("new", 1, 1)
    left = {log.stem for log in machine.log("x").parent.glob("*.log")}
    assert left == {"old", "new", *(f"gone{n}" for n in range(11, 30))}


async def test_a_hook_leaves_nothing_running(machine: Machine, tmp_path: Path) -> None:
    """What a hook started in the background ends with it, and so does one that was cancelled."""
    file = tmp_path / "pid"
    release = await machine.release()
    result = await machine.runtime.run(release, f"sleep 60 & echo $! > {file}; exit 0", {}, {}, 5)
    assert result.code == 0
    assert not runs(pids(file)[0])
    hook = asyncio.create_task(machine.runtime.run(release, f"echo $$ > {file}; exec sleep 60", {}, {}, 50))
    await asyncio.sleep(0.3)
    hook.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hook
    assert not runs(pids(file)[0])


async def test_two_hooks_of_a_service_never_run_at_once(machine: Machine, tmp_path: Path) -> None:
    """A hook whose controller died is waited for before the next one begins."""
    from crossfade.platforms.local.runtimes.processes.session import Session

    release, file = await machine.release(), tmp_path / "order"
    orphan = Session(machine.state / "hooks" / machine.key.replace("/", "%2F"), tmp_path / "orphan.log")
    orphan.start(f"sleep 0.5; echo orphan >> {file}", tmp_path, {"PATH": os.environ["PATH"]})
    await machine.runtime.run(release, f"echo next >> {file}", {}, {}, 5)
    assert file.read_text().split() == ["orphan", "next"]


async def test_the_whole_output_of_a_hook_is_kept(machine: Machine) -> None:
    """Twenty lines are handed back, all of them are in a log."""
    result = await machine.runtime.run(await machine.release(), "seq 100", {}, {}, 5)
    assert result.output.split() == [str(n) for n in range(81, 101)]
    (log,) = machine.log("x").parent.glob("hook-1-*.log")
    assert log.read_text().split() == [str(n) for n in range(1, 101)]


async def test_files_that_are_gone_are_said_to_be(machine: Machine) -> None:
    """A release whose folder was removed cannot be started, and the way out is named."""
    release = await machine.release()
    await machine.runtime.forget(release, 1)
    with pytest.raises(PlatformError, match=r"not on this machine any more(.|\n)*deploy its commit again"):
        await machine.runtime.launch("one", release, {}, 1)


async def test_records_are_plain(machine: Machine) -> None:
    """A record says what runs, for people and for the next version."""
    await machine.launch("a/b", "exec sleep 60")
    record = json.loads((machine.state / "instances" / "a%2Fb.json").read_text())
    assert record["id"] == "a/b"
    assert record["service"] == machine.key
    await machine.runtime.stop("a/b", 1, 1)
    assert list((machine.state / "instances").iterdir()) == []


async def test_abandoned_drafts_are_swept(machine: Machine) -> None:
    """Half a record of a killed controller is removed by a later one; a fresh one may still be in use."""
    old, fresh = (machine.state / "instances" / f"{name}.draft" for name in ("old", "fresh"))
    old.write_text("{")
    fresh.write_text("{")
    os.utime(old, (1, 1))
    machine.successor()
    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize("anew", ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1"])
async def test_an_output_that_is_opened_anew_empties_no_log(machine: Machine, anew: str) -> None:
    """An app that logs to /dev/stdout opens it for writing from the start, as `>` does; what it said before stays."""
    await machine.launch("one", f"echo first; echo second > {anew}; echo third; exec sleep 60")
    said = await until(lambda: len(logs.tail(machine.log("one"), 9)[0]) == 3 and logs.tail(machine.log("one"), 9)[0])
    assert said == [b"first\n", b"second\n", b"third\n"]


async def test_last_words_are_in_the_log_when_the_end_is_seen(machine: Machine) -> None:
    """A pipe lies between the command and its log; what is said of the end was read from the log."""
    await machine.launch("one", "seq 20000; echo no such table; exit 3")
    seen = await until(lambda: _ended(machine))
    assert seen.detail == "exited with code 3: no such table"
    assert len(logs.tail(machine.log("one"), 30_000)[0]) == 20_001


async def test_a_child_that_holds_the_pipe_and_is_silent_is_not_waited_for(machine: Machine) -> None:
    """What the command said is there, and what its child may say one day is nobody's last word."""
    await machine.launch("one", "sleep 60 & echo gone; exit 3")
    assert (await until(lambda: _ended(machine))).detail == "exited with code 3: gone"
    assert _left(machine), "the child lives still, and its end was not waited for"
    await machine.runtime.stop("one", 0, 1)
    assert not _left(machine)


@pytest.mark.parametrize(
    ("command", "env"),
    [("exec sleep 60", (("BIG", 200_000 * "x"),)), (f"exec sleep 60 #{200_000 * 'x'}", ())],
    ids=["a value", "the command"],
)
async def test_what_no_program_can_be_given_is_said(
    machine: Machine, command: str, env: tuple[tuple[str, str], ...]
) -> None:
    """It is the release's own, and told once: that nothing was started is held against it no second time."""
    with pytest.raises(WrongInputError, match="longer than what Linux gives a program"):
        await machine.launch("one", command, env=env)
    seen = await machine.seen()
    assert (seen.exited, seen.blamed) == (True, False)


class CopiedMeanwhile(UserDict[str, str]):
    """An environment that is too long; when it is read, a child as yet has all that its parent has open."""

    def __init__(self, session: Path) -> None:
        super().__init__(BIG=200_000 * "x")
        self.session, self.copies = session, list[int]()

    def keys(self) -> KeysView[str]:
        for file in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if os.path.samestat(os.fstat(int(file.name)), self.session.stat()):
                    self.copies.append(os.dup(int(file.name)))
        return super().keys()


def test_what_could_not_be_started_is_not_taken_for_starting(tmp_path: Path) -> None:
    """Be its lock open for a moment in another child of ours, which is on its way to become the log's writer."""
    session = Session(tmp_path / "one.session", tmp_path / "one.log")
    env = CopiedMeanwhile(session.file)
    with pytest.raises(OSError, match="too long"):
        session.start("exec sleep 60", tmp_path, env)
    assert env.copies
    assert (session.running(), session.started) == (False, False)
    for copy in env.copies:
        os.close(copy)


@pytest.mark.long
async def test_a_log_that_takes_no_more_stops_no_app(machine: Machine, tmp_path: Path) -> None:
    """One that is flooded while nobody looks fills no disk: what is more is dropped, and the app goes on."""
    done = tmp_path / "done"
    await machine.launch("one", f"head -c {LARGEST + (10 << 20)} /dev/zero; echo yes > {done}; exec sleep 60")
    assert await until(lambda: done.exists() and done.read_text() == "yes\n", 60.0)
    assert machine.log("one").stat().st_size == LARGEST
    assert not (await machine.seen()).exited
    assert machine.log("one").stat().st_size < FULL_BYTES, "it is begun anew once somebody looks"


def _left(machine: Machine) -> list[proc.Process]:
    """What runs with this machine's state in its environment."""
    return [p for p in proc.everyone() if str(machine.state).encode() in proc.environment(p.pid)]


async def _ended(machine: Machine) -> Running | None:
    seen = await machine.seen()
    return seen if seen.exited else None
