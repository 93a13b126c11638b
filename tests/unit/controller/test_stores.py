"""Stores on record: who did what with them, backups by the clock, and what a controller that was killed left."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.memory_stores import MemoryStores
from tests.adapters.until import until
from tests.unit.controller.site import KIM, Control, Site, service

from crossfade.controller.api import stores as views
from crossfade.controller.apps import Apps, WantedApp
from crossfade.controller.order import Order, Shell
from crossfade.controller.stores.record import changes
from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.core.service import Hooks, Service, Volume
from crossfade.core.store import Store
from crossfade.engine.ports.stores import StoreOutcome

HOUR = 3600.0
DB = "shop/db"


def db(**changes: Any) -> Store:
    made = Service(app="shop", name="db", runtime="docker", kind="worker", image="postgres:15")
    return Store(service=made, **{"backup": "dump", "restore": "load", **changes})


@pytest.fixture
def keeper(site: Site) -> MemoryStores:
    site.stores = made = MemoryStores()
    return made


async def ensure(control: Control, *stores: Store, replace: bool = False) -> dict[str, StoreOutcome]:
    return await control.orders.stores.ensure(stores, {}, "kim", replace=replace)


async def status(control: Control) -> dict[str, Any]:
    (one,), troubles = await views.status(control.orders.stores, "shop", control.registry.world.wall())
    assert troubles == []
    return one


async def test_what_becomes_of_a_store_is_on_record(site: Site, keeper: MemoryStores) -> None:
    """Intent before, outcome after; a deploy that finds it as it should be writes nothing."""
    async with site.controller() as control:
        assert await ensure(control, db()) == {DB: StoreOutcome.STARTED}
        assert site.kinds(DB) == ["store noted", "store starting", "store made"]
        assert await ensure(control, db()) == {DB: StoreOutcome.RUNS}
        assert len(site.kinds(DB)) == 3
        await control.orders.stores.stop("shop", "kim")
        assert site.kinds(DB)[3:] == ["store stopped"]
        assert control.orders.stores.up() == []


async def test_a_change_waits_on_record_until_it_is_asked_for(site: Site, keeper: MemoryStores) -> None:
    """`plan` and `status` say what the file has otherwise than the store was made, over controllers' lives."""
    new = replace(db(port=5432), service=replace(db().service, image="postgres:16", env=(("A", "1"),)))
    async with site.controller() as control:
        await ensure(control, db())
    async with site.controller() as control:
        assert control.orders.stores.changes([new]) == {
            DB: ["env A", "image postgres:15 -> postgres:16", "port none -> 5432"]
        }
        assert await ensure(control, new) == {DB: StoreOutcome.CHANGED}
        assert (await status(control))["changed"]
        assert await ensure(control, new, replace=True) == {DB: StoreOutcome.REPLACED}
        assert not (await status(control))["changed"]
        assert control.orders.stores.changes([new]) == {}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            Volume(source="pg", target="/d"),
            "volumes data:/d -> pg:/d; pg may begin empty and data stays as it is, unused",
        ),
        (Volume(source="data", target="/e"), "volumes data:/d -> data:/e"),
    ],
)
def test_a_change_of_volumes_says_what_becomes_of_the_data(after: Volume, said: str) -> None:
    """It does not move along: who reads `plan` knows before it is asked for."""
    before = replace(db().service, volumes=(Volume(source="data", target="/d"),))
    assert changes(Store(service=before), Store(service=replace(before, volumes=(after,)))) == [said]


async def test_a_store_that_does_not_start_says_why_until_it_does(site: Site, keeper: MemoryStores) -> None:
    """In `status` and on record."""
    needy = replace(db(), service=replace(db().service, secrets=("PASSWORD",)))
    async with site.controller() as control:
        with pytest.raises(WrongInputError):
            await ensure(control, needy)
        assert site.kinds(DB) == ["store noted", "store starting", "store failed"]
        await ensure(control, db())
        assert (await status(control))["trouble"] is None


async def test_one_that_was_never_ready_is_what_the_file_says_now(site: Site, keeper: MemoryStores) -> None:
    """Whoever mends the file need not ask for it: there is nothing to lose. One that once was ready is left alone."""
    mended = replace(db(), service=replace(db().service, env=(("POSTGRES_PASSWORD", "x"),)))
    other = replace(db(), service=replace(db().service, env=(("POSTGRES_PASSWORD", "y"),)))
    async with site.controller() as control:
        keeper.sick = "no password"
        with pytest.raises(PlatformError):
            await ensure(control, db())
    async with site.controller() as control:
        assert await control.orders.stores.compare([mended]) == {DB: StoreOutcome.STARTED}
        keeper.sick = ""
        assert await ensure(control, mended) == {DB: StoreOutcome.STARTED}
        assert keeper.made[DB] == mended
        keeper.sick = "away"
        with pytest.raises(PlatformError):
            await ensure(control, other)
        assert keeper.made[DB] == mended
        assert await control.orders.stores.compare([other]) == {DB: StoreOutcome.CHANGED}


