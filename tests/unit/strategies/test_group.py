"""What a release group does next, as a table of how its members stand."""

import itertools

import pytest

from crossfade.core.group import Group, Member
from crossfade.core.rollout import State
from crossfade.strategies.group import Abort, Begin, Finish, Return, Stand, Standing, TakeBack, next_of

API = Member(service="shop/api", source=1, target=2)
WEB = Member(service="shop/web", source=1, target=2, after=("shop/api",))
GROUP = Group(id=1, app="shop", members=(API, WEB))
GOING_BACK = Group(id=1, app="shop", members=(API, WEB), state=State.ROLLING_BACK, reason="shop/web: it is bad")


def standings(api: Stand, web: Stand) -> dict[str, Standing]:
    return {"shop/api": Standing(stand=api, why="it is bad"), "shop/web": Standing(stand=web, why="it is bad")}


@pytest.mark.parametrize(
    ("api", "web", "action"),
    [
        (Stand.WAITING, Stand.WAITING, Begin(member=API)),
        (Stand.MOVING, Stand.WAITING, None),
        (Stand.OUT, Stand.WAITING, Begin(member=WEB)),
        (Stand.OUT, Stand.MOVING, None),
        (Stand.OUT, Stand.OUT, Finish(state=State.SUCCEEDED, reason="all 2 services are out")),
        (Stand.LOST, Stand.WAITING, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
        (Stand.OUT, Stand.LOST, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
        (Stand.BACK, Stand.MOVING, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
    ],
)
def test_on_the_way_out(api: Stand, web: Stand, action: object) -> None:
    """One after the other, each after what it depends on; the first that is lost turns all of it."""
    assert next_of(GROUP, standings(api, web)) == action


@pytest.mark.parametrize(
    ("api", "web", "action"),
    [
        (Stand.OUT, Stand.LOST, Return(member=API)),
        (Stand.OUT, Stand.MOVING, Abort(member=WEB)),
        (Stand.OUT, Stand.OUT, Return(member=WEB)),
        (Stand.OUT, Stand.LEAVING, None),
        (Stand.OUT, Stand.BACK, Return(member=API)),
        (Stand.LEAVING, Stand.BACK, None),
        (Stand.BACK, Stand.LOST, Finish(state=State.ROLLED_BACK, reason="shop/web: it is bad")),
        (Stand.WAITING, Stand.WAITING, Finish(state=State.ROLLED_BACK, reason="shop/web: it is bad")),
        (Stand.STUCK, Stand.LOST, Finish(state=State.FAILED, reason="shop/web: it is bad; and it is bad")),
    ],
)
def test_on_the_way_back(api: Stand, web: Stand, action: object) -> None:
    """The last one first; it is over when nobody is out or on the way."""
    assert next_of(GOING_BACK, standings(api, web)) == action


def test_a_member_that_a_person_aborted_aborts_the_group() -> None:
    """Nobody's release is called bad for it."""
    stands = {
        "shop/api": Standing(stand=Stand.LOST, why="wrong branch", aborted=True),
        "shop/web": Standing(stand=Stand.WAITING),
    }
    assert next_of(GROUP, stands) == TakeBack(reason="wrong branch", ending=State.ABORTED)


def test_something_always_follows() -> None:
    """In every state there is an action, unless a member moves or goes back, which ends by itself; over is over."""
    for group, (api, web) in itertools.product((GROUP, GOING_BACK), itertools.product(Stand, repeat=2)):
        waits = {Stand.MOVING, Stand.LEAVING} & {api, web}
        assert waits or next_of(group, standings(api, web)) is not None, (group.state, api, web)
    over = Group(id=1, app="shop", members=(API, WEB), state=State.SUCCEEDED)
    assert next_of(over, standings(Stand.OUT, Stand.LOST)) is None
