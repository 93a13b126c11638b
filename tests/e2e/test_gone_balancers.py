"""A balancer whose process is gone and that cannot be started any more, as after a package was removed."""

import asyncio
import os
import shutil
import signal
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import fetch, routing, service
from tests.e2e.shell import NEVER_HEALTHY, Machine, machine
from tests.support.backend import Backend
from tests.support.edge import url
from tests.support.ports import binds

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.envoy.process import installed
from crossfade.platforms.local.balancers.haproxy import HaproxyBalancer
from crossfade.platforms.local.balancers.known import KnownProcess, ended, working_in
from crossfade.platforms.local.balancers.nginx import NginxBalancer


class Program:
    """A balancer's program as it is found in a folder of its own, from which it can be removed."""

    def __init__(self, name: str, folder: Path) -> None:
        found = installed() if name == "envoy" else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            pytest.skip(f"{name} is not installed")
        self._found, self.path = Path(found), folder / "bin" / name
        self.path.parent.mkdir()
        self.path.symlink_to(self._found)

    def remove(self) -> None:
        self.path.unlink()
        self.path.write_text("#!/bin/sh\nexit 1\n")
        self.path.chmod(0o755)

    def install(self) -> None:
        self.path.unlink()
        self.path.symlink_to(self._found)


@contextmanager
def deployed(name: str) -> Iterator[tuple[Machine, Callable[[], None], Program]]:
    """A machine with a release behind a balancer of that name, what takes this away for good, and its program."""
    with machine() as alone:
        program = Program(name, alone.home)
        alone.write()
        alone.ok("up", "--balancer", name, env={"PATH": f"{program.path.parent}:{alone.environment['PATH']}"})
        alone.ok("deploy")

        def lose() -> None:
            program.remove()
            for known in working_in(alone.state / "balancer"):
                known.signal(signal.SIGKILL)

        yield alone, lose, program


@pytest.mark.parametrize("name", ["haproxy", pytest.param("nginx", marks=pytest.mark.long)])
def test_what_is_taken_down_does_not_wait_for_it(name: str) -> None:
    """It leads nobody to the instances: they end, and the service is forgotten."""
    with deployed(name) as (alone, lose, _):
        lose()
        assert alone.ok("down", "--all")["stopped"] == ["shop/web", "balancer", "controller"]


@pytest.mark.long
def test_a_deploy_does_not_wait_for_one_that_cannot_be_started_again() -> None:
    """It ended in the middle of the rollout: what keeps it away is said, and not waited for without an end."""
    with deployed("haproxy") as (alone, lose, program):
        alone.write(trouble=NEVER_HEALTHY)
        deploy = alone.start("deploy")
        while not (deploy.poll() is not None or any(one["rollout"] for one in alone.services())):
            time.sleep(0.05)
        lose()
        _, said = deploy.communicate(timeout=60)
        assert deploy.returncode == 4, said
        assert "the balancer is gone and cannot be started: HAProxy 2.6 or later is needed" in said
        assert "`crossfade abort` has it taken back" in said
        program.install()
        alone.ok("down", "--all", "--force")


@pytest.mark.long
def test_a_rollout_is_taken_back_without_it() -> None:
    """In the middle of a canary: nothing of the new release is left, and no visitor meets it when it is back."""
    with deployed("haproxy") as (alone, lose, program):
        alone.write(deploy={"strategy": "canary", "steps": [50, 100], "bake": "60s"}, env={"NEW": "1"})
        deploy = alone.start("deploy")
        alone.until(lambda s: any(i["release"] == 2 and i["weight"] for i in s["instances"]))
        lose()
        alone.until(lambda s: s["stuck"])
        aborted = alone.run("abort")
        assert aborted.code == 0
        assert "cannot be started: HAProxy 2.6 or later is needed" in aborted.out
        deploy.communicate(timeout=60)
        alone.until(lambda s: s["rollout"] is None)
        status = alone.status()
        assert [i["release"] for i in status["instances"]] == [1, 1]
        assert (status["last"]["rollout"]["state"], status["last"]["traffic"]["balancer_deaths"]) == ("aborted", 1)
        assert "trouble: the balancer is gone and cannot be started" in alone.run("status").out
        program.install()
        alone.until(lambda s: s["stuck"] is None)
        answers = []
        for _ in range(20):
            with urllib.request.urlopen(alone.url, timeout=10) as answer:
                answers.append(answer.read())
        assert answers == [b"1"] * 20


HERE = ["envoy", "haproxy", pytest.param("nginx", marks=pytest.mark.long)]


class Removable:
    """A balancer whose program can be taken away, and be back."""

    def __init__(self, name: str, folder: Path) -> None:
        self._program, self.directory = Program(name, folder), folder / "balancer"
        made = {"envoy": EnvoyBalancer, "haproxy": HaproxyBalancer, "nginx": NginxBalancer}[name]
        self.balancer = made(self.directory, TokenFence(), binary=self._program.path)  # type: ignore[operator]

    async def kill(self) -> None:
        """All of its processes."""
        mine = working_in(self.directory)
        for known in mine:
            known.signal(signal.SIGKILL)
        for known in mine:
            await ended(known, 10)

    async def remove(self) -> None:
        """Its program, until nobody expects any more that it starts."""
        self._program.remove()
        for _ in range(5):
            with pytest.raises(PlatformError):
                await self.balancer.ensure()

    async def install(self) -> None:
        self._program.install()
        await self.balancer.ensure()


@pytest.fixture
async def removable(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Removable]:
    made = Removable(request.param, tmp_path)
    yield made
    await made.balancer.shutdown()
    await made.balancer.close()