async def test_a_store_is_entered_by_its_name_and_that_is_on_record(site: Site, keeper: MemoryStores) -> None:
    """Of several the one of the app that is meant, or the one whose app is named; what is typed is on no record."""
    again = replace(db(), service=replace(db().service, app="blog"))
    async with site.controller() as control:
        await ensure(control, db(), again)
        orders, how = control.orders, {"interactive": False}
        assert (await orders.enter("db", ["psql"], "kim", app="shop", **how)).container == DB
        assert (await orders.enter("blog/db", ["psql"], "kim", app="shop", **how)).container == "blog/db"
        with pytest.raises(WrongInputError, match="several stores are called db: blog/db, shop/db"):
            await orders.enter("db", ["psql"], "kim", app="", **how)
        with pytest.raises(WrongInputError, match="no instance cache runs here"):
            await orders.enter("cache", ["sh"], "kim", app="shop", **how)
        assert site.kinds(DB)[-1] == "store entered"


async def test_a_store_is_no_service(site: Site, keeper: MemoryStores) -> None:
    """What only a release can do is refused by saying so, and not by denying that the store is there."""
    async with site.controller() as control:
        await ensure(control, db())
        views.require_service(control.orders.stores, "shop", "web")
        with pytest.raises(WrongInputError, match="shop/db is a store: one container") as told:
            views.require_service(control.orders.stores, "shop", "db")
        assert "exec, backup, restore and `down shop/db` are for stores" in told.value.way_out


async def test_a_backup_comes_at_its_time_and_once(site: Site, keeper: MemoryStores) -> None:
    """By the clock on the wall, over controllers that end; what was due while nobody was there is made good once."""
    async with site.controller() as control:
        await ensure(control, db(schedule="0 * * * *"))
        assert (await status(control))["backup"]["next"] is not None
        site.ahead += HOUR
        await until(lambda: keeper.backups)
    site.ahead += 5 * HOUR
    async with site.controller() as control:
        await until(lambda: len(keeper.backups) == 2)
        await until(lambda: site.kinds(DB)[-1] == "backup ended")
        shown = (await status(control))["backup"]
        assert (shown["run"]["state"], shown["file"]) == ("done", "shop/db/1.backup")
    assert site.kinds(DB).count("backup started") == 2


async def test_a_clock_that_was_wrong_by_years_keeps_no_backup_back(site: Site, keeper: MemoryStores) -> None:
    """Its schedule begins again by the clock that was set right."""
    site.ahead = 10 * 365 * 24 * HOUR
    async with site.controller() as control:
        await ensure(control, db(schedule="0 * * * *"))
        site.ahead += HOUR
        await until(lambda: site.kinds(DB)[-1:] == ["backup ended"])
    site.ahead = 0.0
    async with site.controller():
        await until(lambda: site.kinds(DB)[-1] == "store noted")
        site.ahead += HOUR
        await until(lambda: len(keeper.backups) == 2)


async def test_a_store_that_was_taken_down_is_not_written_down(site: Site, keeper: MemoryStores) -> None:
    """Its schedule begins again with it."""
    async with site.controller() as control:
        await ensure(control, db(schedule="0 * * * *"))
        await control.orders.down("shop", "db", KIM)
        site.ahead += HOUR
        await asyncio.sleep(0)
        assert (await views.status(control.orders.stores, "shop", 0.0))[0] == []
        await ensure(control, db(schedule="0 * * * *"))
        await until(lambda: keeper.backups)
    assert site.kinds(DB).count("backup started") == 1


async def test_a_backup_that_was_cut_is_made_again(site: Site, keeper: MemoryStores) -> None:
    """The next controller ends what one that was killed had begun, under the same id."""
    keeper.open.clear()
    async with site.controller() as control:
        await ensure(control, db())
        asked = asyncio.create_task(control.orders.stores.backup(db(), "kim"))
        await until(lambda: site.kinds(DB)[-1] == "backup started")
        asked.cancel()
    keeper.open.set()
    async with site.controller() as control:
        await until(lambda: site.kinds(DB)[-1] == "backup ended")
        run = control.orders.stores.records[DB].run
        assert run is not None
        assert (run.code, list(keeper.backups)) == (0, ["shop/db/0.backup"])
    assert site.kinds(DB).count("backup started") == 1


