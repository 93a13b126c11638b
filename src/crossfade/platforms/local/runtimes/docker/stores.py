"""Stores as containers: started when they are not there, and never touched by a deploy that was not asked to."""

import asyncio
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.core.store import Store
from crossfade.core.wire import encode
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.seats import Seat
from crossfade.engine.ports.stores import StoreFound, StoreOutcome
from crossfade.platforms.local.runtimes.docker import beside, build, container, image, network, volumes
from crossfade.platforms.local.runtimes.docker.backups import Backups
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.docker.logs import KEPT_LINES, ContainerLines
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs
from crossfade.platforms.local.runtimes.processes.volumes import delete as delete_folders

if TYPE_CHECKING:
    from docker import APIClient, DockerClient

_TRY_SECONDS = 10.0  # for one try of a health command
_STAYS = 1.0  # seconds that it has to have run: Docker starts one that ends again after 0.1, 0.2, 0.4 s ...


class DockerStores:
    """`StoreKeeper` on this machine's Docker; `state` is whose stores they are."""

    def __init__(self, state: Path) -> None:
        self._state = state.resolve()
        self._daemon = Daemon()
        self._ours = container.labels(state=self._state)
        self._keep = network.owner(self._state)
        self._backups = Backups(self._state / "backups")
        self._logs = ProcessLogs(self._state / "logs")
        self._written = ContainerLines(self._daemon, self._logs, self._writing)

    async def ensure(self, store: Store, secrets: Mapping[str, str], *, replace: bool) -> StoreOutcome:
        there = await self._daemon.ask(lambda client: self._find(client, store.service.app, store.service.name))
        outcome = _compared(store, there)
        if outcome is StoreOutcome.CHANGED and replace:
            outcome = StoreOutcome.REPLACED
        if outcome in {StoreOutcome.STARTED, StoreOutcome.REPLACED}:
            await self._make(store, secrets, there)
        elif there[0]["State"] not in container.ALIVE:
            await self._daemon.ask(lambda client: container.start(client.api, there[0]["Id"]))
            outcome = StoreOutcome.STARTED if outcome is StoreOutcome.RUNS else outcome
        await self._ready(store)
        return outcome

    async def compare(self, store: Store) -> StoreOutcome:
        there = await self._daemon.ask(lambda client: self._find(client, store.service.app, store.service.name))
        return _compared(store, there)

    async def backup(self, store: Store) -> str:
        await self._require(store)
        return str(await self._backups.write(store, self._name(store)))

    async def restore(self, store: Store, backup: str) -> str:
        await self._require(store)
        return str(await self._backups.read(store, self._name(store), backup))

    def logs(self, key: str, query: LogQuery) -> AsyncIterator[Said]:
        return self._written.lines(key, query)

    async def seat(self, key: str) -> Seat:
        app, _, name = key.partition("/")
        there = await self._daemon.ask(lambda client: self._find(client, app, name))
        if not there or there[0]["State"] != "running":
            raise _not_running(key)
        return Seat(container=there[0]["Id"])

    async def _require(self, store: Store) -> None:
        if await self._daemon.ask(lambda client: container.has_ended(client.api, self._name(store))):
            raise _not_running(store.key)

    async def found(self, app: str | None) -> Sequence[StoreFound]:
        if not (self._state / "docker").exists():
            return []
        listed = await self._daemon.ask(
            lambda client: [(one, *_state(client.api, one)) for one in self._find(client, app)]
        )
        return [
            StoreFound(
                key=_key(one),
                image=one["Labels"]["crossfade.image"],
                state=state,
                ended=ended,
            )
            for one, state, ended in listed
        ]

    async def stop(self, app: str | None, name: str | None = None) -> list[str]:
        if not (self._state / "docker").exists():
            return []
        found = await self._daemon.ask(lambda client: self._find(client, app, name or ""))
        return [await self._stopped(one) for one in found]

    async def _stopped(self, one: Mapping[str, Any]) -> str:
        await self._end(one)
        owner = str(one["Labels"]["crossfade.app"])
        await self._daemon.ask(lambda client: network.forget_idle(client, owner, self._state))
        return _key(one)

    async def delete(self, app: str) -> list[str]:
        folders = await asyncio.to_thread(delete_folders, app, self._state / "volumes")
        if not (self._state / "docker").exists():
            return folders
        wanted = {"label": [f"crossfade.state={self._state}", f"crossfade.app={app}"]}

        def remove(client: "DockerClient") -> list[str]:
            names = [one["Name"] for one in client.api.volumes(filters=wanted)["Volumes"] or []]
            for name in names:
                client.api.remove_volume(name)
            return sorted(names)

        return [*await self._daemon.ask(remove), *folders]

    async def close(self) -> None:
        await self._daemon.close()

    async def _make(self, store: Store, secrets: Mapping[str, str], old: Sequence[Mapping[str, Any]]) -> None:
        """The image first: what cannot be had must not end the old one."""
        service = store.service
        missing = [name for name in service.secrets if name not in secrets]
        if missing:
            raise WrongInputError(
                f"no value for the secret {', '.join(missing)} of the store {store.key}",
                "set it in the environment of `crossfade deploy`",
            )
        await self._daemon.ask(lambda client: network.require(client, service))
        if service.container.build:
            log = self._logs.path(store.key, "build")
            made = await build.image_id(service, service.container.build, {}, log)
            digest = (await self._daemon.ask(lambda client: image.take(client, service, made, None, self._keep))).digest
        else:
            digest = (await self._daemon.ask(lambda client: image.resolve(client, service, self._keep, {}))).digest
        await self._daemon.ask(lambda client: self._require_kept(client, store, digest, secrets))
        _require_port(store, old)
        for one in old:
            await self._end(one)
        await self._daemon.ask(lambda client: self._create(client, store, digest, secrets))

    def _require_kept(self, client: "DockerClient", store: Store, digest: str, secrets: Mapping[str, str]) -> None:
        """WrongInputError where the image would keep its data in none of the store's volumes."""
        service = store.service
        made = client.images.get(image.tag_of(service, digest, self._keep)).attrs["Config"] or {}
        values = [*dict(service.env).values(), *secrets.values()]
        if places := volumes.unkept(service, made.get("Volumes") or {}, values):
            raise WrongInputError(
                f"the image of the store {store.key} keeps its data in {', '.join(places)}, where it has no volume: "
                "it would all end with the container",
                f"write stores.{service.name}.volumes: [data:{places[0]}]; nothing was changed",
            )

    def _create(self, client: "DockerClient", store: Store, digest: str, secrets: Mapping[str, str]) -> None:
        (self._state / "docker").parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._state / "docker").touch(mode=0o600)
        service = store.service
        marks = {"crossfade.app": service.app, "crossfade.store": service.name, "crossfade.spec": _spec(store)}
        marks |= {"crossfade.grace": str(service.grace)}
        made = container.create(
            client,
            self._name(store),
            image.tag_of(service, digest, self._keep),
            command="",
            env={**dict(service.env), **secrets},
            marks={**self._ours, **marks, "crossfade.image": service.image or digest[:19]},
            service=service,
            mounts=volumes.mounts(client, service, self._ours, self._keep),
            # Its own name for itself stays the same: RabbitMQ keeps its data under it.
            network={**network.settings(client, service, self._state, named=True), "hostname": service.name},
            published=(store.port, store.inside or store.port) if store.port else None,
        )
        network.join(client, made, service)
        # Docker itself keeps a store running, also after the machine was down.
        restart: Any = {"Name": "unless-stopped"}
        client.api.update_container(made, restart_policy=restart)
        container.start(client.api, made)

    async def _end(self, one: Mapping[str, Any]) -> None:
        grace = int(float(one["Labels"].get("crossfade.grace", "60")))
        log = self._logs.path(_key(one), container.called(one))

        def end(client: "DockerClient") -> None:
            client.api.stop(one["Id"], timeout=grace)
            container.save_log(client.api, one["Id"], log, KEPT_LINES)
            container.remove(client.api, one["Id"])

        await self._daemon.ask(end)

    async def _ready(self, store: Store) -> None:
        """PlatformError with its last words when it is not ready in time."""
        now = asyncio.get_running_loop().time
        until = now() + store.patience
        while (said := await self._complaint(store)) is not None:
            if now() >= until:
                raise PlatformError(
                    f"the store {store.key} is not ready after {store.patience:g} s: {' '.join(said.split())}",
                    f"see: crossfade logs {store.key}",
                )
            await asyncio.sleep(store.service.health.interval)

    async def _complaint(self, store: Store) -> str | None:
        """Why it is not ready; None when it is."""
        name, command = self._name(store), store.service.health.command
        said = None if command else "it has run for less than a second"
        if command:
            try:
                result = await beside.run(self._daemon, name, command, _TRY_SECONDS)
                said = None if result.code == 0 else result.words
            except PlatformError as error:  # it just ended, or Docker starts it again
                said = error.cause
        if said is None:
            return None
        stays, ended = await self._daemon.ask(lambda client: _stays(client.api, name))
        return None if stays and not command else ended or said

    def _name(self, store: Store) -> str:
        return f"crossfade-{store.service.app}-{store.service.name}-{self._keep}"

    def _writing(self, client: "DockerClient", **mark: str) -> list[dict[str, Any]]:
        """The container of a store, which is the only one that writes for it."""
        app, _, name = mark.get("service", "").partition("/")
        return self._find(client, app, name) if name else []

    def _find(self, client: "DockerClient", app: str | None, name: str = "") -> list[dict[str, Any]]:
        wanted = (
            dict(self._ours) | ({"crossfade.app": app} if app else {}) | ({"crossfade.store": name} if name else {})
        )
        found = [one for one in container.find(client.api, wanted) if "crossfade.store" in one["Labels"]]
        return sorted(found, key=lambda one: one["Labels"]["crossfade.store"])


