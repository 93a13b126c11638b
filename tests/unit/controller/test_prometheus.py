"""A real Prometheus reads what the controller tells, and the dashboard's queries have answers."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.ports import free_port
from tests.unit.controller.site import Site, service, within

from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve_metrics
from crossfade.controller.api.server import Api

DASHBOARD = Path(__file__).parents[3] / "docs/dashboards/crossfade.json"
CONFIG = """\
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: crossfade
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

pytestmark = [
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
    pytest.mark.long,
]


@asynccontextmanager
async def prometheus(place: Path, reads: int) -> AsyncIterator[aiohttp.ClientSession]:
    """One that reads this port five times a second."""
    (place / "prometheus.yml").write_text(CONFIG.format(port=reads))
    port = free_port()
    words = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with (place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *words, f"--web.listen-address=127.0.0.1:{port}", cwd=place, stdout=log, stderr=log
        )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        process.terminate()
        await process.wait()


async def answer(client: aiohttp.ClientSession, query: str) -> list[Any]:
    """What a query finds; nothing before Prometheus is up."""
    try:
        async with client.get("/api/v1/query", params={"query": query}) as said:
            found = await said.json()
    except aiohttp.ClientError:
        return []
    assert found["status"] == "success", found
    result: list[Any] = found["data"]["result"]
    return result


async def test_every_query_of_the_dashboard_has_an_answer(site: Site, tmp_path: Path) -> None:
    """With requests, failures, a rollout and a service in trouble, no panel is empty."""
    port = free_port()
    async with site.controller() as control:
        api = Api(control.orders, Hub(), lambda _: None)
        runner = await serve_metrics(api, ("127.0.0.1", port))
        loop = await control.deploy(service())
        panels = json.loads(DASHBOARD.read_text())["panels"]
        queries = [t["expr"] for p in panels for t in p["targets"]]
        try:
            async with prometheus(tmp_path, port) as client:

                async def all_answered() -> None:
                    open_ = [q.replace("$__rate_interval", "10s").replace("$app", ".*") for q in queries]
                    while open_:
                        for status in (200, 500):
                            with site.platform.request("shop/web", {}) as exchange:
                                exchange.status = status
                        api.looks.ended["shop/web", "succeeded"] += 1
                        loop.trouble = "the disk is full"
                        open_ = [q for q in open_ if not await answer(client, q)]
                        await asyncio.sleep(0.1)

                await within(all_answered(), 60.0)
        finally:
            await runner.cleanup()