async def test_a_backup_that_fails_is_told_and_the_older_one_stays_known(site: Site, keeper: MemoryStores) -> None:
    """The next one comes at its time all the same."""
    async with site.controller() as control:
        await ensure(control, db())
        whole = await control.orders.stores.backup(db(), "kim")
        keeper.failing = "no space left"
        with pytest.raises(PlatformError, match="no space left"):
            await control.orders.stores.backup(db(), "kim")
        shown = (await status(control))["backup"]
        assert (shown["run"]["state"], shown["run"]["detail"], shown["file"]) == ("failed", "no space left", whole)
        with pytest.raises(WrongInputError, match="no backup in the file"):
            await control.orders.stores.backup(db(backup=""), "kim")
        with pytest.raises(WrongInputError, match="no restore in the file"):
            await control.orders.stores.restore(db(restore=""), "", "kim")
        assert await control.orders.stores.restore(db(), "", "kim") == whole
        assert site.kinds(DB)[-2:] == ["restore started", "restore ended"]


async def test_a_migration_waits_for_a_backup(site: Site, keeper: MemoryStores) -> None:
    """A release with a migrate hook is on record only once the stores are written down."""
    async with site.controller() as control:
        await ensure(control, db())
        keeper.failing = "no space left"
        with pytest.raises(PlatformError, match="no space left"):
            await control.orders.deploy([service("web", hooks=Hooks(migrate="migrate"))], KIM, Shell(), [db()])
        assert "release created" not in site.kinds("shop/web")
        keeper.failing = ""
        await control.orders.deploy([service("web", hooks=Hooks(migrate="migrate"))], KIM, Shell(), [db()])
        assert len(keeper.backups) == 1


async def test_a_store_that_never_was_ready_can_be_taken_down(site: Site, keeper: MemoryStores) -> None:
    """Docker goes on starting it until then; a second time there is nothing to take down."""
    async with site.controller() as control:
        keeper.sick = "no password"
        with pytest.raises(PlatformError):
            await ensure(control, db())
        assert await control.orders.down("shop", "db", KIM) == [DB]
        assert keeper.made == {}
        with pytest.raises(WrongInputError, match="the store shop/db was taken down"):
            await control.orders.down("shop", "db", KIM)


async def test_stores_are_left_alone_where_no_rollout_may_begin(site: Site, keeper: MemoryStores) -> None:
    """A lock is for all that a deploy does: it makes no store anew either."""
    changed = replace(db(), service=replace(db().service, env=(("A", "1"),)))
    wanted = WantedApp(services=[service("web")], stores=[changed], replace_stores=True)
    async with site.controller() as control:
        await ensure(control, db())
        loop = await control.deploy(service("web"))
        await control.orders.lock(loop, "sale", KIM)
        with pytest.raises(RefusedError, match="shop/web has been locked by"):
            await Apps(control.orders, None).deploy(wanted, Order(by="ann"), Shell(), 0)
        assert keeper.made[DB] == db()


async def test_a_release_without_a_migration_waits_for_none(site: Site, keeper: MemoryStores) -> None:
    """It changes nothing of what stores hold."""
    async with site.controller() as control:
        await ensure(control, db())
        await control.orders.deploy([service("web")], KIM, Shell(), [db()])
        assert keeper.backups == {}


async def test_deleting_data_needs_everything_down_and_is_on_record(site: Site, keeper: MemoryStores) -> None:
    """Under the app's name: it is the data of all of it."""
    async with site.controller() as control:
        await ensure(control, db())
        await control.deploy(service("web"))
        with pytest.raises(RefusedError, match="still runs"):
            await control.orders.delete_data("shop", KIM)
        assert await control.orders.down("shop", None, KIM) == ["shop/web", DB]
        assert await control.orders.delete_data("shop", KIM) == [DB]
        assert site.kinds("shop")[-1] == "data deleted"
    async with site.controller() as control:
        assert control.registry.taken_down == ["shop/web"]


async def test_all_secrets_without_a_value_are_named_at_once(site: Site, keeper: MemoryStores) -> None:
    """Of the stores that would be made and of the services, before anything is; a store that runs needs none."""
    store = replace(db(), service=replace(db().service, secrets=("PASSWORD",)))
    web = replace(service(), secrets=("TOKEN",))
    async with site.controller() as control:
        said = rf"secret PASSWORD of the store {DB}; no value for the secret TOKEN of {web.key}"
        with pytest.raises(WrongInputError, match=said):
            await control.orders.require_values([web], Shell(), [store], replace=False)
        assert site.kinds(DB) == []
        given = Shell(secrets_of={DB: {"PASSWORD": "x"}})
        await control.orders.require_values([web], given, [store], replace=False)
        await control.orders.stores.ensure([store], given.secrets_of, "kim", replace=False)
        await control.orders.require_values([web], Shell(), [store], replace=False)
