"""The runtime in memory: it starts and stops what the platform then has a life for."""

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import lru_cache

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.dry.platform import Life, Platform
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.engine.ports.seats import Seat

LOOK = 0.02  # seconds between two looks at what is written


class DryRuntime:
    """`Runtime` on a `Platform`."""

    def __init__(self, platform: Platform, fence: Fence) -> None:
        self._platform = platform
        self._fence = fence

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        self._platform.built_with[service.key] = dict(env or {})
        await self._platform.clock.sleep(self._platform.command(service.build).seconds)
        made = await self.foresee(service)
        self._platform.artifacts.add((service.key, made.digest))
        return made

    async def foresee(self, service: Service) -> Artifact:
        source = service.source or service.image
        if source in self._platform.missing:
            raise WrongInputError(f"{source} does not exist")
        digest = hashlib.sha256(f"{source} {service.build}".encode()).hexdigest()
        return Artifact(digest=digest, version=source.rpartition("/")[2])

    async def check(self, release: Release) -> None:
        if (release.service.key, release.digest) not in self._platform.artifacts:
            raise PlatformError(f"release {release.label} is not on this machine any more", "build it again")

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:
        await self._fence.check(release.service.key, token)
        self._platform.launch(instance, release, release.environment(secrets))

    async def instances(self, service: str) -> Sequence[Running]:
        now = self._platform.clock.now()
        return [running(life, now) for life in self._platform.of(service)]

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        platform = self._platform
        life = platform.lives.get(instance)
        if life is None:
            return False
        await self._fence.check(life.service, token)
        platform.terminate(life)
        alive = life.truth(platform.clock.now()) is not Health.EXITED
        if alive:
            await platform.clock.sleep(min(grace, life.behaviour.grace))
        life.gone_at = platform.clock.now()
        platform.lives.pop(instance, None)
        return alive and life.behaviour.grace > grace

    async def execute(
        self, instance: str, release: Release, command: str, secrets: Mapping[str, str], limit: float
    ) -> HookResult:
        """What the command finds is what the instance is: it passes while that is healthy."""
        life, program = self._platform.lives.get(instance), self._platform.command(command)
        if life is None or life.gone(self._platform.clock.now()):
            raise PlatformError(f"{instance} does not run")
        takes = max(program.seconds, life.behaviour.probe)
        await self._platform.clock.sleep(min(takes, limit))
        healthy = life.truth(self._platform.clock.now()) is Health.HEALTHY
        said = "\n".join(program.says({**release.environment(secrets), "CROSSFADE_INSTANCE": instance}))
        if takes > limit:
            return HookResult(code=124, output=f"{said}\ntimed out after {limit:g} s".strip())
        return HookResult(code=program.code if healthy else 1, output=said)

    async def found(self) -> Sequence[Found]:
        lives = self._platform.lives.values()
        return [Found(id=life.id, service=life.service, release=life.release) for life in lives]

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        program = self._platform.command(command)
        said = "\n".join(program.says({**release.environment(secrets), **env}))
        await self._platform.clock.sleep(min(program.seconds, limit))
        if program.seconds > limit:
            return HookResult(code=124, output=f"{said}\ntimed out after {limit:g} s".strip())
        return HookResult(code=program.code, output=said, digest=hashlib.sha256(said.encode()).hexdigest())

    async def seat(
        self,
        release: Release,
        secrets: Mapping[str, str],
        words: Sequence[str],  # noqa: ARG002  nobody sits here
        instance: str,
        *,
        interactive: bool,  # noqa: ARG002  as above
    ) -> Seat:
        own = {"CROSSFADE_INSTANCE": instance} if instance else {}
        return Seat(env={**release.environment(secrets), **own}, folder="/")

    async def ready(self, release: Release) -> None:
        self._platform.ready_for.append((self._platform.clock.now(), release.number))

    async def begin(self, run: str, release: Release, command: str, secrets: Mapping[str, str], token: int) -> None:
        await self._fence.check(release.service.key, token)
        if run not in self._platform.runs:
            self._platform.runs[run] = (self._platform.clock.now(), command, release.environment(secrets))
            self._platform.begun[run] += 1

    async def outcome(self, run: str, release: Release) -> HookResult | None:  # noqa: ARG002  its id says it all
        if run not in self._platform.runs:
            return HookResult(code=None, output="it never began")
        began, command, env = self._platform.runs[run]
        program = self._platform.command(command)
        if self._platform.clock.now() < began + program.seconds:
            return None
        return HookResult(code=program.code, output="\n".join(program.says(env)))

    async def clear(self, run: str, release: Release, grace: float) -> None:  # noqa: ARG002  it ends at once
        self._platform.runs.pop(run, None)

    async def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        platform, read, instance = self._platform, dict[str, int](), query.instance
        if instance is not None and (service, instance) not in platform.written:
            raise WrongInputError(f"there is no log of {instance} of {service}")
        while True:
            for name in [name for of, name in platform.written if of == service and instance in {None, name}]:
                written = platform.written[service, name]
                for at, line in written[read.get(name, max(0, len(written) - query.lines)) :]:
                    if query.since is None or at >= query.since:
                        yield Said(at, name, line)
                read[name] = len(written)
            if not query.follow:
                return
            await platform.clock.sleep(LOOK)

    async def forget(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        for life in self._platform.of(release.service.key):
            if life.release.digest == release.digest:
                raise RefusedError(f"instance {life.id} runs from release {release.label}")
        self._platform.artifacts.discard((release.service.key, release.digest))

    async def silent(self, address: str) -> str:  # noqa: ARG002  its instances say themselves what is wrong with them
        return ""

    async def keep(self, service: str, digests: Collection[str]) -> None:
        artifacts = self._platform.artifacts
        needed = {*digests, *(life.release.digest for life in self._platform.of(service))}
        artifacts -= {(of, digest) for of, digest in artifacts if of == service and digest not in needed}
        artifacts |= {(service, digest) for digest in digests}

    async def close(self) -> None: ...


def running(life: Life, now: float) -> Running:
    """An instance as a runtime reports it."""
    return _listed(life, life.truth(now) is Health.EXITED, life.term_at is not None)


@lru_cache(maxsize=64)
def _listed(life: Life, exited: bool, stopping: bool) -> Running:  # noqa: FBT001  by their places they are found sooner
    """One object as long as nothing about it changes, which few looks see."""
    return Running(
        id=life.id,
        service=life.service,
        release=life.release.number,
        address=life.address if life.release.service.kind == "web" else "",
        launched_at=life.launched_at,
        exited=exited,
        stopping=stopping,
        detail=life.behaviour.detail or "exited with code 1" if exited else "",
    )
