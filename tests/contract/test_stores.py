"""What the controller may expect of whoever keeps stores: in memory for its tests, on Docker where it is real."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.adapters.memory_stores import MemoryStores
from tests.contract import runtime_kits

from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.service import Container, HealthCheck, Names, Service, Volume
from crossfade.core.store import Store
from crossfade.engine.ports.logs import LogQuery
from crossfade.engine.ports.stores import StoreKeeper, StoreOutcome
from crossfade.platforms.local.runtimes.docker.stores import DockerStores

KEEPS = "echo ready; test -f /data/log || echo data > /data/log; exec sleep 60"


@dataclass
class Shelf:
    """A keeper under test, and a store that it can run."""

    keeper: StoreKeeper
    store: Store


async def in_memory(_: Path) -> tuple[Shelf, Callable[[], Awaitable[None]]]:
    async def leave() -> None: ...

    return Shelf(MemoryStores(), _store(f"t{uuid.uuid4().hex[:8]}", "image:1")), leave


async def on_docker(state: Path) -> tuple[Shelf, Callable[[], Awaitable[None]]]:
    if why := runtime_kits.docker_is_missing():
        pytest.skip(why)
    kit, keeper = runtime_kits.docker_kit(state), DockerStores(state)

    async def leave() -> None:
        await keeper.stop(kit.app)
        await keeper.delete(kit.app)
        await keeper.close()
        kit.clear()

    return Shelf(keeper, _store(kit.app, kit.base.image)), leave


@pytest.fixture(params=[in_memory, pytest.param(on_docker, marks=pytest.mark.long)])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    made, leave = await request.param(tmp_path)
    yield made
    await leave()


def _store(app: str, image: str) -> Store:
    service = Service(
        app=app,
        name="db",
        runtime="docker",
        kind="worker",
        image=image,
        container=Container(command=("/bin/sh", "-c", KEEPS)),
        volumes=(Volume(source="data", target="/data"),),
        secrets=("PASSWORD",),
        health=HealthCheck(command="test -f /data/log", interval=0.1),
        grace=0.0,
        names=Names(containers=True),
    )
    return Store(service=service, patience=60.0, backup="cat /data/log", restore="cat > /data/log")


def _changed(store: Store) -> Store:
    return replace(store, service=replace(store.service, env=(("WORD", "two"),)))


async def test_a_store_is_started_once_and_made_anew_when_asked(shelf: Shelf) -> None:
    """What is done with it is no change of it; one that changed runs on until somebody says so."""
    keeper, store = shelf.keeper, shelf.store
    with pytest.raises(WrongInputError, match="no value for the secret PASSWORD"):
        await keeper.ensure(store, {}, replace=False)
    assert await keeper.ensure(store, {"PASSWORD": "x"}, replace=False) is StoreOutcome.STARTED
    assert await keeper.ensure(replace(store, schedule="0 3 * * *", keep=2), {}, replace=False) is StoreOutcome.RUNS
    assert await keeper.compare(_changed(store)) is StoreOutcome.CHANGED
    assert await keeper.ensure(_changed(store), {}, replace=False) is StoreOutcome.CHANGED
    assert await keeper.ensure(_changed(store), {"PASSWORD": "x"}, replace=True) is StoreOutcome.REPLACED
    assert [(one.key, one.state) for one in await keeper.found(store.service.app)] == [(store.key, "running")]


async def test_what_it_wrote_is_read_and_one_may_enter_it(shelf: Shelf) -> None:
    """What one that was taken down wrote is read, too; entered is only what runs."""
    keeper, store = shelf.keeper, shelf.store
    with pytest.raises(RefusedError, match="does not run"):
        await keeper.seat(store.key)
    await keeper.ensure(store, {"PASSWORD": "x"}, replace=False)
    assert (await keeper.seat(store.key)).container
    assert await _read(keeper, store) == [(store.key.replace("/", "-"), "ready")]
    await keeper.stop(store.service.app)
    assert await _read(keeper, store) == [(store.key.replace("/", "-"), "ready")]
    with pytest.raises(RefusedError, match="does not run"):
        await keeper.seat(store.key)


async def _read(keeper: StoreKeeper, store: Store) -> list[tuple[str, str]]:
    return [(said.writer, said.line) async for said in keeper.logs(store.key, LogQuery())]


async def test_data_is_written_down_given_back_and_outlives_its_store(shelf: Shelf) -> None:
    """One store can be taken down alone; its data goes only when that is said."""
    keeper, store, app = shelf.keeper, shelf.store, shelf.store.service.app
    with pytest.raises(RefusedError, match="does not run"):
        await keeper.backup(store)
    await keeper.ensure(store, {"PASSWORD": "x"}, replace=False)
    with pytest.raises(WrongInputError, match="does not exist"):
        await keeper.restore(store, "")
    file = await keeper.backup(store)
    assert await keeper.restore(store, "") == file
    assert await keeper.stop(app, "other") == []
    assert await keeper.stop(app, "db") == [store.key]
    assert await keeper.found(app) == []
    assert await keeper.ensure(store, {"PASSWORD": "x"}, replace=False) is StoreOutcome.STARTED
    assert await keeper.stop(app) == [store.key]
    assert len(await keeper.delete(app)) == 1
    assert await keeper.delete(app) == []
