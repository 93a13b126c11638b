"""A user's folder for a test: crossfade.yaml, its infrastructure, and `crossfade infra` from a shell."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")

WEB = {"image": "acme/web", "port": 3000, "resources": {"cpu": 0.5, "memory": "1G"}}


@dataclass(frozen=True)
class Ran:
    """What a shell sees."""

    code: int
    out: str
    err: str


@dataclass
class Project:
    """One folder. `env` is laid over the environment of everything that runs in it."""

    home: Path
    environments: tuple[str, ...] = ("dev",)
    env: dict[str, str] = field(default_factory=dict)
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.file.exists():
            environments = {name: {"platform": "aws"} for name in self.environments}
            data = {"app": "shop", "services": {"web": WEB}, "environments": environments}
            self.file.write_text(json.dumps(data, indent=1))  # JSON is YAML

    @property
    def file(self) -> Path:
        return self.home / "crossfade.yaml"

    def folder(self, environment: str) -> Path:
        return self.home / "infrastructure" / "environments" / environment

    def state(self, environment: str) -> Path:
        return self.folder(environment) / "terraform.tfstate"

    def kept(self, environment: str) -> list[str]:
        """What the state says that there is."""
        with suppress(OSError, ValueError):
            resources = json.loads(self.state(environment).read_text())["resources"]
            return [f"{one['type']}.{one['name']}" for one in resources if one["instances"]]
        return []

    def write(self, environment: str, main: str) -> None:
        """The environment as `infra init` makes it, edited by a user into something else."""
        if not self.folder(environment).exists():
            self.ok("init", "-e", environment)
        for file in self.folder(environment).glob("*.tf*"):
            if file.suffix in {".tf", ".tfvars"}:
                file.write_text("# emptied\n")
        (self.folder(environment) / "main.tf").write_text(main)

    def ok(self, *words: str, **options: Any) -> Any:
        """`crossfade infra ...` with --json: its result."""
        ran = self.run(*words, "--json", **options)
        assert ran.code == 0, ran.err or ran.out
        return json.loads(ran.out.splitlines()[-1])

    def run(self, *words: str, env: dict[str, str] | None = None, limit: float = 120) -> Ran:
        process = self.start(*words, env=env)
        out, err = process.communicate(timeout=limit)
        return Ran(process.returncode, out, err)

    def start(self, *words: str, env: dict[str, str] | None = None, stdin: int = subprocess.DEVNULL, **io: Any) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", "infra", *words],
            cwd=self.home,
            env=os.environ | self.env | (env or {}),
            stdin=stdin,
            stdout=io.get("stdout", subprocess.PIPE),
            stderr=io.get("stderr", subprocess.PIPE),
            text=True,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def type(self, text: str, *words: str) -> tuple[str, int]:
        """At a terminal: what it shows, and its exit code."""
        ours, theirs = pty.openpty()
        process = self.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, text.encode())
        shown = b""
        with suppress(OSError):  # Linux says EIO when the other end is closed
            while chunk := os.read(ours, 4096):
                shown += chunk
        os.close(ours)
        return shown.decode(), process.wait(60)

    def until(self, environment: str, name: str, limit: float = 30) -> None:
        """A file that a provisioner leaves behind."""
        end = time.monotonic() + limit
        while not (self.folder(environment) / name).exists():
            assert time.monotonic() < end, f"{name} did not come within {limit} s"
            time.sleep(0.05)

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
