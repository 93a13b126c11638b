"""Takes the README's picture of the dashboard: a real canary under real requests, in Chromium. `make picture`."""
# ruff: noqa: INP001  a script beside its picture, no package

import asyncio
import getpass
import json
import socket
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.browser import CHROMIUM, browser

from crossfade.core.errors import CrossfadeError
from crossfade.demo.app import APP, DemoStage
from crossfade.load import LoadGenerator, Mode
from crossfade.stage.stage import free_port, new_folder

PICTURE = Path(__file__).with_name("dashboard.png")
WIDTH, HEIGHT = 1280, 1000
CARD = f"document.querySelector('[data-service=\"{APP}/web\"]')"
SEEN = 150  # requests that the new release has answered
# The picture does not say whose machine it was.
ANONYMOUS = """(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(%s, "you@here");
})()"""


async def main() -> int:
    if not CHROMIUM:
        sys.stderr.write("needs Chromium: apt-get install chromium\n")
        return 2
    stage = DemoStage(folder=new_folder("page"), port=free_port(), said=lambda _: None)
    try:
        _write(stage, "v1")
        await stage.verb("deploy", "-e", "demo", "--version", "v1")
        async with LoadGenerator(stage.url, clients=8, mode=Mode.KEEPALIVE, path=("/api/version",), rate=150.0):
            _write(stage, "v2")
            deploying = asyncio.create_task(
                stage.verb("deploy", "-e", "demo", "--version", "v2", "--strategy", "canary")
            )
            opened = await stage.verb("dashboard")
            await _take(str(opened.result["url"]))
            with suppress(CrossfadeError):
                await stage.verb("abort", "web")
                await deploying
    finally:
        await stage.clear()
    return 0


def _write(stage: DemoStage, version: str) -> None:
    """Bakes are long enough for a picture."""
    stage.write(version, timeout="120s")
    file = stage.home / "crossfade.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("bake: 3s", "bake: 30s"), encoding="utf-8")


async def _take(url: str) -> None:
    async with browser() as page:
        await page.size(WIDTH, HEIGHT)
        await page.open(url)
        await page.until(f"{CARD}?.querySelector('.waits')?.textContent.includes('baking')")
        await page.until(f"{CARD}.querySelector('.beside').textContent.includes('10 %')")
        counted = (
            f"Number({CARD}.querySelector('.beside').textContent.match(/([0-9,]+) requests/)?.[1].replace(',', ''))"
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(8):
                await page.until(f"{counted} > {SEEN}")
        await page.run(ANONYMOUS % json.dumps(f"{getpass.getuser()}@{socket.gethostname()}"))
        await page.picture(PICTURE)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
