"""A balancer whose process is gone and that cannot be started any more, as after a package was removed."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from tests.adapters.token_fence import TokenFence
from tests.contract.balancer_kits import routing, service
from tests.e2e.shell import machine
from tests.support.backend import Backend

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.envoy.process import installed
from crossfade.platforms.local.balancers.known import ended, working_in


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
