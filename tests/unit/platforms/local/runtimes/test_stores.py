"""Stores on real containers: there before services, left alone, made anew when asked, data kept until then."""

import asyncio
import io
import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from tests.contract import runtime_kits
from tests.contract.runtime_kits import Kit
from tests.support import debian_images
from tests.support.ports import free_port

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Container, HealthCheck, Names, Service, Volume
from crossfade.core.store import Store
from crossfade.engine.ports.stores import StoreOutcome
from crossfade.platforms.local.runtimes.docker import volumes
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


def kept(state: Path) -> list[str]:
    return [str(path) for path in state.glob("backups/*/db/*")]


def content(path: str) -> str:
    return Path(path).read_text()


async def test_a_store_is_started_once_and_changed_only_when_asked(kit: Kit, tmp_path: Path) -> None:
    """Ready by its command; what the file says anew is told and waits; its data outlives it."""
    import docker

    stores, client = DockerStores(tmp_path), docker.from_env()
    with pytest.raises(WrongInputError, match=r"no value for the secret PASSWORD of the store"):
        await stores.ensure(db(kit), {}, replace=False)
    assert await stores.compare(db(kit)) is StoreOutcome.STARTED
    assert await stores.ensure(db(kit), SECRETS, replace=False) is StoreOutcome.STARTED
    assert await stores.compare(db(kit)) is StoreOutcome.RUNS
    assert await stores.compare(db(kit, "two")) is StoreOutcome.CHANGED
    (there,) = client.containers.list(filters={"label": f"crossfade.app={kit.app}"})
    assert await stores.ensure(db(kit), {}, replace=True) is StoreOutcome.RUNS
    assert await stores.ensure(db(kit, "two"), SECRETS, replace=False) is StoreOutcome.CHANGED
    assert [one.id for one in client.containers.list(filters={"label": f"crossfade.app={kit.app}"})] == [there.id]
    assert there.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert there.attrs["Config"]["Hostname"] == "db"
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


@pytest.mark.parametrize(
    ("target", "declared", "env", "left"),
    [
        ("/data", ["/data"], {}, []),
        ("/data/", ["/data"], {}, []),
        ("/data", [], {}, []),
        ("/data", ["/data", "/config"], {}, []),
        ("/var/lib/postgresql", ["/var/lib/postgresql/data"], {}, ["/var/lib/postgresql/data"]),
        ("/data", ["/var/lib/mysql"], {"MYSQL_DATABASE": "shop"}, ["/var/lib/mysql"]),
        ("/data", ["/var/lib/postgresql/data"], {"PGDATA": "/data/pg"}, []),
        ("/data", ["/b", "/a"], {"PGDATA": "/database"}, ["/a", "/b"]),
    ],
)
def test_data_that_would_end_with_its_container_is_seen(
    target: str, declared: list[str], env: dict[str, str], left: list[str]
) -> None:
    """A place that the image says is one, with no volume exactly there, and nothing that leads it into one."""
    service = Service(app="shop", name="db", volumes=(Volume(source="data", target=str(PurePosixPath(target))),))
    assert volumes.unkept(service, declared, env.values()) == left


def test_a_command_may_lead_data_into_a_volume() -> None:
    """As `redis-server --dir=/srv` does; a volume that is only read keeps none."""
    kept = Service(
        app="shop",
        name="queue",
        volumes=(Volume(source="queue", target="/srv"), Volume(source="/conf", target="/data", read_only=True)),
    )
    told = replace(kept, container=Container(command=("redis-server", "--dir=/srv")))
    assert volumes.unkept(kept, ["/data"], ()) == ["/data"]
    assert volumes.unkept(told, ["/data"], ()) == []


