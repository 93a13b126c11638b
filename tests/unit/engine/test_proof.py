"""The proof: what a rollout's window adds up to."""

from typing import Any

from crossfade.core.counters import Counters
from crossfade.core.wire import encode
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event
from crossfade.engine.proof import ProofWindow, reopen


def counted(requests: int, errors: int = 0, **causes: int) -> Traffic:
    latency = ((10.0, requests // 2), (20.0, requests))
    return Traffic(
        total=Counters(requests=requests, errors=errors, latency=latency), failed=tuple(sorted(causes.items()))
    )


def routed(drained: int, ms: float, *, switched: bool = True) -> Event:
    return Event(
        kind="routed", service="shop/web", rollout=1, data={"drained": drained, "ms": ms, "switched": switched}
    )


def stopped(instance: str, in_flight: int, streams: int) -> Event:
    data: dict[str, Any] = {"action": {"do": "Stop", "instance": instance}, "in_flight": in_flight, "streams": streams}
    return Event(kind="intent", service="shop/web", rollout=1, data=data)


def test_a_window_counts_only_what_came_after_it_opened() -> None:
    """Requests and failures before the rollout are not in its proof."""
    window = ProofWindow(counted(100, 5, refused=5))
    window.add(counted(150, 7, refused=6, reset=1))
    proof = window.proof()
    assert (proof.requests, proof.failed, proof.causes) == (50, 2, {"refused": 1, "reset": 1})


def test_totals_that_go_back_are_an_older_reading() -> None:
    """Of 160 then 158 then 165 since 100, 65 are counted, and not 60 and 158; the same of one failure seen twice."""
    window = ProofWindow(counted(100))
    for seen in (
        counted(160, 2, reset=2),
        counted(158, 1, reset=1),
        counted(160, 1, reset=1),
        counted(165, 2, reset=2),
    ):
        window.add(seen)
    proof = window.proof()
    assert (proof.requests, proof.failed, proof.causes, proof.uncounted) == (65, 2, {"reset": 2}, [])


def test_what_is_counted_anew_is_said_to_be_uncounted() -> None:
    """Totals that stay below what was read before do not say what came since."""
    window = ProofWindow(counted(100))
    window.add(counted(160))
    window.add(counted(30))
    assert (window.proof().requests, window.proof().uncounted) == (60, ["failed", "requests"])


def test_a_stop_that_is_begun_twice_is_counted_once() -> None:
    """A stop that a dead controller began and the next one begins again closes its streams once, also those that are
    closed by then; what ended by then was not cut.
    """
    window = ProofWindow(Traffic())
    window.note(stopped("a", 1, 4))
    window.note(stopped("a", 0, 3))
    window.note(stopped("b", 0, 2))
    assert (window.proof().cut, window.proof().streams_closed) == (0, 6)


def test_the_switch_is_the_last_change_of_weights() -> None:
    """A routing that only lets an instance go is no switch."""
    window = ProofWindow(Traffic())
    for event in (routed(3, 1.5), routed(2, 2.5), routed(0, 9.0, switched=False)):
        window.note(event)
    assert (window.proof().switch_ms, window.proof().drained) == (2.5, 5)


def test_a_window_is_reopened_from_the_journal() -> None:
    """The next controller's proof holds what happened before the first one died."""
    start = Event(kind="rollout started", service="shop/web", rollout=1, data={"traffic": encode(counted(100))})
    after = Event(kind="intent", service="shop/web", data=stopped("a", 1, 4).data)  # the rollout was over by then
    window = reopen([start, routed(3, 1.5), after])
    window.add(counted(250))
    proof = window.proof()
    assert (proof.requests, proof.drained, proof.switch_ms, proof.cut) == (150, 3, 1.5, 1)


def test_what_a_balancer_never_tells_is_said() -> None:
    """Its nought is no count."""
    window = ProofWindow(Traffic())
    window.add(Traffic(uncounted=("retried",)))
    assert window.proof().uncounted == ["retried"]
