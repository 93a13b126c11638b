"""Why an instance is not there: what it listens on, what became of it, and whose fault that is."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.service import HealthCheck
from crossfade.engine.ports.runtime import Running
from crossfade.platforms.local.kernel import tcp
from crossfade.platforms.local.probes import HttpProbe
from crossfade.platforms.local.runtimes.processes.addresses.ports import is_free

LISTEN = (
    "import os,socket,time; s=socket.socket({family}); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
    "s.bind(({host!r},{port})); s.listen(); time.sleep(60)"
)
DIES_ANSWERING = (
    "import os,socket; s=socket.create_server(('127.0.0.1',int(os.environ['PORT']))); s.accept()[0]; os._exit(3)"
)


def listens(port: int) -> bool:
    return any(listener.port == port for listener in tcp.listeners())


def program(host: str, port: str, family: str = "socket.AF_INET") -> str:
    return f'exec {sys.executable} -c "{LISTEN.format(host=host, port=port, family=family)}"'


async def silent(machine: Machine) -> str:
    address = (await machine.seen()).address
    return await until(lambda: machine.runtime.silent(address))


async def exited(machine: Machine) -> Running:
    async def over() -> Running | None:
        found = await machine.seen()
        return found if found.exited else None

    return await until(over)


async def test_another_port_is_named(machine: Machine) -> None:
    """The commonest mistake: the app has a port of its own and does not read $PORT."""
    await machine.launch("one", program("127.0.0.1", "0"))
    said = await silent(machine)
    port = (await machine.seen()).address.rpartition(":")[2]
    assert said.startswith("listens on 127.0.0.1:")
    assert said.endswith(f"not on $PORT, which is {port}")


async def test_the_other_loopback_is_named(machine: Machine) -> None:
    """`localhost` is ::1 for some servers, and nobody reaches that by IPv4."""
    await machine.launch("one", program("::1", "int(os.environ['PORT'])", "socket.AF_INET6"))
    port = (await machine.seen()).address.rpartition(":")[2]
    said = await silent(machine)
    assert said == f"listens only on [::1]:{port}: let it listen on 127.0.0.1 or on all addresses"


async def test_the_probe_tells_it(machine: Machine) -> None:
    """From the second in which nobody answered on, the complaint says what was found instead."""
    await machine.launch("one", program("127.0.0.1", "0"))
    probe, address = HttpProbe(machine.runtime.silent), (await machine.seen()).address
    assert await probe.ask(address, HealthCheck()) == f"nothing listens on $PORT, {address}"

    async def told() -> str:
        complaint = await probe.ask(address, HealthCheck())
        return complaint if "listens on 127" in complaint else ""

    await until(told)
    await probe.close()


async def test_a_command_that_goes_into_the_background_is_told_so(machine: Machine) -> None:
    """It ends with 0 while its server runs on: no crash to look for in the log."""
    await machine.launch("one", "sleep 60 & exit 0")
    found = await exited(machine)
    assert found.detail.startswith("went into the background as process")
    assert "foreground" in found.detail


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """Where a process writes its pid to have 20 MB at most, of a cgroup that goes with the test."""
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(root, "crossfade-test-memory")
        with suppress(OSError):
            group.mkdir(exist_ok=True)
            (group / limit).write_text("20M")
            break
    else:
        pytest.skip("no cgroup that limits memory is ours to make")
    try:
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


async def test_one_that_the_kernel_ended_for_its_memory_is_told_so(machine: Machine, small_memory: Path) -> None:
    """Whoever reads of a signal 9 alone looks for who sent it."""
    eats = "import itertools; [bytearray(b'x' * 1000000) for _ in itertools.count()]"
    await machine.launch("one", f'echo $$ >{small_memory}; exec {sys.executable} -c "{eats}"')
    detail = (await exited(machine)).detail
    assert detail.startswith("killed by signal 9 (SIGKILL), ")  # "perhaps" where the kernel's log is not ours to read
    assert "by the kernel for want of memory" in detail
    await machine.launch("two", f'echo $$ >{small_memory}; {sys.executable} -c "{eats}"; exit $?')
    detail = "perhaps by the kernel for want of memory, which `sudo dmesg` tells"
    seen = await until(lambda: _ending_of(machine, "two"))
    assert seen.startswith(f"exited with code 137, {detail}")


async def _ending_of(machine: Machine, instance: str) -> str:
    return next(i.detail for i in await machine.runtime.instances(machine.key) if i.id == instance)


async def test_one_that_somebody_killed_is_told_no_more(machine: Machine) -> None:
    """Memory was not the cause."""
    await machine.launch("one", f"kill -{signal.SIGKILL} $$")
    assert (await exited(machine)).detail in {
        "killed by signal 9 (SIGKILL)",
        # where the kernel's log is not ours to read, and it has killed somebody since it began
        "killed by signal 9 (SIGKILL), perhaps by the kernel for want of memory, which `sudo dmesg` tells",
    }


async def test_a_daemon_in_a_session_of_its_own_is_told_so(machine: Machine) -> None:
    """Two forks and a setsid hide it from the process group, not from the mark that it carries."""
    serve = program("127.0.0.1", "int(os.environ['PORT'])").removeprefix("exec ")
    await machine.launch("one", f"setsid {serve} & exit 0")
    assert (await exited(machine)).detail.startswith("went into the background")
    await machine.runtime.stop("one", 1, 1)
    assert await machine.runtime.instances(machine.key) == []


async def test_a_helper_that_stays_is_no_background(machine: Machine) -> None:
    """The command failed, and that is what counts, whatever it left behind."""
    await machine.launch("one", "sleep 60 & echo broken; exit 3")
    assert (await exited(machine)).detail == "exited with code 3: broken"


async def test_a_port_that_somebody_took_is_not_the_releases_fault(machine: Machine) -> None:
    """Between our choice and the app's own listening anybody may come: its exit is told, and held against nobody."""
    await machine.launch("one", f"until [ -e {machine.source}/go ]; do sleep 0.02; done; echo address in use; exit 1")
    port = int((await machine.seen()).address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        (machine.source / "go").touch()
        found = await exited(machine)
    assert found.detail.startswith(f"port {port} was taken by a program of user")
    assert not found.blamed


async def test_a_port_that_a_connection_went_out_from_is_not_the_releases_fault(machine: Machine) -> None:
    """The kernel gave it out meanwhile, as it does where its range was made wider."""
    await machine.launch("one", f"until [ -e {machine.source}/go ]; do sleep 0.02; done; echo address in use; exit 1")
    port = int((await machine.seen()).address.rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.2", 0)) as server,
        socket.create_connection(server.getsockname(), source_address=("127.0.0.2", port)),
    ):
        (machine.source / "go").touch()
        found = await exited(machine)
    assert found.detail.startswith(f"port {port} was taken by a program of user")
    assert not found.blamed


async def test_a_port_that_its_own_connections_still_hold_was_taken_by_nobody(machine: Machine) -> None:
    """Who dies while it answers leaves the kernel halves of connections on its port: that is the release's own end."""
    await machine.launch("one", f'exec {sys.executable} -c "{DIES_ANSWERING}"')
    port = int((await machine.seen()).address.rpartition(":")[2])
    await until(lambda: listens(port))
    with socket.create_connection(("127.0.0.1", port)) as client:
        assert client.recv(1) == b""  # it is gone, and its half waits for ours
        found = await exited(machine)
        assert not is_free(port)
    assert found.detail == "exited with code 3"
    assert found.blamed
