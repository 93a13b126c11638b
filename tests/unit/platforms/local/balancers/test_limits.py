"""What Envoy may open, counted before it is met."""

import resource
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.service import Listener, Service
from crossfade.platforms.local.balancers.envoy import limits


def test_clients_hold_at_most_half_of_what_envoy_may_open() -> None:
    """Each of their connections may need one to an instance."""
    assert 0 < 2 * limits.connections() < limits.files() <= resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_ports_that_leave_no_files_for_connections_are_refused() -> None:
    """By the limit that has to be raised."""
    limits.require_files(1)
    with pytest.raises(RefusedError, match="100,000 ports do not fit on this machine") as refused:
        limits.require_files(100_000)
    assert "ulimit -Hn" in refused.value.way_out


def test_ports_of_a_deploy_are_counted_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that it opens beside what is open; who opens none is no matter, however many there are by now."""

    def web(port: int) -> Service:
        return Service(app="shop", name=f"web{port}", listener=Listener(http=port))

    monkeypatch.setattr(limits, "files", lambda: 1024)
    fit = (1024 - 256) // 4 // limits.workers()
    limits.require_doors([web(port) for port in range(fit)], [])
    limits.require_doors([web(1), web(1)], [web(port) for port in range(2 * fit)])
    with pytest.raises(RefusedError, match=f"{fit + 1} ports do not fit on this machine: .* of the 1,024 files"):
        limits.require_doors([web(1), web(2), web(3)], [web(port) for port in range(4, fit + 2)])


def test_shared_memory_that_is_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy would be ended by SIGBUS in the middle of its start, and say so in a trace."""
    limits.require_shared_memory()
    monkeypatch.setattr(limits, "SHARED", Path("/proc"))  # a file system with no room
    with pytest.raises(PlatformError, match="/proc is full: Envoy needs 64 KB of it, and 0 KB are free"):
        limits.require_shared_memory()
    monkeypatch.setattr(limits, "SHARED", tmp_path / "none")
    limits.require_shared_memory()
