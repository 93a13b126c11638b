"""`systemctl` on an instance: units that user data wrote, nginx, and CodeDeploy's agent.

https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
"""

import asyncio
import shlex
from collections.abc import Callable
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

from tests.rig.ec2.guest import sshd
from tests.rig.ec2.guest.dockerd import Dockerd
from tests.rig.ec2.guest.facts import Refusal
from tests.rig.ecs.container import Container

_UNITS = Path("/etc/systemd/system")
_THERE = {"amazon-cloudwatch-agent"}  # runs by itself, or not at all
AGENT, DOCKER, SSHD = "codedeploy-agent", "docker", "sshd"


@dataclass(frozen=True)
class Unit:
    """What a service's file says."""

    command: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    log: str
    again: bool
    needs: str  # a path without which it is not started

    def may_start(self) -> bool:
        return not self.needs or Path(self.needs).exists()

    def keep(self, line: str) -> None:
        """Where it writes to a file."""
        if self.log:
            with Path(self.log).open("a") as log:
                log.write(f"{line}\n")


class Systemd:
    """`run` takes what stands after `systemctl`."""

    def __init__(self, instance: str, environment: dict[str, str], say: Callable[..., None]) -> None:
        self._instance, self._environment, self._say = instance, environment, say
        self.collected: dict[str, str] = {}  # log groups, by the file that goes there
        self._running: dict[str, Container] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._dockerd = Dockerd()

    async def run(self, arguments: list[str], _: dict[str, str]) -> str:
        words = [one for one in arguments if not one.startswith("-")]
        if not words:
            return ""
        verb, *names = words
        names = [name.removesuffix(".service") for name in names]
        now = "--now" in arguments
        for name in names:
            if name == SSHD and verb == "reload":
                await self._start(name)
            if verb in ("stop", "restart") or (verb == "disable" and now):
                await self._stop(name, 10.0)
            if verb in ("start", "restart") or (verb == "enable" and now):
                await self._start(name)
            if verb == "is-active" and (name not in self._running or not self._running[name].running):
                raise Refusal("inactive", 3)
        return ""

    async def end(self, grace: float) -> None:
        await asyncio.gather(self._dockerd.end(grace), *(self._stop(name, grace) for name in list(self._running)))

    async def _start(self, name: str) -> None:
        if name in _THERE or name in self._running:
            return
        if name == AGENT:
            self._say(agent=True)
            return
        if name == DOCKER:
            await self._dockerd.listen()
            return
        unit = _NGINX if name == "nginx" else _ssh() if name == SSHD else _read(name)
        if not unit.may_start():
            return
        await self._begin(name, unit)
        if name == SSHD:
            self._say(sshd=True)
        self._work[name] = asyncio.create_task(self._watch(name, unit))

    async def _begin(self, name: str, unit: Unit) -> None:
        container = self._running[name] = Container(name, essential=True, memory=None)

        def heard(line: str) -> None:
            unit.keep(line)
            if unit.log in self.collected:
                self._say(log=self.collected[unit.log], stream=self._instance, line=line)
            self._say(console=f"{name}: {line}")

        await container.start(unit.command, unit.folder, {**self._environment, **unit.environment}, heard)

    async def _watch(self, name: str, unit: Unit) -> None:
        while True:
            await self._running[name].wait()
            self._say(console=f"{name} exited with code {self._running[name].exit_code}")
            if not unit.again:
                return
            await asyncio.sleep(0.2)
            await self._begin(name, unit)

    async def _stop(self, name: str, grace: float) -> None:
        work, container = self._work.pop(name, None), self._running.pop(name, None)
        if work:
            work.cancel()
        if container:
            await container.stop(grace)


def _ssh() -> Unit:
    return Unit(sshd.prepared(), "/", {}, "", again=False, needs="")


_NGINX = Unit(("nginx", "-g", "daemon off;"), "/", {}, "", again=False, needs="")


def _read(name: str) -> Unit:
    """Of `app@3001` the file is `app@.service`, and %i is 3001."""
    base, at, instance = name.partition("@")
    text = (_UNITS / f"{base}{at}.service").read_text().replace("%i", instance)
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    said = dict(parser["Service"])
    pairs = dict(one.partition("=")[::2] for one in shlex.split(said.get("Environment", "")))
    return Unit(
        command=tuple(shlex.split(said["ExecStart"])),
        folder=said.get("WorkingDirectory", "/"),
        environment=pairs,
        log=said.get("StandardOutput", "").removeprefix("append:"),
        again=said.get("Restart") == "always",
        needs=parser.get("Unit", "ConditionPathExists", fallback=""),
    )