@pytest.mark.parametrize("removable", HERE, indirect=True)
async def test_it_begins_with_what_it_was_told_while_it_was_gone(removable: Removable) -> None:
    """Also with a release that it never had. That it died counts once, however often it did not start."""
    web, balancer = service(), removable.balancer
    async with Backend("a") as old, Backend("b") as new, aiohttp.ClientSession() as http:
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": old.address}, 1)
        assert (await fetch(http, url(web))).body == "a"
        await removable.kill()
        await removable.remove()
        with pytest.raises(GoneError) as gone:
            await balancer.report(web.key)
        assert (gone.value.lasting, gone.value.deserted) == (True, False)
        told = gone.value.told
        assert (told.routing, told.traffic.balancer_deaths) == (routing({1: 100}, {1: "a"}), 1)
        await balancer.apply(web, routing({2: 100}, {2: "b"}), {"b": new.address}, 1)
        await removable.install()
        assert (await fetch(http, url(web))).body == "b"
        assert (await balancer.report(web.key)).traffic.balancer_deaths == 1


@pytest.mark.parametrize("removable", HERE, indirect=True)
async def test_a_stranger_at_one_of_its_ports_keeps_nobody_else_out(removable: Removable) -> None:
    """It was faster than the next process: everything else is served and can be told, and the port when it is free."""
    web, other, balancer = service(), service("other"), removable.balancer
    async with Backend("a") as a, Backend("b") as b, aiohttp.ClientSession() as http:
        for one in (web, other):
            await balancer.apply(one, routing({1: 100}, {1: "a"}), {"a": a.address}, 1)
        await removable.kill()
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            await until(lambda: binds(stranger, web.listener.http or 0))
            stranger.listen()
            await balancer.ensure()
            (told,) = balancer.complaints()
            assert f"port {web.listener.http} is in use by" in told
            assert f"(pid {os.getpid()}): nobody gets in here by it" in told
            for one in (web, other):
                await balancer.apply(one, routing({2: 100}, {2: "b"}), {"b": b.address}, 1)
            assert (await fetch(http, url(other))).body == "b"
            with pytest.raises(PlatformError, match="nobody gets in"):  # a hook would ask the stranger
                await balancer.preview(web, 2)
        await balancer.ensure()
        assert not balancer.complaints()
        assert (await fetch(http, url(web))).body == "b"


@pytest.mark.parametrize("removable", ["nginx"], indirect=True)
async def test_what_workers_without_a_master_serve_is_known(removable: Removable) -> None:
    """They cannot be told anything else, and what an instance still answers for them is in flight."""
    web, balancer = service(), removable.balancer
    async with Backend("a") as old, Backend("b") as new, aiohttp.ClientSession() as http:
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": old.address}, 1)
        known = KnownProcess.of(int((removable.directory / "nginx.pid").read_text()))
        held = asyncio.create_task(fetch(http, url(web, "/hold")))
        await until(lambda: "/hold" in old.seen)
        known.signal(signal.SIGKILL)
        await ended(known, 10)
        await removable.remove()
        with pytest.raises(GoneError) as gone:
            await balancer.report(web.key)
        assert (gone.value.lasting, gone.value.deserted) == (True, True)
        assert gone.value.told.targets["a"].in_flight == 1
        with pytest.raises(PlatformError):
            await balancer.apply(web, routing({2: 100}, {2: "b"}), {"b": new.address}, 1)
        old.gate.set()
        assert (await held).body == "a"


async def test_workers_of_an_nginx_that_was_killed_go_with_the_last_service(tmp_path: Path) -> None:
    """They serve on without a master that could be told, as long as somebody is served, and hold the ports."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("nginx is not installed")
    program = tmp_path / "nginx"
    program.symlink_to(found)
    web, other = service(), service("other")
    nginx = NginxBalancer(tmp_path / "state", TokenFence(), binary=program)
    try:
        async with Backend("a") as app, aiohttp.ClientSession() as http:
            for one in (web, other):
                await nginx.apply(one, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            program.unlink()
            program.write_text("#!/bin/sh\nexit 1\n")
            program.chmod(0o755)
            master = int((tmp_path / "state" / "nginx.pid").read_text())
            known = KnownProcess.of(master)
            known.signal(signal.SIGKILL)
            await ended(known, 10)
            await nginx.remove(web.key, 1)
            assert (await fetch(http, url(other))).body == "a"
            await nginx.remove(other.key, 1)
            assert working_in(tmp_path / "state") == []
    finally:
        await nginx.shutdown()
        await nginx.close()


async def test_an_envoy_that_is_gone_forgets_all_the_same(tmp_path: Path) -> None:
    """And says of itself that it is gone: while it may come back, everything stands still."""
    program = tmp_path / "bin" / "envoy"
    program.parent.mkdir()
    program.symlink_to(installed())
    web = service()
    envoy = EnvoyBalancer(tmp_path / "envoy", TokenFence(), binary=program)
    try:
        async with Backend("a") as app:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            program.unlink()
            program.write_text("#!/bin/sh\nexit 1\n")
            program.chmod(0o755)
            for known in working_in(tmp_path / "envoy"):
                known.signal(signal.SIGKILL)
                await ended(known, 10)
            with pytest.raises(PlatformError):
                await envoy.apply(web, routing({1: 100}, {1: "a"}, preview=1), {"a": app.address}, 1)
            await envoy.apply(web, Routing(), {}, 1)
            with pytest.raises(GoneError):
                await envoy.report(web.key)
            await envoy.remove(web.key, 1)
            assert await envoy.known() == {}
    finally:
        await envoy.shutdown()
        await envoy.close()
