"""What Prometheus is told: as Prometheus reads it, and all that the dashboard asks for."""

import json
import re
import socket
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.controller.site import Control, Site, service

from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve_metrics
from crossfade.controller.api.metrics import exposition
from crossfade.controller.api.server import Api
from crossfade.core.errors import PlatformError
from crossfade.engine.ports.balancer import Report

DASHBOARD = Path(__file__).parents[3] / "docs/dashboards/crossfade.json"


async def told(control: Control) -> dict[tuple[str, ...], float]:
    """By name and the values of its labels but app and service."""
    api = Api(control.orders, Hub(), lambda _: None)
    text = (await exposition(control.registry, api.looks.ended)).decode()
    families = text_string_to_metric_families(text)
    return {
        (s.name, *(v for k, v in sorted(s.labels.items()) if k not in {"app", "service"})): s.value
        for family in families
        for s in family.samples
    }


async def test_a_service_is_told_whole(site: Site) -> None:
    """Who runs, at which release, with how much of the traffic, and what its clients got."""
    async with site.controller() as control:
        await control.deploy(service(replicas=3))
        for status in (200, 200, 500):
            with site.platform.request("shop/web", {}) as exchange:
                exchange.status = status
        series = await told(control)
    assert series["crossfade_release",] == 1
    assert series["crossfade_instances", "healthy", "1"] == series["crossfade_instances_wanted",] == 3
    assert series["crossfade_traffic_share", "1"] == 1.0
    assert (series["crossfade_requests_total",], series["crossfade_requests_failed_total",]) == (3, 1)
    assert sum(n for name, n in series.items() if name[0] == "crossfade_request_failures_total") == 1
    assert series["crossfade_request_duration_seconds_bucket", "+Inf"] == 3
    assert (series["crossfade_rollout_active",], series["crossfade_trouble",]) == (0, 0)


async def test_what_did_not_happen_yet_is_told_as_zero(site: Site) -> None:
    """Prometheus sees no increase to the first value of a series, so that the first failure would be none."""
    async with site.controller() as control:
        await control.deploy(service())
        series = await told(control)
    assert series["crossfade_requests_failed_total",] == 0
    ends = {name[1]: value for name, value in series.items() if name[0] == "crossfade_rollouts_total"}
    assert ends == dict.fromkeys(("succeeded", "rolled_back", "failed", "aborted"), 0)  # nobody told the API of one


async def test_rollouts_are_counted_by_how_they_end(site: Site) -> None:
    """One that went well and one that was taken back are told apart."""
    async with site.controller() as control:
        api = Api(control.orders, Hub(), lambda _: None)
        await control.deploy(service())
        site.sick.add(("shop/web", 2))
        await control.deploy(service(env=(("NEW", "1"),)))
        assert dict(api.looks.ended) == {("shop/web", "succeeded"): 1, ("shop/web", "rolled_back"): 1}


async def test_of_a_silent_balancer_nothing_is_made_up(site: Site) -> None:
    """Counts are left out, not 0, and that it does not answer is a series of its own."""
    async with site.controller() as control:
        await control.deploy(service())
        answers = control.balancer.report

        async def silent(_: str) -> Report:
            raise PlatformError("the balancer does not answer")

        control.balancer.report = silent  # type: ignore[method-assign]  one that died
        series = await told(control)
        control.balancer.report = answers  # type: ignore[method-assign]
    assert series["crossfade_balancer_up",] == 0
    assert ("crossfade_requests_total",) not in series
    assert ("crossfade_release",) in series


async def test_the_dashboard_asks_only_for_what_there_is(site: Site) -> None:
    """Every series that its queries name is told."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {name for p in panels for t in p["targets"] for name in re.findall(r"crossfade_[a-z_]+", t["expr"])}
    async with site.controller() as control:
        await control.deploy(service())
        with site.platform.request("shop/web", {}) as exchange:
            exchange.status = 500
        api = Api(control.orders, Hub(), lambda _: None)
        api.looks.ended["shop/web", "succeeded"] += 1
        text = (await exposition(control.registry, api.looks.ended)).decode()
    assert len(asked) > 8
    assert {name for name in asked if f"\n{name}" not in text} == set()


async def test_a_port_tells_the_metrics_and_nothing_else(site: Site) -> None:
    """Who reaches it reads, and orders nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with site.controller() as control:
        runner = await serve_metrics(Api(control.orders, Hub(), lambda _: None), ("127.0.0.1", port))
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                async with client.get("/metrics") as answer:
                    assert "crossfade_info" in await answer.text()
                async with client.get("/v1/status") as answer:
                    assert answer.status == 404
            with pytest.raises(PlatformError, match="CROSSFADE_METRICS"):
                await serve_metrics(Api(control.orders, Hub(), lambda _: None), ("127.0.0.1", port))
        finally:
            await runner.cleanup()
