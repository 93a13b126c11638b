"""A folder that ships as releases do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Service, Static, Strategy

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(name="blue-green", timeout=60.0, keep_previous=600.0, rollback_on=RollbackOn(min_requests=5))


def site(app: App, version: str, **changes: Any) -> Service:
    """A site of one page whose script has its version in its name; its build makes the folder."""
    code: Path = app.machine.root / f"{app.name}-site"
    code.mkdir(exist_ok=True)
    (code / "json.py").write_text("raise SystemExit('what lies in a release is not imported')")
    made = app.service(strategy=QUICK, replicas=1, **changes)
    return replace(
        made,
        source=str(code),
        command="",
        build=f"mkdir -p dist/a && echo page {version} > dist/index.html && echo {version} > dist/a/{version}.js",
        static=Static(folder="dist", fallback="index.html"),
        health=replace(made.health, path="/"),
    )


async def get(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, (await answer.text()).strip()


async def test_a_folder_is_switched_and_rolled_back_with_its_assets(shop: App) -> None:
    """The old release's script is there while it is kept, and nothing gets a page in place of a script."""
    first = await shop.deploy(site(shop, "one", listen_on="socket"))
    assert first["rollout"]["state"] == "succeeded", first
    assert await get(f"{shop.url}/users/7", accept="text/html") == (200, "page one")
    second = await shop.deploy(site(shop, "two"))
    assert second["rollout"]["state"] == "succeeded", second
    assert await get(f"{shop.url}/") == (200, "page two")
    assert await get(f"{shop.url}/a/two.js") == (200, "two")
    assert await get(f"{shop.url}/a/one.js") == (200, "one")
    assert await get(f"{shop.url}/a/three.js") == (404, "Not found.")
    assert (await shop.rollback())["rollout"]["state"] == "succeeded"
    assert await get(f"{shop.url}/") == (200, "page one")


async def test_a_folder_that_is_not_there_is_said_in_a_sentence(shop: App) -> None:
    """What git ignores and no build makes is the usual reason."""
    result = await shop.deploy(replace(site(shop, "one"), build="", static=Static(folder="out")))
    assert result["rollout"]["state"] == "failed"
    assert "out is not a folder of this release" in str(result["rollout"]["reason"])
