"""What a release on its way over hosts does next, as a table of how the hosts stand."""

import itertools

import pytest

from crossfade.core.actions import Finish
from crossfade.core.hosts import HostPhase, HostsRollout, HostStage
from crossfade.core.rollout import State
from crossfade.strategies.several.hosts import Bring, GoBack, Leave, ReturnHost, next_over_hosts

ALL = ("a", "b", "c")
W, B, D, F, K, L = HostPhase.WAITING, HostPhase.BEGUN, HostPhase.DONE, HostPhase.FAILED, HostPhase.BACK, HostPhase.LOST


def journey(
    *stages: HostPhase, reason: str = "", release: int | None = 1, state: State = State.RUNNING
) -> HostsRollout:
    hosts = tuple(
        HostStage(name=name, stage=stage, before={"web": release}, after={"web": 2}, why="it is bad")
        for name, stage in zip(ALL, stages, strict=False)
    )
    return HostsRollout(id=1, hosts=hosts, what="x", reason=reason, state=state)


@pytest.mark.parametrize(
    ("stages", "action"),
    [
        ((W, W, W), Bring(host="a")),
        ((B, W, W), Bring(host="a")),
        ((D, W, W), Bring(host="b")),
        ((D, B, W), Bring(host="b")),
        ((D, D, D), Finish(state=State.SUCCEEDED, reason="")),
        ((D, F, W), GoBack(reason="it is bad")),
        ((D, L, W), GoBack(reason="it is bad")),
    ],
)
def test_going_on_it_takes_one_host_after_the_other(stages: tuple[HostPhase, ...], action: object) -> None:
    """The first that has not got it is next, and the first that fails ends it."""
    assert next_over_hosts(journey(*stages), ALL) == action


@pytest.mark.parametrize(
    ("stages", "action"),
    [
        ((D, F, W), ReturnHost(host="b")),
        ((D, K, W), ReturnHost(host="a")),
        ((D, L, W), ReturnHost(host="a")),
        ((K, L, W), Leave(hosts=("b",))),
        ((K, K, W), Finish(state=State.ROLLED_BACK, reason="it is bad")),
        ((W, W, W), Finish(state=State.ROLLED_BACK, reason="it is bad")),
    ],
)
def test_going_back_it_takes_the_last_one_first(stages: tuple[HostPhase, ...], action: object) -> None:
    """Hosts that were not touched stay so; one that cannot be told keeps nobody else from going back."""
    going_back = journey(*stages, reason="it is bad", state=State.ROLLING_BACK)
    assert next_over_hosts(going_back, ALL) == action


def test_the_last_host_that_serves_is_not_touched() -> None:
    """Where there are more hosts, another one has to answer."""
    found = next_over_hosts(journey(W, W, W), {"a"})
    assert found == GoBack(reason="a would be the last host that serves: b, c do not answer")
    assert next_over_hosts(journey(W, W, W), {"c"}) == Bring(host="a")


def test_one_host_alone_may_change() -> None:
    """Its own balancer makes the change without a gap."""
    assert next_over_hosts(journey(W), set()) == Bring(host="a")


def test_a_first_release_asks_nobody_to_serve() -> None:
    """Hosts on which nothing runs yet have nothing to answer with, until one has the release."""
    assert next_over_hosts(journey(W, W, release=None), set()) == Bring(host="a")
    alone = next_over_hosts(journey(D, W, release=None), set())
    assert alone == GoBack(reason="b would be the last host that serves: a does not answer")


def test_an_ended_journey_does_nothing() -> None:
    """Nothing is left to decide."""
    assert next_over_hosts(journey(D, D, D, state=State.SUCCEEDED), ALL) is None


def test_there_is_always_a_next_action_until_the_end() -> None:
    """Every combination of stages leads somewhere, in both directions, and never to a host that was not touched."""
    for stages in itertools.product(HostPhase, repeat=3):
        assert next_over_hosts(journey(*stages), ALL) is not None
        back = next_over_hosts(journey(*stages, reason="it is bad", state=State.ROLLING_BACK), ALL)
        assert not isinstance(back, ReturnHost) or stages[ALL.index(back.host)] in {B, D, F}
