"""A whole machine for a test: a real controller with a real balancer in a directory of its own, gone afterwards."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from tests.support.ports import free_port

from crossfade.core.service import HealthCheck, Listener, RollbackOn, Service, Strategy
from crossfade.core.wire import encode

TINY = Path(__file__).with_name("tiny.py")
ROOT = Path(__file__).parents[2]


class Process(Protocol):
    """What is asked of a controller's process; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def send_signal(self, sig: int) -> None: ...
    def wait(self, timeout: float) -> int: ...


class Machine:
    """Start, stop and kill its controller, and talk to it. `await close()` leaves nothing behind."""

    def __init__(self, balancer: str = "envoy") -> None:
        self.root = Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp"))  # short: unix sockets allow 108 bytes
        self.state = self.root / "s"
        self.balancer = balancer
        self.process: Process | None = None
        self._session: aiohttp.ClientSession | None = None

    def app(self, name: str = "shop") -> "App":
        return App(self, name)

    @property
    def log_file(self) -> Path:
        """What the controllers wrote."""
        return self.root / "controller.log"

    def start(self) -> None:
        """Run the controller; a second one beside it would end at once, and be taken for the first."""
        assert self.process is None or self.process.poll() is not None, "its controller runs already"
        env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crossfade.controller.daemon", str(self.state), self.balancer],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=env,
            )

    async def ready(self, seconds: float = 90.0) -> None:
        """Wait until the controller answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                await self.call("GET", "/v1/controller")
            except (OSError, aiohttp.ClientError):
                assert self.process is not None
                assert self.process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                await asyncio.sleep(0.02)
            else:
                return

    async def up(self, process: Process | None = None) -> "Machine":
        """Run the controller, or have one run that a test started, and wait until it answers."""
        if process is None:
            self.start()
        else:
            self.process = process
        await self.ready()
        return self

    def log(self) -> str:
        return self.log_file.read_text()[-4000:]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the controller and wait until it is gone."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; an error answer raises AssertionError with it."""
        status, data = await self.ask(method, path, body)
        assert status < 400, data
        return data

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, text = await self._request(method, path, body)
        return status, json.loads(text)

    async def lines(self, path: str) -> list[Any]:
        """An answer of one JSON value a line."""
        _, text = await self._request("GET", path, None)
        return [json.loads(line) for line in text.splitlines()]

    async def _request(self, method: str, path: str, body: Any) -> tuple[int, str]:
        if self._session is None:
            connector = aiohttp.UnixConnector(path=str(self.state / "api.sock"), force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60))
        async with self._session.request(method, f"http://crossfade{path}", json=body) as answer:
            return answer.status, await answer.text()

    async def restart_balancer(self) -> None:
        """Replace its process by a new one."""
        await self.call("POST", "/v1/balancer/restart", {})

    def balancer_pid(self) -> int:
        """The Envoy that listens now: with a successor under way, the one that came last."""
        return int(json.loads((self.state / "balancer" / "process.json").read_text())["main"]["pid"])

    def processes(self, app: str) -> list[int]:
        """Pids of the instances of an app that run from this machine's state directory."""
        mine = f"CROSSFADE_APP={app}".encode()
        return [
            pid
            for pid in _pids()
            if (environment := _read(pid, "environ")) is not None
            and mine in environment.split(b"\0")
            and _cwd(pid).startswith(str(self.state))
        ]

    async def close(self) -> None:
        if self._session:
            await self._session.close()
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)
        here = str(self.state).encode()
        left = [p for p in _pids() if here in (_read(p, "cmdline") or b"") or _cwd(p).startswith(str(self.state))]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shutil.rmtree(self.root, ignore_errors=True)


