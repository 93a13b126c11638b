"""What lasts beyond the releases of a process, and what is said of SQLite."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.runtime_kits import Kit, process_kit

from crossfade.core.service import Strategy, Volume
from crossfade.platforms.local.runtimes import sqlite
from crossfade.platforms.local.runtimes.docker.stores import DockerStores
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime

UPLOADS = (Volume(source="up", target="media"),)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return process_kit(tmp_path)


async def ran(kit: Kit, command: str, source: Path) -> None:
    """One instance of a release of this source, which ends by itself."""
    runtime = kit.adapter()
    release = await kit.release(runtime, command, source=str(source), volumes=UPLOADS)
    await runtime.launch("web-1", release, {}, 1)

    async def ended() -> bool:
        return all(one.exited for one in await runtime.instances(f"{kit.app}/web"))

    assert await until(ended)
    await runtime.check(release)
    await runtime.stop("web-1", 0, 1)
    await runtime.check(release)


async def test_every_release_finds_the_same_folder_in_its_source(kit: Kit, tmp_path: Path) -> None:
    """It begins with what the source has there, and the files that are written to it are no change of the release."""
    for name in ("one", "two"):
        (tmp_path / name / "media").mkdir()
        (tmp_path / name / "media/seed").write_text(name)
    await ran(kit, "echo kept > media/x", tmp_path / "one")
    await ran(kit, "cat media/x media/seed > media/seen", tmp_path / "two")
    kept = tmp_path / "state/volumes" / kit.app / "up"
    assert (kept / "seen").read_text() == "kept\none"
    assert [path.name for path in (tmp_path / "one/media").iterdir()] == ["seed"]


async def test_the_data_of_processes_goes_when_it_is_asked_for(tmp_path: Path) -> None:
    """By whoever deletes an app's data: without Docker, where no container ever was, and that of no other app."""
    for app in ("shop", "shop2"):
        (tmp_path / "volumes" / app / "media").mkdir(parents=True)
        (tmp_path / "volumes" / app / "media" / "logo").touch()
    keeper = DockerStores(tmp_path)
    assert await keeper.delete("shop") == ["shop/media"]
    assert await keeper.delete("shop") == []
    assert [path.name for path in (tmp_path / "volumes").glob("*/media/*")] == ["logo"]
    assert (tmp_path / "volumes/shop2/media/logo").exists()


async def test_the_same_source_with_another_volume_is_another_artifact(kit: Kit, tmp_path: Path) -> None:
    """Two services of one source each have their own."""
    runtime = ProcessRuntime(tmp_path / "state", TokenFence())
    plain = await runtime.build(kit.service())
    up = await runtime.build(kit.service(volumes=UPLOADS))
    other = await runtime.build(kit.service(volumes=(replace(UPLOADS[0], source="other"),)))
    assert len({plain.digest, up.digest, other.digest}) == 3
    assert (await runtime.build(kit.service(volumes=UPLOADS))).digest == up.digest


def test_a_sqlite_file_that_two_would_write_is_named(kit: Kit, tmp_path: Path) -> None:
    """Also one instance is two while a release replaces another, unless the old one goes first."""
    with sqlite3.connect(tmp_path / "one/db") as made:
        made.execute("CREATE TABLE t (x)")
    made.close()
    once = replace(kit.service(), strategy=Strategy(name="recreate"))
    (said,) = sqlite.warnings(kit.service(), [tmp_path / "one"])
    assert f"the old instance and the new one of {kit.app}/web would write one SQLite file, {tmp_path}/one/db" in said
    assert sqlite.warnings(once, [tmp_path / "one"]) == ()
    (said,) = sqlite.warnings(replace(once, replicas=3), [tmp_path / "one"])
    assert said.startswith("3 instances of")
    assert sqlite.warnings(kit.service(), [tmp_path / "two"]) == ()


def test_a_sqlite_file_that_is_still_to_be_made_is_known_by_its_variable(kit: Kit, tmp_path: Path) -> None:
    """Where there are volumes: elsewhere each instance has its own."""
    service = kit.service(env=(("DATABASE_URL", "sqlite:////data/db"),))
    assert sqlite.warnings(service, []) == ()
    (said,) = sqlite.warnings(replace(service, volumes=UPLOADS), [tmp_path / "two"])
    assert "the database of DATABASE_URL" in said