def _stays(api: "APIClient", name: str) -> tuple[bool, str]:
    """Whether it has run for a while, and how it ended where Docker starts it again, and again."""
    import docker.errors  # noqa: PLC0415  the SDK costs 150 ms

    try:
        found = api.inspect_container(name)
    except docker.errors.NotFound:
        return False, "was removed"
    state = found["State"]
    age = time.time() - container.seconds_of(state["StartedAt"])  # noqa: TID251  Docker's time
    runs = state["Running"] and not state["Restarting"]
    if runs and (age >= _STAYS or not found["RestartCount"]):
        return age >= _STAYS, ""
    return False, container.ending(api, name)


def _state(api: "APIClient", one: Mapping[str, Any]) -> tuple[str, str]:
    """Docker's word for it, and how it ended; that it runs is no word for what Docker started again just now."""
    ended = _stays(api, one["Id"])[1]
    return ("restarting" if ended and one["State"] == "running" else one["State"]), ended


def _require_port(store: Store, old: Sequence[Mapping[str, Any]]) -> None:
    """PlatformError when its port is somebody else's, before the one that runs is ended."""
    if store.port is None or any(port.get("PublicPort") == store.port for one in old for port in one["Ports"]):
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", store.port))
        except OSError as error:
            beside_it = f"port: {store.port % 65_535 + 1}:{store.inside or store.port}"
            raise PlatformError(
                f"port {store.port} of this machine, which stores.{store.service.name}.port opens, cannot be had: "
                f"{error.strerror}",
                f"`ss -ltnp sport = :{store.port}` shows who has it; or open another one, such as {beside_it}",
            ) from error


def _key(one: Mapping[str, Any]) -> str:
    return f"{one['Labels']['crossfade.app']}/{one['Labels']['crossfade.store']}"


def _not_running(key: str) -> RefusedError:
    return RefusedError(f"the store {key} does not run", "`crossfade deploy` starts it")


def _compared(store: Store, there: Sequence[Mapping[str, Any]]) -> StoreOutcome:
    if not there:
        return StoreOutcome.STARTED
    same = there[0]["Labels"].get("crossfade.spec") == _spec(store)
    return StoreOutcome.RUNS if same else StoreOutcome.CHANGED


def _spec(store: Store) -> str:
    """What it was made of, in 12 hexadecimal digits: another one is a change. Who else is in the app is none."""
    told = encode(store)
    for key in ("backup", "restore", "keep", "schedule", "timezone"):  # what is done with it, and not what it is
        del told[key]
    if store.inside is None:  # as it was before there was one
        told.pop("inside", None)
    del told["service"]["names"]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
