"""The page in a real browser, of a real controller whose app writes what it likes."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.browser import CHROMIUM, Browser, browser
from tests.support.machine import App, Machine

from crossfade.core.service import RollbackOn, Strategy

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
STEPS = Strategy(
    name="canary", steps=(20, 100), bake=300.0, timeout=900.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=0)
)
ENTER, ESCAPE = ("Enter", 13), ("Escape", 27)


async def test_a_deploy_is_watched_and_promoted_on_the_page(machine: Machine, shop: App) -> None:
    """Old and new beside each other, an order by keyboard alone, on a desk and on a phone, and no script but ours."""
    first = shop.service(strategy=replace(STEPS, bake=0.0))
    await shop.deploy(replace(first, command=f"printf '%s\\n' '{HOSTILE}'; {first.command}"))
    opened = await machine.call("POST", "/v1/page", {"by": "kim"})
    async with browser() as page:
        await page.size(1280, 900)
        await page.open(opened["url"])
        card = f"document.querySelector('[data-service=\"{shop.name}/web\"]')"
        await page.until(f"{card}?.textContent.includes('2 of 2 instances serving')")
        rollout = await shop.begin(shop.service(strategy=STEPS, tag="2"))
        await page.until(f"{card}.querySelector('.waits')?.textContent.includes('baking')")
        await page.until(f"{card}.querySelector('.beside').textContent.includes('20 %')")
        await _picture(page, "desk-light")
        await _no_wider_than_the_window(page)
        await page.run(f"{card}.querySelector('.buttons button').focus()")
        await page.press(*ENTER)
        await page.until("document.getElementById('sure').open")
        assert await page.run("document.activeElement.id") == "sure-no"  # a slip of the finger changes nothing
        await page.press(*ESCAPE)
        await page.until("!document.getElementById('sure').open")
        assert (await shop.status())["rollout"]["step"] == 2
        await page.size(390, 844, phone=True, dark=True)
        await page.run(f"{card}.querySelectorAll('details').forEach((one) => {{ one.open = true }})")
        await page.until(f"{card}.querySelector('.proofs')")
        await page.until(f"{card}.querySelector('.log').textContent.includes('<script>alert(2)</script>')")
        await page.until("document.getElementById('story').textContent.includes('20 % of the traffic')")
        await _no_wider_than_the_window(page)
        await _picture(page, "phone-dark")
        await page.run(f"{card}.querySelector('.buttons button').focus()")
        await page.press(*ENTER)
        await page.run("document.getElementById('sure-yes').focus()")
        await page.press(*ENTER)
        await page.until("document.getElementById('said').textContent.includes('goes on')")
        await shop.until(lambda found: found["rollout"]["step"] == 3, 180.0)
        await shop.order("promote")
        assert (await shop.outcome(rollout))["rollout"]["state"] == "succeeded"
        await page.until(f"{card}.textContent.includes('runs release 2')")
        assert not page.complaints, page.complaints


async def _no_wider_than_the_window(page: Browser) -> None:
    assert await page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def _picture(page: Browser, name: str) -> None:
    """For people to look at, where CROSSFADE_PICTURES names a folder."""
    if folder := os.environ.get("CROSSFADE_PICTURES"):
        await page.picture(Path(folder) / f"{name}.png")
