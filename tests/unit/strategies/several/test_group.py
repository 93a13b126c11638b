"""What a release group does next, as a table of how its members stand."""

import itertools

import pytest

from crossfade.core.actions import Finish
from crossfade.core.group import Group, Member
from crossfade.core.rollout import State
from crossfade.strategies.several.group import Abort, BeginMember, ReturnMember, Stand, Standing, TakeBack, next_of

API = Member(service="shop/api", source=1, target=2)
WEB = Member(service="shop/web", source=1, target=2, after=("shop/api",))
GROUP = Group(id=1, app="shop", members=(API, WEB))
GOING_BACK = Group(id=1, app="shop", members=(API, WEB), state=State.ROLLING_BACK, reason="shop/web: it is bad")


def standings(api: Stand, web: Stand) -> dict[str, Standing]:
    return {"shop/api": Standing(stand=api, why="it is bad"), "shop/web": Standing(stand=web, why="it is bad")}


@pytest.mark.parametrize(
    ("api", "web", "action"),
    [
        (Stand.WAITING, Stand.WAITING, BeginMember(member=API)),
        (Stand.MOVING, Stand.WAITING, None),
        (Stand.TURNED, Stand.WAITING, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
        (Stand.OUT, Stand.WAITING, BeginMember(member=WEB)),
        (Stand.OUT, Stand.MOVING, None),
        (Stand.OUT, Stand.OUT, Finish(state=State.SUCCEEDED, reason="all 2 services are out")),
        (Stand.LOST, Stand.WAITING, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
        (Stand.OUT, Stand.LOST, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
        (Stand.BACK, Stand.MOVING, TakeBack(reason="it is bad", ending=State.ROLLED_BACK)),
    ],
)
def test_on_the_way_out(api: Stand, web: Stand, action: object) -> None:
    """Each after what it depends on; the first that will be lost turns all of it."""
    assert next_of(GROUP, standings(api, web), 8) == (() if action is None else (action,))


@pytest.mark.parametrize(
    ("api", "web", "action"),
    [
        (Stand.OUT, Stand.LOST, ReturnMember(member=API)),
        (Stand.OUT, Stand.MOVING, Abort(member=WEB)),
        (Stand.OUT, Stand.TURNED, Abort(member=WEB)),
        (Stand.OUT, Stand.OUT, ReturnMember(member=WEB)),
        (Stand.OUT, Stand.LEAVING, None),
        (Stand.OUT, Stand.BACK, ReturnMember(member=API)),
        (Stand.LEAVING, Stand.BACK, None),
        (Stand.BACK, Stand.LOST, Finish(state=State.ROLLED_BACK, reason="shop/web: it is bad")),
        (Stand.WAITING, Stand.WAITING, Finish(state=State.ROLLED_BACK, reason="shop/web: it is bad")),
        (Stand.STUCK, Stand.LOST, Finish(state=State.FAILED, reason="shop/web: it is bad; and it is bad")),
    ],
)
def test_on_the_way_back(api: Stand, web: Stand, action: object) -> None:
    """None before those that come after it; it is over when nobody is out or on the way."""
    assert next_of(GOING_BACK, standings(api, web), 8) == (() if action is None else (action,))


CROWD = tuple(Member(service=f"shop/s{n}", source=1, target=2) for n in range(5))


def of(*stands: Stand) -> dict[str, Standing]:
    return {member.service: Standing(stand=stand) for member, stand in zip(CROWD, stands, strict=True)}


def test_members_that_do_not_depend_on_each_other_go_out_together() -> None:
    """As many at a time as the platform bears; the next begins when one of them is out."""
    group = Group(id=1, app="shop", members=CROWD)
    waiting, moving, out = Stand.WAITING, Stand.MOVING, Stand.OUT
    first, second, third, *_ = (BeginMember(member=member) for member in CROWD)
    assert next_of(group, of(waiting, waiting, waiting, waiting, waiting), 2) == (first, second)
    assert next_of(group, of(moving, moving, waiting, waiting, waiting), 2) == ()
    assert next_of(group, of(moving, out, waiting, waiting, waiting), 2) == (third,)


def test_members_go_back_together() -> None:
    """Those under way at once, for they went out as many; those that are out as many at a time as went out."""
    group = Group(id=1, app="shop", members=CROWD, state=State.ROLLING_BACK, reason="s0 is bad")
    moving, out, leaving, lost, back = Stand.MOVING, Stand.OUT, Stand.LEAVING, Stand.LOST, Stand.BACK
    _, one, two, three, _ = CROWD
    assert next_of(group, of(lost, moving, moving, moving, out), 2) == (
        Abort(member=three),
        Abort(member=two),
        Abort(member=one),
    )
    assert next_of(group, of(lost, out, out, out, lost), 2) == (ReturnMember(member=three), ReturnMember(member=two))
    assert next_of(group, of(lost, out, leaving, leaving, lost), 2) == ()
    assert next_of(group, of(lost, out, leaving, back, lost), 2) == (ReturnMember(member=one),)


def test_a_member_that_a_person_aborted_aborts_the_group() -> None:
    """Nobody's release is called bad for it."""
    stands = {
        "shop/api": Standing(stand=Stand.LOST, why="wrong branch", aborted=True),
        "shop/web": Standing(stand=Stand.WAITING),
    }
    assert next_of(GROUP, stands, 8) == (TakeBack(reason="wrong branch", ending=State.ABORTED),)


def test_something_always_follows() -> None:
    """In every state there is an action, unless a member moves or goes back, which ends by itself; over is over."""
    for group, (api, web) in itertools.product((GROUP, GOING_BACK), itertools.product(Stand, repeat=2)):
        waits = {Stand.MOVING, Stand.LEAVING} & {api, web}
        assert waits or next_of(group, standings(api, web), 1), (group.state, api, web)
    over = Group(id=1, app="shop", members=(API, WEB), state=State.SUCCEEDED)
    assert next_of(over, standings(Stand.OUT, Stand.LOST), 8) == ()