async def test_a_store_whose_data_no_volume_keeps_is_refused(kit: Kit, tmp_path: Path) -> None:
    """Before anything is made, with the place that its image keeps data at."""
    import docker

    client, name = docker.from_env(), f"crossfade-test-volume-{kit.app}"
    client.api.import_image_from_data(
        debian_images.archive(debian_images.Contents(trees=())), repository=name, changes=["VOLUME /var/lib/mysql"]
    )
    stores = DockerStores(tmp_path)
    sleeps = Container(command=("/bin/sh", "-c", "exec sleep 60"))
    lost = replace(db(kit), service=replace(db(kit).service, image=name, container=sleeps))
    with pytest.raises(WrongInputError, match=r"keeps its data in /var/lib/mysql, where it has no volume") as told:
        await stores.ensure(lost, SECRETS, replace=False)
    assert "write stores.db.volumes: [data:/var/lib/mysql]" in told.value.way_out
    assert await stores.found(kit.app) == []
    await stores.close()
    client.images.remove(name, force=True)
    client.close()


async def test_a_store_that_is_never_ready_says_why(kit: Kit, tmp_path: Path) -> None:
    """With what its command wrote last, in time."""
    stores = DockerStores(tmp_path)
    late = replace(db(kit, health="echo still starting; exit 1"), patience=0.5)
    with pytest.raises(PlatformError, match=r"is not ready after 0.5 s: .*still starting"):
        await stores.ensure(late, SECRETS, replace=False)
    await stores.close()


async def test_a_store_that_ends_again_and_again_is_not_ready(kit: Kit, tmp_path: Path) -> None:
    """Without a health command, too: Docker starts it each time. Its last words are told, and so is that it ends."""
    stores = DockerStores(tmp_path)
    dies = Container(command=("/bin/sh", "-c", "echo no password; exit 3"))
    service = replace(db(kit, health="").service, container=dies)
    for health in (HealthCheck(interval=0.1), HealthCheck(command="true", interval=0.1)):
        store = Store(service=replace(service, health=health), patience=1.5)
        with pytest.raises(PlatformError, match=r"is not ready after 1.5 s: exited( with code 3)?: no password"):
            await stores.ensure(store, SECRETS, replace=True)
    (found,) = await stores.found(kit.app)
    assert found.state == "restarting"
    assert found.ended in {"exited with code 3: no password", "exited: no password"}  # it may run again just now
    await stores.close()


async def test_a_network_that_is_not_there_is_named_before_anything_is_made(kit: Kit, tmp_path: Path) -> None:
    """With those that there are: that of a Compose project comes and goes with it."""
    stores = DockerStores(tmp_path)
    lost = replace(db(kit).service, names=Names(containers=True, join="nowhere"))
    with pytest.raises(WrongInputError, match=rf"no network nowhere, which {kit.app}/db is to join"):
        await stores.ensure(replace(db(kit), service=lost), SECRETS, replace=False)
    assert await stores.found(kit.app) == []
    await stores.close()


async def test_a_port_that_somebody_has_is_named_before_anything_ends(kit: Kit, tmp_path: Path) -> None:
    """The store that runs goes on, at the port that it had."""
    stores = DockerStores(tmp_path)
    await stores.ensure(db(kit), SECRETS, replace=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PlatformError, match=rf"port {port} of this machine, which stores.db.port opens") as told:
            await stores.ensure(replace(db(kit), port=port, inside=5432), SECRETS, replace=True)
    assert f"such as port: {port + 1}:5432" in told.value.way_out
    assert [one.state for one in await stores.found(kit.app)] == ["running"]
    await stores.close()


async def test_what_a_backup_holds_is_given_back(kit: Kit, tmp_path: Path) -> None:
    """The newest ones are kept; one that fails or is empty is none, and says why."""
    stores = DockerStores(tmp_path)
    store = replace(db(kit), backup="cat /data/log", restore="cat > /data/log", keep=1)
    await stores.ensure(store, SECRETS, replace=False)
    written = await stores.backup(store)
    assert content(written) == "xyzzy one\n"
    assert os.stat(written).st_mode & 0o777 == 0o600  # noqa: PTH116
    (tmp_path / "mine").write_text("mine\n")
    assert await stores.restore(store, str(tmp_path / "mine")) == str(tmp_path / "mine")
    with pytest.raises(PlatformError, match=r"ended with 3: no space"):
        await stores.backup(replace(store, backup="echo no space >&2; exit 3"))
    with pytest.raises(PlatformError, match=r"is empty"):
        await stores.backup(replace(store, backup="true"))
    assert kept(tmp_path) == [written]
    await stores.restore(store, "")
    assert await stores.ensure(replace(store, keep=5), {}, replace=False) is StoreOutcome.RUNS
    assert content(await stores.backup(store)) == "xyzzy one\n"
    await stores.close()


