"""A database of MySQL's kind on a host of its own: written down, and given back beside itself, by a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from tests.rig import Rig
from tests.support.database_host import ENGINES, PASSWORD, DatabaseHost, why_not
from tests.support.on_ecs import LIMIT, PACE, reached
from tests.support.shipped import Shipped

from crossfade.aws.places import Places
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.database.dumps import Dumps
from crossfade.platforms.aws.database.snapshots import NotKeptError

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

# All that a dump has to bring back: letters of any alphabet, bytes, and what is kept beside tables.
SEED = """
CREATE TABLE orders (id int, note text CHARACTER SET utf8mb4, raw blob) ENGINE=InnoDB;
INSERT INTO orders VALUES (1, 'é 😀 ''quoted''', x'00FF0D0A27225C1A80'), (2, NULL, NULL);
CREATE VIEW seen AS SELECT id FROM orders;
CREATE PROCEDURE how_many() SELECT COUNT(*) FROM orders;
CREATE TRIGGER marked BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = 'marked';
CREATE EVENT `tidies up` ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders
"""
ROWS = "SELECT id, note, HEX(raw) FROM orders ORDER BY id"
EVENTS = "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()"
HOLD = "LOCK TABLES orders WRITE; SELECT SLEEP(600) AS held"
HELD = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%held'"


@dataclass(frozen=True, slots=True)
class Kept:
    """A database of one engine, and who writes it down."""

    engine: str
    places: Places
    host: DatabaseHost
    dumps: Dumps

    async def take(self, number: int) -> str:
        service = Service(app=self.places.app, name="web", environment="dev", dumped=True)
        release = Release(number=number, service=service, version=f"v{number}", digest="", config_hash="")
        return await self.dumps.take(release, LIMIT, lambda: asyncio.sleep(0))

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Nobody else reads or writes the orders in the block."""
        words = ("docker", "exec", "database", "sh", "-c", self.host.asking, "sh", self.host.name, HOLD)
        holding = asyncio.create_task(asyncio.to_thread(self.host.run, *words))
        await _until(lambda: self.host.ask(HELD) != "")
        yield
        self.host.ask(f"KILL {self.host.ask(HELD)}")
        await holding


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110  what is waited for happens on a host
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=0) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["mysql", "mariadb"])
async def kept(rig: Rig, request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    engine = request.param
    if why := why_not(engine):
        pytest.skip(why)
    places = Places(f"of{engine}", "dev")
    host = await asyncio.to_thread(DatabaseHost, rig, places, engine)
    await asyncio.to_thread(host.ask, SEED)
    clients = Clients("us-east-1", endpoint=rig.endpoint)
    yield Kept(engine, places, host, Dumps(clients, SystemClock(), places, look=0.1))
    await clients.close()


def _shipped(kept: Kept, folder: Path) -> Shipped:
    database = {"engine": kept.engine, "host": True, "instance": "t3.small", "dumps": "backups"}
    cloud = {"region": "us-east-1", "compute": {"kind": "autoscaling"}, "database": database}
    data = {
        "app": kept.places.app,
        "services": {"web": {"image": "acme/web", "port": 8080}},
        "environments": {"dev": {"platform": "aws", "cloud": {**cloud, "buckets": {"backups": {}}}}},
    }
    shipped = Shipped(kept.host.rig, folder)
    shipped.file(json.dumps(data))
    return shipped


async def test_a_dump_becomes_a_database_beside_the_one_that_serves(kept: Kept, tmp_path: Path) -> None:
    """Every letter and byte of then, views and code that mean the new one, and events that rest there."""
    before = kept.host.ask(ROWS)
    assert "😀" in before
    name = await kept.take(1)
    kept.host.ask("DELETE FROM orders WHERE id = 1; INSERT INTO orders VALUES (3, '', NULL)")
    shipped, into = _shipped(kept, tmp_path), f"{kept.places.app}_restored"
    ran = await asyncio.to_thread(shipped.run, "restore", "database", "-e", "dev", "--from", name, "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert kept.host.ask(ROWS, into) == before
    assert kept.host.ask("SELECT id FROM seen ORDER BY id; CALL how_many()", into).split() == ["1", "2", "2"]
    assert kept.host.ask("INSERT INTO orders (id) VALUES (9); SELECT note FROM orders WHERE id = 9", into) == "marked"
    assert [kept.host.ask(EVENTS, one) for one in ("", into)] == ["ENABLED", "DISABLED"]
    assert kept.host.ask("SELECT id FROM orders ORDER BY id").split() == ["2", "3"]


async def test_what_is_there_already_is_not_written_over(kept: Kept, tmp_path: Path) -> None:
    """Not even the one that serves, whoever names it."""
    name, rows = await kept.take(2), kept.host.ask(ROWS)
    shipped, serving = _shipped(kept, tmp_path), kept.places.app
    ran = await asyncio.to_thread(shipped.run, "restore", "-e", "dev", "--from", name, "--as", serving, "--yes")
    assert ran.code not in {0, 1}, ran.out + ran.err
    assert "database exists" in ran.err
    assert kept.host.ask(ROWS) == rows


async def test_no_list_of_processes_shows_the_password(kept: Kept) -> None:
    """A dump that has to wait for a table is looked at while it runs."""
    words = ("bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    async with kept.locked():
        taking = asyncio.create_task(kept.take(3))
        await _until(lambda: f"{ENGINES[kept.engine].programs[2]} --user=root" in kept.host.run(*words))
        shown = await asyncio.to_thread(kept.host.run, *words)
    assert f"database/{await taking}.sql.gz" in kept.host.dumps()
    assert PASSWORD not in shown


async def test_a_dump_that_fails_says_why_and_is_not_there(kept: Kept) -> None:
    """Of a view without its table nothing can be written down; half of it is no dump."""
    kept.host.ask("CREATE TABLE gone (id int); CREATE VIEW broken AS SELECT id FROM gone; DROP TABLE gone")
    before = kept.host.dumps()
    with pytest.raises(NotKeptError, match=r"the dump before-web-4-19700101-000000 failed on .*broken"):
        await kept.take(4)
    assert kept.host.dumps() == before
    kept.host.ask("DROP VIEW broken")
    assert f"database/{await kept.take(4)}.sql.gz" in kept.host.dumps()
