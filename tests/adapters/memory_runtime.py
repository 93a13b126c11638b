"""A runtime without processes: its instances are entries in a dictionary that a test can crash."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.adapters.system_clock import SystemClock

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.journal import Fence
from crossfade.engine.ports import Artifact, Clock, Found, HookResult, Running


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a command does here: it says some lines, given its environment, and ends with `code` unless that is None."""

    says: Callable[[Mapping[str, str]], Sequence[str]] = lambda env: ()
    code: int | None = None
    seconds: float = 0.0  # until it ends, as a hook
    parting: str = ""  # what it says on SIGTERM
    ignores_term: bool = False


@dataclass
class World:
    """What outlives an adapter. A command that is not in `programs` runs for ever and says nothing."""

    clock: Clock = field(default_factory=SystemClock)
    programs: dict[str, Program] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)  # sources that are not there
    artifacts: set[tuple[str, str]] = field(default_factory=set)  # service and digest
    instances: dict[str, Running] = field(default_factory=dict)
    started: dict[str, Release] = field(default_factory=dict)
    written: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # by service and instance
    built_with: dict[str, Mapping[str, str]] = field(default_factory=dict)  # by service: what its last build was given
    endless: set[str] = field(default_factory=set)  # build commands that do not end
    environments: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def crash(self, instance: str, detail: str = "killed by signal 9 (SIGKILL)") -> None:
        """Let an instance end without being told to."""
        self.instances[instance] = replace(self.instances[instance], exited=True, detail=detail)


class MemoryRuntime:
    """`Runtime` over a `World`."""

    def __init__(self, world: World, fence: Fence) -> None:
        self._world = world
        self._fence = fence

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        source = service.source or service.image
        if source in self._world.missing:
            raise WrongInputError(f"{source} does not exist.")
        self._world.built_with[service.key] = dict(env or {})
        if service.build in self._world.endless:
            await asyncio.Event().wait()
        name = f"{source} {service.build}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        self._world.artifacts.add((service.key, digest))
        return Artifact(digest=digest, version=source.rpartition("/")[2])

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:
        service, world = release.service, self._world
        await self._fence.check(service.key, token)
        if instance in world.instances:
            return
        port = 20_000 + len(world.written)
        env = _environment(release, secrets) | {"PORT": str(port), "CROSSFADE_INSTANCE": instance}
        program = self._program(service.command)
        said = list(program.says(env))
        exited = program.code is not None
        missing = re.fullmatch(r"command not found: .*", said[-1]) if said else None
        how = said[-1] if missing else ": ".join([f"exited with code {program.code}", *said[-1:]])
        world.instances[instance] = Running(
            id=instance,
            service=service.key,
            release=release.number,
            address=f"127.0.0.1:{port}",
            launched_at=world.clock.now(),
            exited=exited,
            detail=how if exited else "",
        )
        world.started[instance] = release
        world.written[service.key, instance] = said
        world.environments[instance] = env

    async def instances(self, service: str) -> Sequence[Running]:
        return [instance for instance in self._world.instances.values() if instance.service == service]

    async def found(self) -> Sequence[Found]:
        world = self._world
        return [Found(id=i.id, service=i.service, release=world.started[i.id]) for i in world.instances.values()]

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        world = self._world
        running = world.instances.get(instance)
        if running is None:
            return False
        await self._fence.check(running.service, token)
        program = self._program(world.started[instance].service.command)
        world.instances[instance] = replace(running, stopping=True)
        if not running.exited:
            if program.parting:
                world.written[running.service, instance].append(program.parting)
            await world.clock.sleep(grace if program.ignores_term else 0.0)
        world.instances.pop(instance, None)
        return program.ignores_term and not running.exited

    async def execute(
        self, instance: str, release: Release, command: str, secrets: Mapping[str, str], limit: float
    ) -> HookResult:
        if instance not in self._world.instances:
            raise PlatformError(f"{instance} does not run")
        return await self.run(release, command, secrets, {"CROSSFADE_INSTANCE": instance}, limit)

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        program = self._program(command)
        said = "\n".join(program.says(_environment(release, secrets) | dict(env)))
        await self._world.clock.sleep(min(program.seconds, limit))
        if program.seconds > limit:
            return HookResult(code=124, output=f"{said}\ntimed out after {limit:g} s".strip())
        return HookResult(code=program.code or 0, output=said)

    async def logs(
        self, service: str, *, instance: str | None, lines: int, follow: bool
    ) -> AsyncIterator[tuple[str, str]]:
        world, read = self._world, dict[str, int]()
        if instance is not None and (service, instance) not in world.written:
            raise WrongInputError(f"there is no log of {instance} of {service}.")
        while True:
            names = [name for of, name in world.written if of == service and instance in {None, name}]
            for name in names:
                written = world.written[service, name]
                for line in written[read.get(name, max(0, len(written) - lines)) :]:
                    yield name, line
                read[name] = len(written)
            if not follow:
                return
            await asyncio.sleep(0.02)

    async def forget(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        for instance, started in self._world.started.items():
            if instance in self._world.instances and started.digest == release.digest:
                raise RefusedError(f"Instance {instance} runs from release {release.label}.")

        self._world.artifacts.discard((release.service.key, release.digest))

    async def keep(self, service: str, digests: Collection[str]) -> None:
        artifacts = self._world.artifacts
        artifacts -= {(of, digest) for of, digest in artifacts if of == service and digest not in digests}
        artifacts |= {(service, digest) for digest in digests}

    async def check(self, release: Release) -> None:
        if (release.service.key, release.digest) not in self._world.artifacts:
            raise PlatformError(f"release {release.label} is not on this machine any more", "build it again")

    def silent(self, address: str) -> str:
        return ""

    async def close(self) -> None: ...

    def _program(self, command: str) -> Program:
        return self._world.programs.get(command, Program())


def _environment(release: Release, secrets: Mapping[str, str]) -> dict[str, str]:
    service = release.service
    return {
        **dict(service.env),
        **secrets,
        "CROSSFADE_APP": service.app,
        "CROSSFADE_SERVICE": service.name,
        "CROSSFADE_RELEASE": str(release.number),
        "CROSSFADE_VERSION": release.version,
    }
