"""The machine that an instance is: a process of this machine with disks, a network and processes of its own.

It takes root to make one; `missing` says what else.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.rig.ec2.guest.facts import Facts

from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports

ROOT = Path(__file__).parents[3]
_GRACE = 20.0  # seconds; what an instance runs is ended by then
_HERE = "127.0.0.1"


def missing() -> str:
    """Why no instance can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "an instance of EC2 has namespaces of its own, which takes root"
    absent = [name for name in ("unshare", "ip", "mount", "bash", "curl") if shutil.which(name) is None]
    return f"an instance of EC2 takes {', '.join(absent)}" if absent else ""


class Machine:
    """`start` it once. `told` gets what it says: a line of its console or of a log, and how its user data ended."""

    def __init__(self, facts: Facts, folder: Path, ports: Ports, told: Callable[[dict[str, Any]], None]) -> None:
        self.facts, self._folder, self._ports, self._told = facts, folder, ports, told
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._fds: socket.socket | None = None
        self._runs: dict[int, asyncio.Future[tuple[int | None, str]]] = {}
        self._numbers = itertools.count(1)
        self.open_ports: dict[int, int] = {}  # where each port really is
        self.console: list[str] = []
        self.agent = False  # CodeDeploy's runs there
        self.sshd = False  # who comes to port 22 is answered
        self.booted: int | None = None  # the exit code of its user data

    async def start(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._fds = mine
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"),
                *(sys.executable, "-m", "tests.rig.ec2.guest", str(self._folder), str(theirs.fileno())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd=ROOT,
                limit=1 << 20,
            )
        self._reading = asyncio.create_task(self._read(self._process))
        self._ask(asdict(self.facts))
        for port, real in self.open_ports.items():
            self._hand_over(port, real)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def open(self, port: int) -> tuple[str, int]:
        """Where a port of it really is."""
        if port not in self.open_ports:
            self.open_ports[port] = self._ports.take(())
            if self.running:
                self._hand_over(port, self.open_ports[port])
        return _HERE, self.open_ports[port]

    async def run(self, *argv: str, env: dict[str, str] | None = None, limit: float) -> tuple[int | None, str]:
        """Exit code and output of a command there; None when it was not over in time, or the machine went."""
        number = next(self._numbers)
        self._runs[number] = asyncio.get_running_loop().create_future()
        self._ask({"do": "run", "run": number, "argv": argv, "env": env or {}, "limit": limit})
        return await self._runs[number]

    async def agents(self, **event: Any) -> dict[str, Any] | None:
        """How CodeDeploy's agent there carried out a lifecycle event; None when it went with its machine."""
        number = next(self._numbers)
        self._runs[number] = asyncio.get_running_loop().create_future()
        self._ask({"do": "deploy", "run": number, "event": event})
        code, out = await self._runs[number]
        return None if code is None else json.loads(out)

    async def end(self) -> None:
        """What it runs is told to end, and then it is gone."""
        self._ask({"do": "end"})
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _GRACE)
        await self.kill()

    async def kill(self) -> None:
        """At once, as a machine whose power is cut."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()  # the kernel ends its first process with it, and by that all others
        await self._process.wait()
        if self._reading:
            await self._reading
        if self._fds:
            self._fds.close()
        for real in self.open_ports.values():
            self._ports.give_back(real)

    def _hand_over(self, port: int, real: int) -> None:
        """A socket that listens here and is served there."""
        assert self._fds is not None
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HERE, real))
            listener.listen(1024)
            socket.send_fds(self._fds, [str(port).encode()], [listener.fileno()])

    def _ask(self, said: Any) -> None:
        if self.running and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(json.dumps(said).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            told = json.loads(line)
            if "console" in told:
                self.console.append(told["console"])
            elif "agent" in told:
                self.agent = True
            elif "sshd" in told:
                self.sshd = True
            elif "booted" in told:
                self.booted = told["booted"]
            elif "ran" in told:
                waiting = self._runs.pop(told["ran"], None)
                if waiting is not None and not waiting.done():  # who asked may not wait for it any more
                    waiting.set_result((told["code"], told["out"]))
            self._told(told)
        for waiting in self._runs.values():
            if not waiting.done():
                waiting.set_result((None, "the instance is gone"))
