"""A machine of its own for a test: a short state directory, apps that boot at once, and `crossfade` from a shell."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

from crossfade.cli.client import ControllerClient
from crossfade.core.errors import PlatformError

# Answers its release on every path; {trouble} makes it a bad one.
APP = """\
import http.server, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        code, body = 200, os.environ["CROSSFADE_RELEASE"].encode()
        {trouble}
        head = "HTTP/1.1 %d -\\r\\nX-Release: %s\\r\\nContent-Length: %d\\r\\n\\r\\n"
        self.wfile.write((head % (code, body.decode(), len(body))).encode() + body)  # one packet, one ACK

    def log_message(self, *args):
        pass

print("listening, secret", os.environ.get("TOKEN"), flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
GOOD = "pass"
ERRORS = "code = 200 if self.path == '/health' else 500"
NEVER_HEALTHY = "code = 503 if self.path == '/health' else 200"
PYTHON = Path(sys.executable)


@dataclass(frozen=True)
class Ran:
    """What a shell sees of a verb that ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def last(self) -> Any:
        """The last line, which is the one result with --json."""
        return json.loads(self.out.splitlines()[-1])


@dataclass
class Machine:
    """One state directory and the source folder of an app."""

    home: Path
    port: int
    app: str = "shop"
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.home / "s"

    @property
    def source(self) -> Path:
        return self.home / self.app

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, trouble: str = GOOD, **service: Any) -> None:
        """The app and its file; keys of the service come as they stand in the file."""
        self.source.mkdir(exist_ok=True)
        (self.source / "main.py").write_text(APP.format(trouble=trouble))
        self.write_file({"web": self.service(**service)})

    def service(self, **more: Any) -> dict[str, Any]:
        rules = {"rollback_on": {"min_requests": 5}, "keep_assets": 0}  # nobody reads a page
        quick = {"strategy": "blue-green", "bake": "300ms", "timeout": "15s", **rules}
        service = {
            "source": ".",
            "command": "python3 main.py",
            "replicas": 2,
            "health": {"path": "/health", "interval": "500ms", "timeout": "500ms"},
            "drain": "3s",
            "grace": "1s",
            **more,
        }
        return service | {"deploy": quick | more.get("deploy", {})}

    def write_file(self, services: dict[str, Any], **top: Any) -> None:
        """A line a key; what is in it as JSON, which is YAML."""
        self.source.mkdir(exist_ok=True)
        listen = {"http": self.port, "host": "127.0.0.1"}
        data = {"app": self.app, "services": services, "listen": listen, **top}
        (self.source / "crossfade.yaml").write_text(
            "".join(f"{key}: {json.dumps(told)}\n" for key, told in data.items())
        )

    def run(self, *words: str, env: dict[str, str] | None = None, limit: float = 60) -> Ran:
        began = time.perf_counter()
        process = self.start(*words, env=env)
        out, err = process.communicate(timeout=limit)
        return Ran(process.returncode, out, err, time.perf_counter() - began)

    def start(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "crossfade.cli.main", *words],
            cwd=self.source if self.source.exists() else self.home,
            env=self.environment | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    @property
    def environment(self) -> dict[str, str]:
        path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"CROSSFADE_STATE": str(self.state), "PATH": path}

    def ok(self, *words: str, **options: Any) -> Any:
        """Run with --json, expect success, and return the result."""
        ran = self.run(*words, "--json", **options)
        assert ran.code == 0, ran.err or ran.out
        return ran.last

    def status(self) -> Any:
        """The status of its one service."""
        services = self.services()
        assert len(services) == 1
        return services[0]

    def services(self) -> list[Any]:
        """As the controller has them, without a shell; none while there is no controller."""
        try:
            found: list[Any] = self._controller().get("/v1/status", app=self.app)["services"]
        except PlatformError:
            return []
        return found

    def until(self, holds: Any, limit: float = 20) -> Any:
        """The first true value of `holds(status)`."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            services = self.services()
            if services and (found := holds(services[0])):
                return found
            time.sleep(0.05)
        raise AssertionError(f"it did not come true within {limit} s: {services}")

    def beside(self, app: str) -> "Machine":
        """Another app of the same controller, with a port of its own."""
        return replace(self, app=app, port=free_port())

    def leave(self) -> None:
        """Nothing of its app runs any more; whoever else is on this machine goes on."""
        with contextlib.suppress(PlatformError):
            self._controller().post("/v1/down", app=self.app, by="tester", force=True)

    def _controller(self) -> ControllerClient:
        return ControllerClient(self.state / "api.sock")

    def kill_controller(self) -> int:
        pid = int((self.state / "controller.lock").read_text())
        os.kill(pid, signal.SIGKILL)
        return pid

    def processes(self) -> dict[int, str]:
        """Everything that runs on this machine: the unique home is in its command, environment or directory."""
        mark = os.fsencode(self.home)
        return {pid: name for pid in _pids() if (name := _name(pid, mark))}

    def close(self) -> None:
        """Stop it all, gently first; a test that failed leaves nothing either."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        if self.processes():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.run("down", "--all", "--force", limit=15)
        for _ in range(50):
            left = self.processes()
            if not left:
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        shutil.rmtree(self.home, ignore_errors=True)


@contextlib.contextmanager
def machine() -> Iterator[Machine]:
    """Short, because a unix socket's path has at most 108 bytes."""
    made = Machine(Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp")), free_port())
    try:
        yield made
    finally:
        made.close()


def sentence(text: str) -> str:
    """Text without its line breaks."""
    return re.sub(r"\s+", " ", text)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _name(pid: int, mark: bytes) -> str:
    if pid == os.getpid():
        return ""
    home = Path("/proc", str(pid))
    with contextlib.suppress(OSError):
        command = (home / "cmdline").read_bytes()
        if mark in command or mark in (home / "environ").read_bytes() or mark in os.fsencode((home / "cwd").readlink()):
            return command.replace(b"\0", b" ").decode(errors="replace")
    return ""
