"""Whose output is asked for: services that run or were taken down, and stores by their names."""

from pathlib import Path

import aiohttp
import pytest
from tests.adapters.memory_stores import MemoryStores
from tests.unit.controller.site import KIM, Control, Site, service
from tests.unit.controller.test_stores import db

from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve
from crossfade.controller.api.server import Api


def _stays(_: bool) -> None: ...


async def asked(control: Control, folder: Path, query: str) -> tuple[int, str]:
    runner = await serve(Api(control.orders, Hub(), _stays), folder / "s", None)
    try:
        connector = aiohttp.UnixConnector(path=str(folder / "s"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://crossfade/v1/logs?{query}") as answer,
        ):
            return answer.status, await answer.text()
    finally:
        await runner.cleanup()


async def test_a_store_is_read_by_its_name(site: Site, tmp_path: Path) -> None:
    """As a service is, under its own name."""
    site.stores = MemoryStores()
    async with site.controller() as control:
        await control.deploy(service("web"))
        await control.orders.stores.ensure([db()], {}, "kim", replace=False)
        status, said = await asked(control, tmp_path, "app=shop&service=db")
        assert status == 200
        assert '"service": "shop/db", "instance": "shop-db"' in said
        assert '"line": "ready"' in said


@pytest.mark.parametrize("query", ["app=shop", "app=shop&service=web"])
async def test_what_was_taken_down_can_be_read(site: Site, tmp_path: Path, query: str) -> None:
    """Whoever wonders why it went looks there first; what never was is refused."""
    async with site.controller() as control:
        await control.deploy(service("web"))
        await control.orders.down("shop", None, KIM)
        assert (await asked(control, tmp_path, query))[0] == 200
        assert (await asked(control, tmp_path, "app=shop&service=nope"))[0] == 400
