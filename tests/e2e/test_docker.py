"""Containers behind the same balancer, under the same promises."""

import asyncio
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.until import until
from tests.contract.runtime_kits import DockerImages, docker_is_missing
from tests.support.crowd import loses_nothing
from tests.support.machine import App

from crossfade.core.service import Names, Peer, Resources, RollbackOn, Rule, Service, Strategy
from crossfade.load import LoadGenerator, Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVES = (
    "busybox mkdir /www; echo release $CROSSFADE_RELEASE > /www/index.html; echo ok > /www/health; "
    "exec httpd -f -p $PORT -h /www"
)
QUICK = Strategy(name="blue-green", timeout=20.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))


@pytest.fixture
def images() -> Iterator[DockerImages]:
    if why := docker_is_missing():
        pytest.skip(why)
    made = DockerImages()
    yield made
    made.remove()


@pytest.fixture
def docker(images: DockerImages) -> Iterator[Any]:
    import docker

    client = docker.from_env()
    yield client
    client.close()


def _service(shop: App, image: str, **changes: Any) -> Service:
    made = shop.service(strategy=QUICK, grace=0.5, resources=Resources(cpu=0.5, memory=64 * 2**20), **changes)
    return replace(made, runtime="docker", source="", image=image, command=SERVES, port=8080)


def _traffic(shop: App, mode: Mode) -> LoadGenerator:
    return LoadGenerator(shop.url, mode=mode, clients=3, rate=60, release_pattern=r"release (\d+)")


async def test_containers_are_replaced_without_a_loss(shop: App, images: DockerImages, docker: Any) -> None:
    """A new image blue-green, and then a container that somebody kills: no GET is lost, and nothing is left behind."""
    try:
        await shop.deploy(_service(shop, images.add("one")))
        async with _traffic(shop, Mode.KEEPALIVE) as kept, _traffic(shop, Mode.CONNECTION) as fresh:
            result = await shop.deploy(_service(shop, images.add("two")))
            status = await shop.settled(2)
            doomed = status["instances"][0]["id"]
            docker.containers.get(doomed).kill()
            await shop.until(lambda s: all(i["id"] != doomed for i in s["instances"]))
            await shop.settled(2)
            await asyncio.sleep(0.2)
        assert result["rollout"]["state"] == "succeeded", result
        report = kept.report() + fresh.report()
        loses_nothing(report, result)
        assert set(report.releases) == {"1", "2"}
    finally:
        await shop.down()
    assert [c.name for c in docker.containers.list(all=True, ignore_removed=True) if shop.name in c.name] == []


async def test_a_container_that_exits_takes_its_release_back(shop: App, images: DockerImages) -> None:
    """Its last words are the reason; nobody lost anything."""
    try:
        await shop.deploy(_service(shop, images.add("one")))
        async with _traffic(shop, Mode.CONNECTION) as traffic:
            broken = replace(_service(shop, images.add("two")), command="echo no database; exit 3")
            result = await shop.deploy(broken)
            await shop.settled(1)
        assert result["rollout"]["state"] == "rolled_back"
        assert "no database" in result["rollout"]["reason"]
        loses_nothing(traffic.report(), result)
    finally:
        await shop.down()


CALLS = (
    "busybox mkdir -p /www/caller; echo ok > /www/health; (while :; do wget -qO- http://web:8080/ >> /www/caller/got "
    "2>/dev/null || echo lost >> /www/caller/got; sleep 0.02; done) & exec httpd -f -p $PORT -h /www"
)


@pytest.mark.long
async def test_calls_by_name_lose_nothing_in_a_deploy(shop: App, images: DockerImages, docker: Any) -> None:
    """A container calls a service of its app by name while that is replaced; nobody else gets in at that door."""
    names = Names(peers=(Peer(name="caller", port=8080), Peer(name="web", port=8080)), containers=True)
    web = _service(shop, images.add("one"), names=names)
    caller = replace(web, name="caller", command=CALLS, routes=(Rule(path="/caller/*"),))

    async def called(word: str) -> list[str]:
        lines = (await asyncio.to_thread(_read, f"{shop.url}/caller/got")).split("\n")
        return lines if word in lines else []

    try:
        await shop.deploy(web)
        begun = await shop.begin(caller)
        await shop.machine.call("GET", f"/v1/rollouts/{begun}?app={shop.name}&service=caller&wait=1")
        assert await until(lambda: called("release 1"))
        result = await shop.deploy(replace(web, image=images.add("two")))
        assert result["rollout"]["state"] == "succeeded", result
        lines = await until(lambda: called("release 2"))
        assert set(lines) == {"release 1", "release 2", ""}
        (network,) = docker.networks.list(filters={"label": f"crossfade.app={shop.name}"})
        gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
        with pytest.raises(OSError, match="reset"):
            await asyncio.to_thread(_read, f"http://{gateway}:8080/")
    finally:
        await shop.down()
    assert docker.networks.list(filters={"label": f"crossfade.app={shop.name}"}) == []


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())
