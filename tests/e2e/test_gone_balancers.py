"""A balancer whose process is gone and that cannot be started any more, as after a package was removed."""

import os
import shutil
import signal
import time
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.contract.balancer_kits import fetch, routing, service
from tests.e2e.shell import NEVER_HEALTHY, machine
from tests.support.backend import Backend
from tests.support.edge import url

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.envoy.process import installed
from crossfade.platforms.local.balancers.known import KnownProcess, ended, working_in
from crossfade.platforms.local.balancers.nginx import NginxBalancer


@pytest.mark.parametrize("program", ["haproxy", pytest.param("nginx", marks=pytest.mark.long)])
def test_what_is_taken_down_does_not_wait_for_it(program: str) -> None:
    """It leads nobody to the instances: they end, and the service is forgotten."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    with machine() as alone:
        installed_here = alone.home / "bin" / program
        installed_here.parent.mkdir()
        installed_here.symlink_to(found)
        path = {"PATH": f"{installed_here.parent}:{alone.environment['PATH']}"}
        alone.write()
        alone.ok("up", "--balancer", program, env=path)
        alone.ok("deploy")
        installed_here.unlink()
        installed_here.write_text("#!/bin/sh\nexit 1\n")
        installed_here.chmod(0o755)
        for known in working_in(alone.state / "balancer"):
            known.signal(signal.SIGKILL)
        assert alone.ok("down", "--all")["stopped"] == ["shop/web", "balancer", "controller"]


@pytest.mark.long
def test_a_deploy_does_not_wait_for_one_that_cannot_be_started_again() -> None:
    """It ended in the middle of the rollout: what keeps it away is said, and not waited for without an end."""
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("haproxy is not installed")
    with machine() as alone:
        installed_here = alone.home / "bin" / "haproxy"
        installed_here.parent.mkdir()
        installed_here.symlink_to(found)
        path = {"PATH": f"{installed_here.parent}:{alone.environment['PATH']}"}
        alone.write()
        alone.ok("up", "--balancer", "haproxy", env=path)
        alone.ok("deploy")
        alone.write(trouble=NEVER_HEALTHY)
        deploy = alone.start("deploy")
        while not (deploy.poll() is not None or any(one["rollout"] for one in alone.services())):
            time.sleep(0.05)
        installed_here.unlink()
        installed_here.write_text("#!/bin/sh\nexit 1\n")
        installed_here.chmod(0o755)
        for known in working_in(alone.state / "balancer"):
            known.signal(signal.SIGKILL)
        _, said = deploy.communicate(timeout=60)
        assert deploy.returncode == 4, said
        assert "the balancer is gone and cannot be started: HAProxy 2.6 or later is needed" in said
        assert "`crossfade abort` has it taken back" in said
        installed_here.unlink()
        installed_here.symlink_to(found)
        alone.ok("down", "--all", "--force")


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
