"""A container of a task as a real container, where Docker has its image."""

import asyncio
import uuid
from collections.abc import Callable, Mapping

from tests.rig.ecs.container import Container

LABEL = "crossfade-rig"


async def docker(*arguments: str) -> tuple[int, str]:
    """Exit code and what it said; 127 where there is no Docker."""
    try:
        process = await asyncio.create_subprocess_exec(
            "docker", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except FileNotFoundError:
        return 127, ""
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode().strip()


async def has(image: str) -> bool:
    """Docker has it here: no registry is asked."""
    return (await docker("image", "inspect", "--format", "{{.Id}}", image))[0] == 0


class DockerContainer(Container):
    """`ports` are of this machine, by the container's. PORT is what the definition says: the container has its own."""

    def __init__(self, name: str, *, essential: bool, memory: int | None, image: str, ports: Mapping[int, int]) -> None:
        super().__init__(name, essential=essential, memory=None)
        self._most, self._image, self._ports = memory, image, ports
        self._called = f"rig-{uuid.uuid4().hex[:12]}"

    async def start(
        self, command: tuple[str, ...], folder: str, environment: Mapping[str, str], heard: Callable[[str], None]
    ) -> None:
        run = ["docker", "run", "--name", self._called, "--label", LABEL]
        for port, real in self._ports.items():
            run += ["--publish", f"127.0.0.1:{real}:{port}"]
        for name in environment:
            run += ["--env", name]  # their values are in our environment, and in no list of processes
        if self._most:
            run += ["--memory", f"{self._most}m"]
        await super().start((*run, self._image, *command), "", environment, heard)

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109  as of a process
        if self.running:
            await docker("stop", "--time", str(max(0, round(timeout))), self._called)
        await self.wait()

    async def wait(self) -> None:
        await super().wait()
        code, said = await docker("inspect", "--format", "{{.State.OOMKilled}}", self._called)
        if code == 0:
            self.out_of_memory = said == "true"
            await docker("rm", "--force", self._called)
