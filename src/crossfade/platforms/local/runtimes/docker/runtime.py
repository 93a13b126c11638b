"""Instances as containers, published on this machine's loopback only."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.aside import aside
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.engine.ports.seats import Seat
from crossfade.platforms.local.runtimes import sqlite
from crossfade.platforms.local.runtimes.docker import beside, build, container, image, network, volumes
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.docker.logs import KEPT_LINES, ContainerLines
from crossfade.platforms.local.runtimes.hook import result
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs

if TYPE_CHECKING:
    from docker import DockerClient

POLL_FIRST, POLL_MOST = 0.05, 0.5  # seconds between two looks at a container that is to end
KILLED_WITHIN = 30.0
LEFT = 60.0  # seconds after which one that was made for a person is nobody's any more


class DockerRuntime:
    """`Runtime` whose instances are containers, known by their labels; `directory` says whose they are.

    An instance is ended by its image's STOPSIGNAL, SIGTERM if it has none. What it wrote is kept below
    `directory/logs`. Raises PlatformError when Docker does not run or may not be used.
    """

    def __init__(self, directory: Path, fence: Fence) -> None:
        self._fence = fence
        state = directory.resolve()
        self._logs = ProcessLogs(state / "logs")
        self._daemon = Daemon()
        self._ours = container.labels(state=state)
        self._state = state
        self._written = ContainerLines(self._daemon, self._logs, self._find)
        self._keep = network.owner(state)
        self._used = state / "docker"
        self._launching: set[str] = set()
        self._endings: dict[str, str] = {}  # by container: it ends only once, and need be asked only once

    def tell_ends(self, told: Callable[[str], None]) -> None:
        """See LocalRuntime: Docker is asked, and says it then."""

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        await self._daemon.ask(lambda client: network.require(client, service))
        made = await self._made(service, env or {})
        there = await self._daemon.ask(lambda client: volumes.folders(client, service, self._keep))
        return replace(made, notes=(*made.notes, *await aside(sqlite.warnings, service, there)))

    async def foresee(self, service: Service) -> Artifact | None:
        """An image that is built here shows when it is, and what a registry has when it is asked."""
        if service.container.build is not None:
            return None
        return await self._daemon.ask(lambda client: image.here(client, service))

    async def _made(self, service: Service, shell: Mapping[str, str]) -> Artifact:
        wanted = service.container.build
        if wanted is None:
            return await self._daemon.ask(lambda client: image.resolve(client, service, self._keep, shell))
        log = self._logs.path(service.key, "build")
        self._logs.times.forget(log)
        async with self._logs.times.marking(log):
            made = await build.image_id(service, wanted, shell, log)
        commit = await aside(build.commit, wanted)
        return await self._daemon.ask(lambda client: image.take(client, service, made, commit, self._keep))

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:
        service = release.service
        await self._fence.check(service.key, token)
        marks = container.labels(instance=instance, service=service.key, release=release.number, digest=release.digest)
        marks |= container.labels(made=json.dumps(encode(release)))
        env = {**release.environment(secrets), "CROSSFADE_INSTANCE": instance}
        if service.kind == "web":
            env["PORT"] = str(service.port)

        def start(client: "DockerClient") -> None:
            there = self._find(client, instance=instance)
            if not there:
                made = self._create(client, instance, release, service.command, env=env, marks=marks)
                container.start(client.api, made)
            elif there[0]["State"] == "created":  # by a controller that died before it could start it
                container.start(client.api, there[0]["Id"])

        self._used.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._used.touch(mode=0o600)
        self._launching.add(instance)
        try:
            await self._daemon.ask(start)
        finally:
            self._launching.discard(instance)

    async def instances(self, service: str) -> Sequence[Running]:
        """Those that are just being created are listed once they are started."""

        def look(client: "DockerClient") -> list[Running]:
            return [
                container.running(entry, self._ending(client, entry))
                for entry in self._find(client, service=service)
                if entry["State"] != "created" or container.instance(entry) not in self._launching
            ]

        return await self._daemon.ask(look)

    async def found(self) -> Sequence[Found]:
        """Nothing is asked, and no SDK loaded, on a machine that never ran a container from here."""
        if not self._used.exists():
            return []
        return await self._daemon.ask(
            lambda client: [container.found(entry) for entry in self._find(client) if container.is_instance(entry)]
        )

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        there = await self._daemon.ask(lambda client: self._find(client, instance=instance))
        if not there:
            return False
        found, service = str(there[0]["Id"]), there[0]["Labels"]["crossfade.service"]
        await self._fence.check(service, token)
        await self._daemon.ask(lambda client: container.mark_stopping(client.api, there[0]))
        killed = await self._end(found, instance, grace)
        await self._clear(found, self._logs.path(service, instance))
        app = service.partition("/")[0]
        await self._daemon.ask(lambda client: network.forget_idle(client, app, self._state))
        self._endings.pop(found, None)
        self._logs.prune(service, ())
        return killed

    async def execute(
        self,
        instance: str,
        release: Release,  # noqa: ARG002  its environment is the container's
        command: str,
        secrets: Mapping[str, str],  # noqa: ARG002  as above
        limit: float,
    ) -> HookResult:
        there = await self._daemon.ask(lambda client: self._find(client, instance=instance))
        if not there:
            raise PlatformError(f"{instance} does not run", "`crossfade status` shows what runs")
        return await beside.run(self._daemon, there[0]["Id"], command, limit)

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        service = release.service
        for orphan in await self._daemon.ask(lambda client: self._find(client, hook=service.key)):
            await self._ended(orphan["Id"], limit)  # its controller died: two migrations must not run at once
            await self._clear(orphan["Id"], self._logs.path(service.key, f"hook-orphan-{orphan['Id'][:8]}"))
        name = f"hook-{release.number}-{uuid.uuid4().hex[:8]}"
        log = self._logs.path(service.key, name)
        full, marks = {**release.environment(secrets), **env}, container.labels(hook=service.key)

        def start(client: "DockerClient") -> None:
            container.start(client.api, self._create(client, name, release, command, env=full, marks=marks))

        code: int | None = None
        complaint = ""
        try:
            await self._daemon.ask(start)
            if await self._ended(name, limit):
                code, complaint = await self._daemon.ask(lambda client: container.outcome(client.api, name))
        finally:
            await self._clear(name, log)
        return result(code, complaint, log, limit)

    async def seat(
        self,
        release: Release,
        secrets: Mapping[str, str],
        words: Sequence[str],
        instance: str,
        *,
        interactive: bool,
    ) -> Seat:
        """Beside an instance, its container; else one that is made for it, and goes when it has ended."""
        if instance:
            there = await self._daemon.ask(lambda client: self._find(client, instance=instance))
            if not there:
                raise PlatformError(f"{instance} does not run", "`crossfade status` shows what runs")
            return Seat(container=there[0]["Id"])
        service = release.service
        name = f"run-{release.number}-{uuid.uuid4().hex[:8]}"

        def make(client: "DockerClient") -> str:
            for left in self._find(client, visit=service.key):
                if left["State"] == "created" and left["Created"] < time.time() - LEFT:  # noqa: TID251  Docker's time
                    container.remove(client.api, left["Id"])
            env, marks = release.environment(secrets), container.labels(visit=service.key)
            return self._create(client, name, release, "", env=env, marks=marks, words=words, terminal=interactive)

        return Seat(container=await self._daemon.ask(make), made=True)

    async def ready(self, release: Release) -> None:
        """Its image is here, and Docker looks after that."""

    async def begin(self, run: str, release: Release, command: str, secrets: Mapping[str, str], token: int) -> None:
        await self._fence.check(release.service.key, token)
        marks = container.labels(job=release.service.key, run=run)
        env = release.environment(secrets)

        def start(client: "DockerClient") -> None:
            there = self._find(client, run=run)
            if not there:
                made = self._create(client, run, release, command, env=env, marks=marks)
                container.start(client.api, made)
            elif there[0]["State"] == "created":
                container.start(client.api, there[0]["Id"])

        await self._daemon.ask(start)

    async def outcome(self, run: str, release: Release) -> HookResult | None:
        def look(client: "DockerClient") -> HookResult | None:
            there = self._find(client, run=run)
            if not there:
                return HookResult(code=None, output="its container was removed")
            if there[0]["State"] in container.ALIVE:
                return None
            code, complaint = container.outcome(client.api, there[0]["Id"])
            container.save_log(client.api, there[0]["Id"], self._logs.path(release.service.key, run), KEPT_LINES)
            return result(code, complaint, self._logs.path(release.service.key, run), 0.0)

        return await self._daemon.ask(look)

    async def clear(self, run: str, release: Release, grace: float) -> None:
        for entry in await self._daemon.ask(lambda client: self._find(client, run=run)):
            if entry["State"] in container.ALIVE:
                await self._end(entry["Id"], run, grace)
            await self._clear(entry["Id"], self._logs.path(release.service.key, run))
        self._logs.prune_runs(release.service.key)

    def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        return self._written.lines(service, query)

    async def forget(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        for entry in await self._daemon.ask(lambda client: self._find(client, digest=release.digest)):
            if entry["Labels"].get("crossfade.service") != release.service.key:
                continue
            raise RefusedError(
                f"instance {container.instance(entry)} runs from release {release.label}",
                "its image goes when no instance needs it any more",
            )
        await self._daemon.ask(lambda client: image.forget(client, release, self._keep))

    async def silent(self, address: str) -> str:  # noqa: ARG002
        """What happens in a container is not ours to see."""
        return ""

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """Its images are tagged as its own: nobody shares them."""

    async def check(self, release: Release) -> None:
        """An image cannot be changed, only removed."""
        await self._daemon.ask(lambda client: image.require(client, release, self._keep))

    async def close(self) -> None:
        await self._daemon.close()

    def _find(self, client: "DockerClient", **marks: str) -> list[dict[str, Any]]:
        return container.find(client.api, self._ours | container.labels(**marks))

    def _create(
        self,
        client: "DockerClient",
        name: str,
        release: Release,
        command: str,
        *,
        env: Mapping[str, str],
        marks: dict[str, str],
        words: Sequence[str] = (),
        terminal: bool | None = None,
    ) -> str:
        tag = image.tag_of(release.service, release.digest, self._keep)
        service = release.service
        made = container.create(
            client,
            name,
            tag,
            command=command,
            env={**network.urls(service), **env},
            marks=self._ours | marks,
            service=service,
            mounts=volumes.mounts(client, service, self._ours, self._keep),
            network=network.settings(client, service, self._state, named="crossfade.instance" in marks),
            words=words,
            terminal=terminal,
        )
        network.join(client, made, service)
        return made

    def _ending(self, client: "DockerClient", entry: Mapping[str, Any]) -> str | None:
        """How it ended, None while it runs. One that was only created may still be started."""
        if entry["State"] in container.ALIVE:
            return None
        if entry["State"] == "created":
            return container.ending(client.api, entry["Id"])
        if entry["Id"] not in self._endings:
            self._endings[entry["Id"]] = container.ending(client.api, entry["Id"])
        return self._endings[entry["Id"]]

    async def _end(self, found: str, name: str, grace: float) -> bool:
        """By its stop signal, after `grace` seconds by SIGKILL: was that needed?"""
        await self._daemon.ask(lambda client: container.send(client.api, found))
        if await self._ended(found, grace):
            return False
        await self._daemon.ask(lambda client: container.send(client.api, found, "SIGKILL"))
        if not await self._ended(found, KILLED_WITHIN):
            raise PlatformError(f"Docker cannot end {name}, not even by SIGKILL", f"see: docker inspect {found[:12]}")
        return True

    async def _ended(self, name: str, limit: float) -> bool:
        """Look less and less often until it has ended; False when it still runs after `limit` seconds.

        Not the daemon's own wait: it would hold a thread for each of the instances that drain.
        """
        now = asyncio.get_running_loop().time
        deadline, pause = now() + limit, POLL_FIRST
        while not await self._daemon.ask(lambda client: container.has_ended(client.api, name)):
            if now() >= deadline:
                return False
            await asyncio.sleep(min(pause, deadline - now()) if deadline > now() else 0)
            pause = min(pause * 1.5, POLL_MOST)
        return True

    async def _clear(self, name: str, log: Path) -> None:
        """Keep what it wrote, and remove it."""

        def clear(client: "DockerClient") -> None:
            container.save_log(client.api, name, log, KEPT_LINES)
            container.remove(client.api, name)

        await self._daemon.ask(clear)
