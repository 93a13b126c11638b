"""Who gets requests."""

from crossfade.core.routing import Routing, TargetGroup, weights_of

ROUTING = Routing(
    groups=(TargetGroup(release=1, registered=("a", "b"), draining=("c",)), TargetGroup(release=2, registered=("d",))),
    weights=((1, 100),),
    preview=2,
)


def test_weights_have_one_form() -> None:
    """However they come, weights ascend by release and zeros are left out, so that equal ones compare equal."""
    assert weights_of({2: 10, 1: 90, 3: 0}) == ((1, 90), (2, 10))


def test_only_groups_with_a_weight_serve() -> None:
    """A registered instance of a release without weight answers previews, not clients."""
    assert ROUTING.serving() == {"a", "b"}
    assert ROUTING.registered() == {"a", "b", "d"}
    assert ROUTING.draining() == {"c"}


def test_a_release_that_is_not_routed_weighs_nothing() -> None:
    """Weights can be asked for any release."""
    assert (ROUTING.weight(1), ROUTING.weight(2), ROUTING.weight(9)) == (100, 0, 0)


def test_a_warm_release_stands_in_for_the_one_that_has_the_traffic() -> None:
    """Not the other way round: nobody has let a release in preview have traffic yet."""
    warm = Routing(groups=ROUTING.groups, weights=((2, 100),), preview=2)
    assert [group.release for group in warm.stand_ins(2)] == [1]
    assert ROUTING.stand_ins(1) == ()
    assert ROUTING.stand_ins(2) == ()


def test_what_a_release_cannot_finish_any_more_the_next_one_answers() -> None:
    """It has no traffic, and its last instances drain: one that dies over a request leaves it to who serves now."""
    groups = (TargetGroup(release=1, draining=("a",)), TargetGroup(release=2, registered=("d",)))
    assert [g.release for g in Routing(groups=groups, weights=((2, 100),)).stand_ins(1)] == [2]
    warm = (TargetGroup(release=1, registered=("a",)), TargetGroup(release=2, registered=("d",)))
    assert Routing(groups=warm, weights=((2, 100),)).stand_ins(1) == ()


def test_releases_that_share_the_traffic_stand_in_for_each_other() -> None:
    """The newest first; a group without instances is nobody's help."""
    groups = (*ROUTING.groups, TargetGroup(release=3, registered=("e",)), TargetGroup(release=4))
    shared = Routing(groups=groups, weights=((1, 50), (3, 50)), preview=3)
    assert [group.release for group in shared.stand_ins(1)] == [3, 2]
    assert [group.release for group in shared.stand_ins(3)] == [2, 1]
