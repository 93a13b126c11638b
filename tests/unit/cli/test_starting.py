"""Starting a controller from the command line: patient with one that works, plain about a disk that is full."""

import itertools
import os
import subprocess
from pathlib import Path

import pytest

from crossfade.cli.machine import controller
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.paths import StateDirectory


def test_one_that_is_slow_but_works_is_waited_for() -> None:
    """As long as what it has done grows, it is not given up."""
    looks = itertools.count()
    assert controller._until(lambda: next(looks) > 30, 0.0, itertools.count().__next__)


def test_one_that_does_nothing_is_given_up() -> None:
    """It has done no more at the end of the time than at its beginning."""
    assert not controller._until(lambda: False, 0.0, lambda: 7)


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    """Before anything is started, and the choice of before stays."""
    state = StateDirectory(tmp_path)
    controller.choose(state, "nginx")
    (tmp_path / "balancer.new").symlink_to("/dev/full")
    with pytest.raises(PlatformError, match=f"the disk of {tmp_path} is full") as failure:
        controller.choose(state, "envoy")
    assert "free some space" in failure.value.way_out
    assert controller.balancer_of(state) == "nginx"


def test_no_other_balancer_is_started_beside_one_that_was_left_serving(tmp_path: Path) -> None:
    """Two would want the same ports; where nothing serves any more the file may name another."""
    state = StateDirectory(tmp_path)
    state.balancer.mkdir()
    (state.balancer / "book.json").write_text('{"entries": {"shop/web": {}}}')
    controller.choose(state, "nginx")
    with pytest.raises(RefusedError, match="runs with nginx, not with envoy") as refused:
        controller.ensure(state, "envoy")
    assert "crossfade down --all" in refused.value.way_out
    assert not state.lock.exists()


def test_one_that_let_go_of_its_lock_has_stopped_once_its_process_ended(tmp_path: Path) -> None:
    """Also where nobody collects it; one that is not to be seen from here is not waited for."""
    state = StateDirectory(tmp_path)
    assert controller._ended(controller._watched(state))
    with subprocess.Popen(["sleep", "60"]) as process:
        state.lock.write_text(f"{process.pid}\n")
        watched = controller._watched(state)
        assert watched is not None
        assert not controller._ended(watched)
        process.kill()
        assert controller._until(lambda: controller._ended(watched), 20)
        os.close(watched)
