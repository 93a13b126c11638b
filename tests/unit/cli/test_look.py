"""A service in the words of `status`."""

from typing import Any

import pytest

from crossfade.cli.look.look import described


def found(release: int | None, *weights: float) -> dict[str, Any]:
    instance = {"state": "healthy", "release": 1, "address": "127.0.0.1:1", "in_flight": 0, "streams": 0, "detail": ""}
    return {
        "app": "shop",
        "name": "web",
        "release": release,
        "version": "v1" if release else None,
        "replicas": len(weights),
        "instances": [{**instance, "id": f"web-{n}", "weight": weight} for n, weight in enumerate(weights)],
        "rollout": None,
        "warm": {},
        "locked": None,
        "trouble": None,
    }


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (found(1, 50, 50), "shop/web: release 1 (v1), 2 of 2 instances serving"),
        (found(None), "shop/web: no release serves"),
        (found(None, 0), "shop/web: no release serves"),
        (found(None, 100), "shop/web: its first release has 1 instance serving"),
    ],
)
def test_the_first_line_says_what_serves(service: dict[str, Any], said: str) -> None:
    """Before a first release is good there is none to be named."""
    assert described(service).splitlines()[0] == said


def test_a_worker_is_at_work_and_has_no_traffic() -> None:
    """Where there is nothing to count a dash stands, not a 0."""
    worker = {**found(1, 0, 0), "kind": "worker"}
    nothing = {"address": None, "weight": None, "in_flight": None, "streams": None}
    worker["instances"] = [{**one, **nothing} for one in worker["instances"]]
    first, _, row, *_ = described(worker).splitlines()
    assert first == "shop/web: release 1 (v1), 2 of 2 instances at work"
    assert row.split() == ["web-0", "1", "healthy", "-", "-", "-"]