class App:
    """One app of the machine with its service `web`; each has a port of its own, so that many share a controller."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine = machine
        self.name = name
        self.port = free_port()
        self._code = machine.root / name
        self._code.mkdir()
        shutil.copy(TINY, self._code / "tiny.py")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def service(self, **changes: Any) -> Service:
        """A service that runs tiny.py, checked often and drained briefly; `fault` and `strategy` as wanted."""
        fault = changes.pop("fault", "")
        env = (("FAULT", fault), ("TAG", changes.pop("tag", "")), *changes.pop("env", ()))
        base = Service(
            app=self.name,
            name="web",
            source=str(self._code),
            command=f"exec {sys.executable} -S tiny.py",
            replicas=2,
            health=HealthCheck(path="/health", interval=0.2, timeout=1.0, healthy=2, unhealthy=2),
            drain=1.0,
            grace=2.0,
            listener=Listener(host="127.0.0.1", http=self.port),
            env=env,
            strategy=Strategy(timeout=8.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=10)),
        )
        return replace(base, **changes)

    async def begin(self, service: Service, **order: Any) -> int:
        """Order a deploy; the rollout's number."""
        return int((await self.machine.call("POST", "/v1/deploy", self._deploy(service, order)))["id"])

    async def refused(self, service: Service, **order: Any) -> Any:
        """Order a deploy that must not be accepted: its error {"cause", "way_out", "exit_code"}."""
        status, answer = await self.machine.ask("POST", "/v1/deploy", self._deploy(service, order))
        assert status >= 400, answer
        return answer["error"]

    async def outcome(self, rollout: int) -> Any:
        """Wait for a rollout's end: {"rollout": ..., "traffic": ...}."""
        return await self.machine.call("GET", f"/v1/rollouts/{rollout}?app={self.name}&service=web&wait=1")

    async def deploy(self, service: Service, **order: Any) -> Any:
        return await self.outcome(await self.begin(service, **order))

    async def begin_rollback(self, **order: Any) -> int:
        return int((await self.machine.call("POST", "/v1/rollback", self._mine(order)))["id"])

    async def rollback(self, **order: Any) -> Any:
        return await self.outcome(await self.begin_rollback(**order))

    async def rollback_refused(self, **order: Any) -> Any:
        status, answer = await self.machine.ask("POST", "/v1/rollback", self._mine(order))
        assert status >= 400, answer
        return answer["error"]

    async def order(self, verb: str, **more: Any) -> Any:
        return await self.machine.call("POST", f"/v1/order/{verb}", self._mine(more))

    async def scale(self, replicas: int) -> None:
        """Change the number of instances and wait until all of them serve."""
        await self.machine.call("POST", "/v1/scale", self._mine({"replicas": replicas, "wait": True}))

    async def tag(self, release: str, tag: str) -> None:
        """Give a release a name by which it is kept."""
        await self.machine.call("POST", "/v1/tag", self._mine({"release": release, "tag": tag}))

    async def status(self) -> Any:
        services = (await self.machine.call("GET", f"/v1/status?app={self.name}"))["services"]
        return next(s for s in services if s["name"] == "web")

    async def releases(self) -> dict[int, Any]:
        found = await self.machine.call("GET", f"/v1/releases?app={self.name}&service=web")
        return {release["number"]: release for release in found["releases"]}

    async def events(self, kind: str) -> list[Any]:
        """What the journal holds of this kind about this app, oldest first."""
        events = await self.machine.lines(f"/v1/events?app={self.name}&service=web")
        return [event for event in events if event["kind"] == kind]

    async def until(self, holds: Callable[[Any], bool], seconds: float = 60.0) -> Any:
        """The first status of which `holds` is true."""
        deadline = time.monotonic() + seconds
        while True:
            status = await self.status()
            if holds(status):
                return status
            assert time.monotonic() < deadline, (status, self.machine.log())
            await asyncio.sleep(0.03)

    async def waits_for(self, words: str) -> Any:
        """The status once the rollout under way says that it waits for this."""
        return await self.until(lambda s: s["rollout"] and any(words in why for why in s["rollout"]["waiting_for"]))

    async def settled(self, release: int, replicas: int = 2) -> Any:
        """The status once nothing but this release runs, all of it healthy."""
        return await self.until(
            lambda s: (
                not s["rollout"]
                and len(s["instances"]) == replicas
                and {(i["release"], i["state"]) for i in s["instances"]} == {(release, "healthy")}
            )
        )

    def processes(self) -> list[int]:
        return self.machine.processes(self.name)

    def pid_of(self, instance: str) -> int:
        """The process that is this instance."""
        mine = f"CROSSFADE_INSTANCE={instance}".encode()
        return next(p for p in self.processes() if mine in (_read(p, "environ") or b"").split(b"\0"))

    async def down(self) -> None:
        """Everything of it stopped and forgotten; nothing happens when it was never deployed."""
        await self.machine.ask("POST", "/v1/down", {"app": self.name, "by": "tester", "force": True})

    def _deploy(self, service: Service, order: dict[str, Any]) -> dict[str, Any]:
        return {"service": encode(service), "by": "tester", "path": os.environ["PATH"], **order}

    def _mine(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"app": self.name, "service": "web", "by": "tester", **order}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _read(pid: int, name: str) -> bytes | None:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return None


def _cwd(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""
