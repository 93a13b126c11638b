"""Stores on real containers: there before services, left alone, made anew when asked, data kept until then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract import runtime_kits
from tests.contract.runtime_kits import Kit

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Container, HealthCheck, Names, Service, Volume
from crossfade.core.store import Store
from crossfade.engine.stores import StoreOutcome
from crossfade.platforms.local.runtimes.docker.stores import DockerStores

WRITES = "echo $PASSWORD $WORD >> /data/log; sleep 0.3; echo yes > /ready; exec sleep 60"
SECRETS = {"PASSWORD": "xyzzy"}


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    if why := runtime_kits.docker_is_missing():
        pytest.skip(why)
    made = runtime_kits.docker_kit(tmp_path)
    yield made
    stores = DockerStores(tmp_path)
    await stores.stop(made.app)
    await stores.delete(made.app)
    await stores.close()
    made.clear()


def db(kit: Kit, word: str = "one", health: str = "cat /ready") -> Store:
    service = Service(
        app=kit.app,
        name="db",
        runtime="docker",
        kind="worker",
        image=kit.base.image,
        container=Container(command=("/bin/sh", "-c", WRITES)),
        volumes=(Volume(source="data", target="/data"),),
        env=(("WORD", word),),
        secrets=("PASSWORD",),
        health=HealthCheck(command=health, interval=0.1),
        grace=1.0,
        names=Names(containers=True),
    )
    return Store(service=service, patience=20.0)


async def test_a_store_is_started_once_and_changed_only_when_asked(kit: Kit, tmp_path: Path) -> None:
    """Ready by its command; what the file says anew is told and waits; its data outlives it."""
    import docker

    stores, client = DockerStores(tmp_path), docker.from_env()
    with pytest.raises(WrongInputError, match=r"no value for the secret PASSWORD of the store"):
        await stores.ensure(db(kit), {}, replace=False)
    assert await stores.ensure(db(kit), SECRETS, replace=False) is StoreOutcome.STARTED
    (there,) = client.containers.list(filters={"label": f"crossfade.app={kit.app}"})
    assert await stores.ensure(db(kit), {}, replace=True) is StoreOutcome.RUNS
    assert await stores.ensure(db(kit, "two"), SECRETS, replace=False) is StoreOutcome.CHANGED
    assert [one.id for one in client.containers.list(filters={"label": f"crossfade.app={kit.app}"})] == [there.id]
    assert there.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert await stores.ensure(db(kit, "two"), SECRETS, replace=True) is StoreOutcome.REPLACED
    (there,) = client.containers.list(filters={"label": f"crossfade.app={kit.app}"})
    assert there.exec_run(["cat", "/data/log"]).output == b"xyzzy one\nxyzzy two\n"
    assert [one.key for one in await stores.found(kit.app)] == [f"{kit.app}/db"]
    assert await stores.stop(kit.app) == [f"{kit.app}/db"]
    assert await stores.ensure(db(kit, "three"), SECRETS, replace=False) is StoreOutcome.STARTED
    (there,) = client.containers.list(filters={"label": f"crossfade.app={kit.app}"})
    assert there.exec_run(["cat", "/data/log"]).output.endswith(b"two\nxyzzy three\n")
    await stores.stop(kit.app)
    assert len(await stores.delete(kit.app)) == 1
    assert client.networks.list(filters={"label": f"crossfade.app={kit.app}"}) == []
    client.close()


async def test_a_store_that_is_never_ready_says_why(kit: Kit, tmp_path: Path) -> None:
    """With what its command wrote last, in time."""
    stores = DockerStores(tmp_path)
    late = replace(db(kit, health="echo still starting; exit 1"), patience=0.5)
    with pytest.raises(PlatformError, match=r"is not ready after 0.5 s: .*still starting"):
        await stores.ensure(late, SECRETS, replace=False)
    await stores.close()
