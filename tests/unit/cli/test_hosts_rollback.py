"""Where a rollback over hosts goes, and what is said when it cannot."""

import pytest

from crossfade.cli.hosts.journey import said_of
from crossfade.cli.hosts.steer import destination
from crossfade.cli.hosts.where import Where
from crossfade.core.errors import CrossfadeError
from crossfade.core.hosts import HostPhase, HostsLedger, HostsRollout, HostStage
from crossfade.core.rollout import State

WHERE = Where(app="shop", environment="prod", hosts=("a", "b"), balancer=None, ssh={})


def deploy(number: int, state: State = State.SUCCEEDED, hosts: tuple[str, ...] = ("a", "b")) -> HostsRollout:
    return HostsRollout(
        id=number,
        hosts=tuple(HostStage(name=name, before={"web": number - 1}, after={"web": number}) for name in hosts),
        what=f"v{number}",
        version=f"v{number}",
        state=state,
    )


LEDGER = HostsLedger(rollouts=(deploy(1), deploy(2, State.ROLLED_BACK), deploy(3), deploy(4)))


@pytest.mark.parametrize(("to", "number"), [("previous", 3), ("1", 1), ("v1", 1)])
def test_a_release_is_found_by_its_number_and_its_version(to: str, number: int) -> None:
    assert destination(LEDGER, to, WHERE).id == number


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("2", "shop@prod has no good release 2"),
        ("v9", "shop@prod has no good release v9"),
        ("4", "release 4 is the one that runs"),
    ],
)
def test_what_is_no_way_back_is_said(to: str, said: str) -> None:
    with pytest.raises(CrossfadeError, match=said):
        destination(LEDGER, to, WHERE)


def test_a_host_that_came_later_has_no_way_back() -> None:
    ledger = HostsLedger(rollouts=(deploy(1, hosts=("a",)), deploy(2)))
    with pytest.raises(CrossfadeError, match="b never had release 1"):
        destination(ledger, "1", WHERE)


def test_the_first_release_has_nothing_before_it() -> None:
    with pytest.raises(CrossfadeError, match="no other good release to go back to"):
        destination(HostsLedger(rollouts=(deploy(1),)), "previous", WHERE)


def test_the_end_is_one_sentence() -> None:
    """What runs where now, and why."""
    assert said_of(deploy(1), WHERE) == "shop@prod runs release 1 (v1) on 2 hosts."
    back = HostsRollout(
        id=2,
        hosts=(HostStage(name="a", stage=HostPhase.BACK), HostStage(name="b")),
        what="",
        version="v2",
        state=State.ROLLED_BACK,
        reason="a: it is bad",
    )
    assert said_of(back, WHERE) == (
        "Release 2 (v2) was taken back: a: it is bad; all of them run what they ran before."
    )
    untouched = HostsRollout(
        id=2, hosts=(HostStage(name="a"),), what="", version="v2", state=State.ROLLED_BACK, reason="b does not answer"
    )
    assert said_of(untouched, WHERE) == "Release 2 (v2) was taken back: b does not answer; no host was touched."