POSTGRES = Path("/usr/lib/postgresql/15")
PSQL = "/usr/lib/postgresql/15/bin/psql -qAt -h /tmp -U postgres -v ON_ERROR_STOP=1 postgres"
BEGINS = (
    "cd /data && test -f PG_VERSION || /usr/lib/postgresql/15/bin/initdb -D /data -U postgres -A trust >&2; "
    "exec /usr/lib/postgresql/15/bin/postgres -D /data -k /tmp -c listen_addresses="
)


@pytest.fixture
def postgres(kit: Kit) -> Iterator[str]:
    """An image of Debian's PostgreSQL: its programs, what they are linked with, a shell and a user."""
    import docker

    if not (POSTGRES / "bin/postgres").exists():
        pytest.skip("no PostgreSQL 15 to make an image of (Debian: postgresql-15)")
    files = {POSTGRES, Path("/usr/share/postgresql/15"), Path("/bin/busybox"), Path("/usr/share/zoneinfo")}
    for program in (POSTGRES / "bin").iterdir():
        told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        files |= {Path(word) for word in told.split() if word.startswith("/")}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for path in sorted(files):
            tar.add(path, str(path).lstrip("/"))
        for name, text in {
            "etc/passwd": "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\n",
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
        for folder in ("data", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o777, 999, 999
            tar.addfile(entry)
        for applet in ("sh", "test", "cat", "locale"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    client, name = docker.from_env(), f"crossfade-test-postgres-{kit.app}"
    client.api.import_image_from_data(archive.getvalue(), repository=name, tag="15", changes=["ENV TZ=UTC"])
    yield f"{name}:15"
    for one in client.images.list(name):
        client.images.remove(one.id, force=True)
    client.close()


@pytest.mark.long
async def test_a_database_is_written_down_and_given_back(kit: Kit, postgres: str, tmp_path: Path) -> None:
    """PostgreSQL's own tools: what was lost after the backup is there again."""
    stores = DockerStores(tmp_path)
    service = replace(
        db(kit).service,
        image=postgres,
        container=Container(command=("/bin/sh", "-c", BEGINS), user="999:999"),
        volumes=(Volume(source="pg", target="/data"),),
        secrets=(),
        health=HealthCheck(command=f"{PSQL} -c 'select 1'", interval=0.3),
        grace=20.0,
    )
    dump = "/usr/lib/postgresql/15/bin/pg_dump --clean --if-exists -h /tmp -U postgres postgres"
    store = Store(service=service, patience=90.0, backup=dump, restore=PSQL)
    assert await stores.ensure(store, {}, replace=False) is StoreOutcome.STARTED
    asks = replace(store, backup=f"{PSQL} -c 'select count(*) from orders'")
    making = f"{PSQL} -c 'create table orders as select generate_series(1, 1000) as id' -c 'select 1'"
    await stores.backup(replace(store, backup=making))
    written = await stores.backup(store)
    await asyncio.to_thread(shutil.copy, written, tmp_path / "kept")
    await stores.backup(replace(store, backup=f"{PSQL} -c 'delete from orders where id > 10' -c 'select 1'"))
    assert content(await stores.backup(asks)) == "10\n"
    await stores.restore(store, str(tmp_path / "kept"))
    assert content(await stores.backup(asks)) == "1000\n"
    await stores.stop(kit.app)
    await stores.close()


async def test_a_port_may_be_another_one_here_than_inside(kit: Kit, tmp_path: Path) -> None:
    """Two databases of one machine listen at the same port, each in its container."""
    import docker

    stores, client, here = DockerStores(tmp_path), docker.from_env(), free_port()
    await stores.ensure(replace(db(kit), port=here, inside=5432), SECRETS, replace=False)
    (there,) = client.containers.list(filters={"label": f"crossfade.app={kit.app}"})
    assert there.attrs["HostConfig"]["PortBindings"] == {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(here)}]}
    client.close()
