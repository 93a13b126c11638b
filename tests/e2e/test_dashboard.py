"""The page in a real browser, of a real controller whose app writes what it likes."""

import json
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

AXE = Path(__file__).parents[1] / "pipelines" / "node_modules" / "axe-core" / "axe.min.js"
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
        await _read_by_everybody(page)
        assert f"Promote: {shop.name}/web" in await _by_tab_alone(page)
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
        await _read_by_everybody(page)
        assert (
            await page.run("Math.min(...[...document.querySelectorAll('main button')].map((b) => b.offsetHeight))")
            >= 40
        )
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


async def test_no_other_page_and_no_guess_orders_anything(machine: Machine, shop: App) -> None:
    """A page of another origin in the same browser, with the whole address, and one with a wrong token."""
    await shop.deploy(shop.service(strategy=replace(STEPS, bake=0.0)))
    opened = await machine.call("POST", "/v1/page", {"by": "kim"})
    await shop.begin(shop.service(strategy=STEPS, tag="2"))
    await shop.until(lambda found: bool(found["rollout"]), 120.0)
    number = (await shop.status())["rollout"]["id"]
    order = {"app": shop.name, "service": "web", "rollout": number, "step": (await shop.status())["rollout"]["step"]}
    async with browser() as page:
        await page.open("data:text/html,<title>evil</title>")
        await page.until("document.title === 'evil'")
        for kind in ("text/plain", "application/json"):
            how = {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": kind}, "body": json.dumps(order)}
            sent = f"fetch('{opened['url']}order/abort', {json.dumps(how)})"
            await page.run(f"{sent}.then(() => 'sent', () => 'refused')")
        await page.run(
            "(() => { const f = document.createElement('form'); f.method = 'POST'; f.target = '_blank'; "
            f"f.action = '{opened['url']}order/abort'; document.body.append(f); f.submit(); }})()"
        )
        await page.open(opened["url"].replace("/page/", "/page/x"))
        await page.until("document.body.textContent.includes('nothing is here')")
        assert await page.run("document.querySelectorAll('script, link').length") == 0
    assert (await shop.status())["rollout"]["id"] == number
    assert (await shop.status())["rollout"]["state"] == "running"
    await shop.order("abort")


async def _read_by_everybody(page: Browser) -> None:
    """What axe knows of roles, names, contrast and order: https://github.com/dequelabs/axe-core."""
    if not AXE.exists():
        return
    await page.run(AXE.read_text(encoding="utf-8"))
    found = await page.run(
        "axe.run(document).then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.failureSummary + n.html)]))"
    )
    assert found == []


async def _by_tab_alone(page: Browser) -> list[str]:
    """Names of what Tab comes to, each with a mark that shows where one is."""
    await page.run("document.activeElement?.blur(); window.scrollTo(0, 0)")
    named = []
    for _ in range(30):
        await page.press("Tab", 9)
        name = await page.run(
            "document.activeElement === document.body ? '' : document.activeElement.ariaLabel "
            "?? document.activeElement.textContent.trim()"
        )
        if not name or name in named:
            break
        assert await page.run("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2"), name
        named.append(name)
    return named


async def _no_wider_than_the_window(page: Browser) -> None:
    assert await page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def _picture(page: Browser, name: str) -> None:
    """For people to look at, where CROSSFADE_PICTURES names a folder."""
    if folder := os.environ.get("CROSSFADE_PICTURES"):
        await page.picture(Path(folder) / f"{name}.png")
