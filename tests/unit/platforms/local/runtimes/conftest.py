"""A process runtime on a state directory of its own, emptied of processes afterwards."""

import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence

from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.runtime import Running
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime


@dataclass
class Machine:
    """A source folder, a state directory and a runtime on it."""

    source: Path
    state: Path
    runtime: ProcessRuntime
    key: str

    def service(self, command: str = "exec sleep 60", **changes: Any) -> Service:
        app, _, name = self.key.partition("/")
        return replace(Service(app=app, name=name, source=str(self.source), command=command), **changes)

    async def release(self, command: str = "exec sleep 60", **changes: Any) -> Release:
        service = self.service(command, **changes)
        artifact = await self.runtime.build(service)
        return Release(
            number=1, service=service, version="v1", digest=artifact.digest, config_hash="", path=os.environ["PATH"]
        )

    async def launch(self, instance: str, command: str, **changes: Any) -> None:
        await self.runtime.launch(instance, await self.release(command, **changes), {}, 1)

    def successor(self) -> ProcessRuntime:
        return ProcessRuntime(self.state, TokenFence())

    def recorded(self, instance: str) -> Process | None:
        """The process that an instance recorded itself as."""
        boot, _, stat = (self.state / "instances" / f"{instance}.session").read_text().partition(" ")
        return proc.parse(stat) if boot else None

    async def seen(self) -> Running:
        (found,) = await self.runtime.instances(self.key)
        return found

    def log(self, name: str) -> Path:
        return self.state / "logs" / self.key / f"{name}.log"


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    source, state = tmp_path / "source", tmp_path / "state"
    source.mkdir()
    (source / "app.txt").write_text("hello")
    made = Machine(source, state, ProcessRuntime(state, TokenFence()), f"t{uuid.uuid4().hex[:8]}/web")
    yield made
    for instance in await made.runtime.instances(made.key):
        await made.runtime.stop(instance.id, 0, 1)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours and must survive."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()
