"""What a log shows of a rollout beside its events: what it waits for, however much else happens."""

import queue
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from crossfade.cli.call import Call
from crossfade.cli.ship.follow import Followed, _Listener, _next
from crossfade.cli.ship.screens import LogScreen

_WEB = {"app": "shop", "name": "web", "trouble": None}


def _state(*waits: str) -> dict[str, Any]:
    rollout = {"step": 1, "steps": ["0 %"], "state": "running", "waiting_for": waits, "traffic": None}
    return {**_WEB, "rollout": rollout}


def _shown(waits: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of a log that says something else each second, and is given one of these waits each second."""
    now = 0.0
    screen = LogScreen(lambda: now)
    for wait in waits:
        now += 1.0
        screen.say("a job is done")
        screen.state(_state(wait))
    return [line for line in capsys.readouterr().out.splitlines() if "a job is done" not in line]


def test_a_wait_is_said_once_within_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Though a line comes each second, and its seconds count down."""
    lines = _shown([f"1 draining, at most {seconds} s more" for seconds in range(20, 0, -1)], capsys)
    assert lines == ["   4.0 s  step 1 of 1, 0 %: 1 draining, at most 17 s more"]


def test_a_short_wait_and_a_bake_are_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The first is usual, and of the second an event tells how long it is."""
    assert not _shown(["moving traffic", "1 draining, at most 9 s more"] * 5, capsys)
    assert not _shown([f"baking, {seconds} s left" for seconds in range(20, 0, -1)], capsys)


def test_events_do_not_hide_the_state() -> None:
    """A screen gets it as often as it wants, also where the next event is always there."""
    states: list[Mapping[str, Any]] = []
    client = SimpleNamespace(get=lambda _, **__: {"services": [_state("1 draining, at most 9 s more")]})
    call = cast("Call", SimpleNamespace(carries=False, client=lambda: client))
    listener = cast("_Listener", SimpleNamespace(heard=queue.Queue(), looked=float("-inf")))

    class Kept(LogScreen):
        def state(self, service: Mapping[str, Any]) -> None:
            states.append(service)

    followed = Followed(app="shop", services=("web",), events={}, result="", query={}, rollout=1)
    listener.heard.put({"seq": 1})
    assert _next(call, listener, followed, Kept()) == {"seq": 1}
    assert [state["name"] for state in states] == ["web"]
