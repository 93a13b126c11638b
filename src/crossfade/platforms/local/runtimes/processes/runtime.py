"""Instances as plain processes of this machine, each from the folder of its release."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from crossfade.aside import aside
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said, Writer, writer_of
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.engine.ports.seats import Seat
from crossfade.platforms.local.address import SOCKETS
from crossfade.platforms.local.runtimes import room, sqlite
from crossfade.platforms.local.runtimes.artifacts import Artifacts
from crossfade.platforms.local.runtimes.environment import for_process
from crossfade.platforms.local.runtimes.hook import result
from crossfade.platforms.local.runtimes.processes import beside, marks, postmortem, volumes
from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports
from crossfade.platforms.local.runtimes.processes.addresses.sockets import Sockets
from crossfade.platforms.local.runtimes.processes.addresses.taken import TakenBy
from crossfade.platforms.local.runtimes.processes.census import Census
from crossfade.platforms.local.runtimes.processes.cpu import Cpu
from crossfade.platforms.local.runtimes.processes.ends import Ends
from crossfade.platforms.local.runtimes.processes.jobs import Runs
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs
from crossfade.platforms.local.runtimes.processes.program import program
from crossfade.platforms.local.runtimes.processes.record import InstanceRecord, Records
from crossfade.platforms.local.runtimes.processes.session import Session
from crossfade.platforms.local.runtimes.trouble import oserrors_told

FOLLOW_SECONDS = 0.2
READY_FOR = 20.0  # seconds for which a look at a release's files ahead of a run holds


class ProcessRuntime:
    """`Runtime` whose instances are sessions of this machine, recorded below `directory`, and outlive us.

    Limits: memory is a limit of each process's data (RLIMIT_DATA), cpu one of all that an instance starts, where there
    is a cgroup that we may divide. A log is shortened at 50 MB.
    """

    def __init__(self, directory: Path, fence: Fence, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._fence = fence
        state = self._state = directory.resolve()
        with oserrors_told():
            self._logs = ProcessLogs(state / "logs")
            self._artifacts = Artifacts(state, self._logs, now_ns)
            self._records = Records(state / "instances")
            self._hooks = state / "hooks"
            self._hooks.mkdir(exist_ok=True, mode=0o700)
            self._ports = Ports(state / "ports")
            self._cpu = Cpu(state)
            self._sockets = Sockets(state / "balancer" / SOCKETS)
            self._sweep()
            self._runs = Runs(state / "jobs", self._logs)
        self._sessions: dict[str, Session] = {}
        self._census = Census()
        self._looked: dict[str, float] = {}  # when the files of a digest were found right, for runs that are due
        self._taken_by = TakenBy()
        self._ends = Ends()

    def tell_ends(self, told: Callable[[str], None]) -> None:
        """See LocalRuntime."""
        self._ends.told = told

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        if service.listen_on == "socket":
            self._sockets.require_room()
        with oserrors_told():
            in_use = {record.digest for record in self._records.all()}
            made = await self._artifacts.make(service, env or {}, in_use)
            there = volumes.links(service, self._state / "volumes").values()
            notes = [*made.notes, *await aside(sqlite.warnings, service, there)]
            unlimited = self._cpu.why_not(service.resources.cpu)
            return replace(made, notes=(*notes, unlimited) if unlimited else tuple(notes))

    async def foresee(self, service: Service) -> Artifact | None:
        with oserrors_told():
            return await self._artifacts.foresee(service)

    async def check(self, release: Release) -> None:
        with oserrors_told():
            await self._artifacts.check(release, strictly=True)

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:
        service = release.service
        await self._fence.check(service.key, token)
        with oserrors_told():
            room.require_launch()
            await self._artifacts.check(release)
            record = self._records.get(instance) or self._announce(instance, release)
            self._artifacts.wake(release.digest)
            folder, env = self._artifacts.folder(release), for_process(release, secrets, self._state) | _own(record)
            cgroup = self._cpu.enter(instance, service.resources.cpu)
            self._session(record).start(program(service), folder, env, service.resources.memory, cgroup)

    async def instances(self, service: str) -> Sequence[Running]:
        with oserrors_told():
            return [await self._observe(record) for record in self._records.of(service)]

    async def found(self) -> Sequence[Found]:
        with oserrors_told():
            recorded = [
                Found(id=r.id, service=r.service, release=self._records.release(r.id)) for r in self._records.all()
            ]
        there = {found.id: found for found in recorded}
        for one in await asyncio.to_thread(lambda: list(marks.marked(self._state))):
            instance = self._records.instance(one.session)
            if not instance and (Session(one.session, one.session).running() or self._records.checks(one.session)):
                continue  # a build, a hook, or a health command at work
            name = instance or str(one.session.relative_to(self._state))
            there.setdefault(name, Found(id=name, service=one.service))
        return list(there.values())

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        record = self._records.get(instance)
        if record is None:
            return await self._end_unrecorded(instance, grace)
        await self._fence.check(record.service, token)
        with oserrors_told():
            self._records.write(replace(record, stopping=True))
        session = self._session(record)
        killed = await session.end(grace)
        await self._artifacts.rest(record.digest, lambda: not self._runs_from(record.digest, but=instance))
        self._records.remove(instance)
        session.forget()  # after its record: one without a session says that it was never started
        if record.port:
            self._ports.give_back(record.port)
        self._sockets.remove(record.socket)
        self._cpu.sweep({other.id for other in self._records.all()})
        self._sessions.pop(instance, None)
        self._ends.forget(instance)
        self._logs.prune(record.service, [other.id for other in self._records.all()])
        return killed

    async def execute(
        self, instance: str, release: Release, command: str, secrets: Mapping[str, str], limit: float
    ) -> HookResult:
        record = self._records.get(instance)
        if record is None:
            raise PlatformError(f"{instance} does not run", "`crossfade status` shows what runs")
        mark = {marks.NAME: str(self._records.path(instance, "check"))}  # found by it should we die meanwhile
        env = for_process(release, secrets, self._state) | _own(record) | mark
        return await beside.run(command, self._artifacts.folder(release), env, limit)

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        service = release.service
        with oserrors_told():
            await self._artifacts.check(release)
            self._hooks.mkdir(exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
            file, name = tempfile.mkstemp(
                prefix=f"hook-{release.number}-", suffix=".log", dir=self._logs.folder(service.key)
            )
            os.close(file)
        session = Session(self._hooks / service.key.replace("/", "%2F"), Path(name))
        await session.wait(limit)  # a hook whose controller died: two migrations must not run at once
        await session.end(0)
        session.forget()
        try:
            with oserrors_told():
                self._artifacts.wake(release.digest)
                session.start(
                    command,
                    self._artifacts.folder(release),
                    for_process(release, secrets, self._state) | dict(env),
                )
            async with self._logs.times.marking(session.log):
                in_time = await session.wait(limit)
            code = session.code
        finally:
            await session.end(0)
            session.forget()
            await self._artifacts.rest(release.digest, lambda: not self._runs_from(release.digest))
        return result(code if in_time else None, "", Path(name), limit)

    async def seat(
        self,
        release: Release,
        secrets: Mapping[str, str],
        words: Sequence[str],  # noqa: ARG002  who asks runs them
        instance: str,
        *,
        interactive: bool,  # noqa: ARG002  as above
    ) -> Seat:
        with oserrors_told():
            await self._artifacts.check(release)
        self._artifacts.wake(release.digest)
        record = self._records.get(instance) if instance else None
        own = _own(record) if record else {}
        return Seat(env=for_process(release, secrets, self._state) | own, folder=str(self._artifacts.folder(release)))

    async def ready(self, release: Release) -> None:
        with oserrors_told():
            await self._artifacts.check(release)
        self._looked[release.digest] = time.monotonic()

    async def begin(self, run: str, release: Release, command: str, secrets: Mapping[str, str], token: int) -> None:
        await self._fence.check(release.service.key, token)
        with oserrors_told():
            if time.monotonic() - self._looked.get(release.digest, -READY_FOR) >= READY_FOR:
                await self._artifacts.check(release)
            self._artifacts.wake(release.digest)
            env = for_process(release, secrets, self._state)
            self._runs.start(run, release, command, self._artifacts.folder(release), env)

    async def outcome(self, run: str, release: Release) -> HookResult | None:
        with oserrors_told():
            return self._runs.outcome(run, release)

    async def clear(self, run: str, release: Release, grace: float) -> None:
        await self._runs.clear(run, release, grace)
        await self._artifacts.rest(release.digest, lambda: not self._runs_from(release.digest))

    async def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        read: dict[str, int] = {}
        while True:
            new: list[Said] = []
            for name in self._logged(service, query):
                if name in read:
                    said, read[name] = self._logs.read_on(service, name, read[name])
                else:
                    said, read[name] = self._logs.read(service, name, lines=query.lines, since=query.since)
                new += said
            for one in sorted(new, key=lambda said: said.at):  # those of one moment stay as they were written
                yield one
            if not query.follow:
                return
            await asyncio.sleep(FOLLOW_SECONDS)

    async def forget(self, release: Release, token: int) -> None:
        await self._fence.check(release.service.key, token)
        for record in self._records.all():
            if (record.service, record.digest) == (release.service.key, release.digest):
                raise RefusedError(
                    f"instance {record.id} of {record.service} runs from release {release.label}",
                    "its files go when no instance needs them any more",
                )
        await self._artifacts.forget(release.service.key, release.digest)

    async def keep(self, service: str, digests: Collection[str]) -> None:
        with oserrors_told():
            await self._artifacts.keep(service, {*digests, *(record.digest for record in self._records.of(service))})

    async def silent(self, address: str) -> str:
        """Why nobody answers at an instance's address, as far as the kernel knows: what it listens on instead."""
        record = next((record for record in self._records.all() if record.address == address), None)
        return await postmortem.silent(self._session(record), record.port) if record else ""

    async def close(self) -> None:
        """Instances write their own records and logs, and go on."""
        await self._artifacts.close()
        self._ends.close()
        self._ports.close()

    async def _end_unrecorded(self, name: str, grace: float) -> bool:
        """End what carries the mark of a session that is in no record: see `found`."""
        file = self._state / name if "/" in name else self._records.path(name, "session")
        session = Session(file, file, self._census)
        killed = await session.end(grace)
        session.forget()
        self._sweep()
        return killed

    def _sweep(self) -> None:
        self._sockets.sweep({record.socket for record in self._records.all()})

    def _announce(self, instance: str, release: Release) -> InstanceRecord:
        """Write down what is about to start, so that it is known even if we die in the next line."""
        worker, on_socket = release.service.kind == "worker", release.service.listen_on == "socket"
        record = InstanceRecord(
            id=instance,
            service=release.service.key,
            release=release.number,
            digest=release.digest,
            port=0 if worker or on_socket else self._ports.take({record.port for record in self._records.all()}),
            socket=self._sockets.take() if on_socket else "",
            launched_at=time.time(),  # noqa: TID251  when a real process really started
        )
        self._records.keep_release(instance, release)
        self._records.write(record)
        return record

    def _runs_from(self, digest: str, but: str = "") -> bool:
        instances = any(record.digest == digest and record.id != but for record in self._records.all())
        return instances or digest in self._runs.digests()

    async def _observe(self, record: InstanceRecord) -> Running:
        session = self._session(record)
        self._logs.look_after(session.log)
        if not record.exit and not session.running():
            ended = await postmortem.of(session, record.port)
            there = self._records.get(record.id)  # it may have been stopped meanwhile, or be gone
            record = replace(there or record, exit=ended.detail if there else "exited", displaced=ended.displaced)
            if session.started and there:  # what never did can still be launched
                with suppress(OSError):  # looking must work on a full disk too
                    self._records.write(record)  # for the next controller, which cannot ask for the exit code
        if not record.exit and (leader := session.leader):
            self._ends.watch(record.id, leader, record.service)
        # Whatever the command does: requests to its port would reach somebody else.
        lost = "" if record.exit or not record.port else await self._taken_by.another(record, session)
        return Running(
            id=record.id,
            service=record.service,
            release=record.release,
            address=record.address,
            launched_at=record.launched_at,
            exited=bool(record.exit or lost),
            stopping=record.stopping,
            detail=record.exit or lost,
            # One that never ran did nothing wrong: what its release has to do with that is said where it was launched.
            blamed=not (record.displaced or lost or (record.exit and not session.started)),
        )

    def _session(self, record: InstanceRecord) -> Session:
        if record.id not in self._sessions:
            log = self._logs.path(record.service, record.id)
            self._sessions[record.id] = Session(self._records.path(record.id, "session"), log, self._census)
        return self._sessions[record.id]

    def _logged(self, service: str, query: LogQuery) -> list[str]:
        """The instance that was asked for, else all that there are, else the last there was; and others' logs."""
        if query.instance is not None:
            self._logs.find(service, query.instance)
            return [query.instance]
        names = self._logs.of(service, query.writers, query.since)
        if query.since is not None or Writer.INSTANCE not in query.writers:
            return names
        there = [name for _, name in sorted((record.launched_at, record.id) for record in self._records.of(service))]
        others = [name for name in names if writer_of(name, service) is not Writer.INSTANCE]
        return [*there, *others] or self._logs.latest(service)


def _own(record: InstanceRecord) -> dict[str, str]:
    """What an instance alone is told; a worker has neither port nor socket."""
    port = {"PORT": str(record.port)} if record.port else {}
    socket = {"CROSSFADE_SOCKET": record.socket} if record.socket else {}
    return {"CROSSFADE_INSTANCE": record.id, **port, **socket}
