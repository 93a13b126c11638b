"""What is decided next for a rollout, moment by moment."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.strategies.fleets import NEW, NOW, OLD, exits, fleet, rollout, some

from crossfade.core.actions import (
    Action,
    Advance,
    AwaitApproval,
    AwaitHealthy,
    Bake,
    Finish,
    Hold,
    Launch,
    Probe,
    RollBack,
    RunHook,
    Shift,
    StartBake,
    Stop,
)
from crossfade.core.counters import Counters
from crossfade.core.fleet import Exit, Fleet, Health
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.routing import TargetGroup
from crossfade.core.service import StrategyName
from crossfade.strategies.decide import decide


def beside(weights: dict[int, int], new: int = 2, old: int = 2, **traits: Any) -> Fleet:
    """Both releases healthy beside each other."""
    return fleet(some(OLD, old), some(NEW, new), weights=weights, preview=NEW, **traits)


def kinds(actions: tuple[Action, ...]) -> list[type]:
    return [type(action) for action in actions]


def back(**traits: Any) -> Rollout:
    return replace(rollout(), state=State.ROLLING_BACK, reason="release 2 is bad", **traits)


@pytest.mark.parametrize("state", [state for state in State if state.terminal])
def test_what_is_over_is_left_alone(state: State) -> None:
    """Nothing is decided for a rollout that ended."""
    assert decide(replace(rollout(), state=state), beside({OLD: 100}), NOW) == ()


def test_new_capacity_comes_first() -> None:
    """All new instances are launched beside the old fleet, which goes on as it was."""
    assert decide(rollout(), fleet(some(OLD, 2), weights={OLD: 100}), NOW) == (Launch(release=NEW, count=2),)


def test_a_reached_step_bakes_and_then_goes_on() -> None:
    """With the capacity there and nothing to bake, the first step leads straight to the second."""
    ready = beside({OLD: 100})
    assert decide(rollout(), ready, NOW) == (StartBake(step=0),)
    assert decide(rollout(holding_since=NOW), ready, NOW) == (Advance(step=1),)


def test_the_switch_is_one_routing() -> None:
    """In the second step of blue-green all traffic moves at once; the old instances stay registered."""
    (shift,) = decide(rollout(step=1), beside({OLD: 100}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((NEW, 100),)
    assert shift.routing.registered() == {"1-0", "1-1", "2-0", "2-1"}


def test_a_bake_is_watched_to_its_end() -> None:
    """30 s of bake are 30 s; a good verdict then ends the last step."""
    plan = rollout(step=1, bake=30.0, holding_since=NOW)
    seen = beside({NEW: 100}, counters={NEW: Counters(requests=500)})
    assert decide(plan, seen, NOW + 29.9) == (Bake(step=1, until=NOW + 30.0),)
    assert decide(plan, seen, NOW + 30.0) == (Finish(state=State.SUCCEEDED, reason="release 2 has all traffic"),)


def test_a_release_that_another_one_stands_in_for_is_not_judged_good() -> None:
    """What the old one answers meanwhile counts for itself alone, be the new one's ends held against it or not."""
    plan = rollout(step=1, bake=30.0, holding_since=NOW, unhealthy=0, crash_loop=0, min_requests=20)
    answered = {OLD: Counters(requests=500), NEW: Counters(requests=3)}
    for state in (Health.EXITED, Health.UNHEALTHY, Health.STARTING):
        new = some(NEW, 2, state, launched_at=NOW)
        seen = fleet(some(OLD, 2), new, weights={OLD: 100}, preview=NEW, counters=answered)
        assert not {Finish, Advance} & {*kinds(decide(plan, seen, NOW + 30.0))}, state
    assert Finish not in kinds(decide(plan, beside({NEW: 100}, counters=answered), NOW + 30.0))


def test_a_bad_verdict_ends_a_bake_at_once() -> None:
    """Nobody waits for the bake's end when the new release fails its clients."""
    plan = rollout(step=1, bake=30.0, holding_since=NOW)
    seen = beside({NEW: 100}, counters={NEW: Counters(requests=100, errors=50)})
    assert decide(plan, seen, NOW + 1) == (
        RollBack(reason="release 2 failed 50 of 100 requests (50.0%, allowed 5.0%)"),
    )


def test_a_promotion_cuts_a_bake_short() -> None:
    """A person's word for this step ends its bake and stands for its verdict; one for an earlier step does not."""
    plan = rollout("canary", steps=(10, 100), step=1, bake=300.0, holding_since=NOW)
    seen = beside({OLD: 90, NEW: 10})
    assert decide(replace(plan, approved=1), seen, NOW + 1) == (Advance(step=2),)
    assert decide(replace(plan, approved=0), seen, NOW + 1) == (Bake(step=1, until=NOW + 300.0),)


def test_a_promotion_does_not_go_on_with_too_few() -> None:
    """Also after a promotion the step goes on only when its instances are there."""
    plan = rollout("canary", steps=(10, 100), step=1, holding_since=NOW, approved=1)
    assert Advance(step=2) not in decide(plan, beside({OLD: 90, NEW: 10}, new=1), NOW + 1)


def test_an_approval_is_asked_for_after_the_bake() -> None:
    """At 10 % a person is asked, and told how to answer."""
    plan = rollout("canary", steps=(10, 100), approve=(10,), step=1, bake=30.0, holding_since=NOW)
    seen = beside({OLD: 90, NEW: 10}, counters={NEW: Counters(requests=50)})
    assert kinds(decide(plan, seen, NOW + 5)) == [Bake]
    (asked,) = decide(plan, seen, NOW + 30)
    assert asked == AwaitApproval(step=1, why="step 10 % is done and asks for `crossfade promote`")
    assert decide(replace(plan, approved=1), seen, NOW + 30) == (Advance(step=2),)


@pytest.mark.parametrize(
    ("inconclusive", "expected"),
    [
        ("probe", Probe(release=NEW, count=17)),
        ("hold", Hold(why="only 3 of the 20 requests a verdict needs came", until=NOW + 630.0)),
        (
            "ask",
            AwaitApproval(
                step=1,
                why="only 3 of the 20 requests a verdict needs came: `crossfade promote` or `crossfade abort`",
            ),
        ),
    ],
)
def test_too_few_requests_are_never_a_silent_pass(inconclusive: str, expected: Action) -> None:
    """After the bake the missing requests are sent, waited for, or a person is asked, as configured."""
    plan = rollout(step=1, bake=30.0, holding_since=NOW, inconclusive=inconclusive)
    seen = beside({NEW: 100}, counters={NEW: Counters(requests=3)})
    assert decide(plan, seen, NOW + 30.0) == (expected,)


def test_without_a_verdict_it_is_taken_back_in_the_end() -> None:
    """Holding for a verdict ends with the timeout; nobody asked, and that is no fault of the release's."""
    plan = rollout(step=1, bake=30.0, holding_since=NOW, inconclusive="hold")
    assert decide(plan, beside({NEW: 100}), NOW + 630.0) == (
        RollBack(
            reason="no verdict within 600 s after the bake: only 0 of the 20 requests a verdict needs came",
            blame=False,
            inconclusive=True,
        ),
    )


def test_nothing_can_be_judged_by_no_instances() -> None:
    """A service of 0 replicas is deployed without a verdict."""
    plan = rollout(replicas=0, step=1, bake=30.0, holding_since=NOW)
    assert kinds(decide(plan, fleet(), NOW + 30.0)) == [Finish]


def test_a_release_that_does_not_come_in_time_is_taken_back() -> None:
    """Who is missing, how long it was waited, and what the first of them said."""
    starting = some(NEW, 1, Health.STARTING, first=1, detail="connection refused")
    seen = fleet(some(OLD, 2), some(NEW, 1), starting, weights={OLD: 100}, preview=NEW)
    assert RollBack not in kinds(decide(rollout(), seen, NOW + 599.9))
    assert decide(rollout(), seen, NOW + 600.0) == (
        RollBack(reason="1 of 2 instances of release 2 became healthy within 600 s: 2-1 connection refused"),
    )


def test_what_was_just_replaced_says_why_where_its_successor_cannot_yet() -> None:
    """A platform that replaces what fails has a new instance there, which has nothing to say, when the time is up."""
    starting = some(NEW, 1, Health.STARTING, first=1)
    ended = Exit(instance="2-9", release=NEW, at=NOW + 1.0, was_healthy=False, detail="exited with 1: no database")
    seen = replace(fleet(some(OLD, 2), some(NEW, 1), starting, weights={OLD: 100}, preview=NEW), exits=(ended,))
    (back,) = decide(rollout(), seen, NOW + 600.0)
    assert isinstance(back, RollBack)
    assert back.reason.endswith("within 600 s: 2-9 exited with 1: no database")
    assert back.blame


@pytest.mark.parametrize(
    ("launched_at", "own", "blame"),
    [
        (NOW + 300.0, False, False),  # what the platform began late had less than its time
        (NOW, False, True),
        (NOW + 300.0, True, True),  # one that was there ended by itself
    ],
)
def test_trouble_of_the_platform_beside_a_bad_release_does_not_clear_it(
    launched_at: float, own: bool, blame: bool
) -> None:
    """A call that failed, or an exit that nobody saw, is no reason for an instance that had all its time."""
    ended = [Exit(instance="the platform", release=NEW, at=NOW, was_healthy=False, detail="is busy", blamed=False)]
    if own:
        ended.insert(0, replace(ended[0], instance="2-9", detail="exited with 1", blamed=True))
    starting = some(NEW, 2, Health.STARTING, launched_at=launched_at)
    (back,) = decide(rollout(), fleet(some(OLD, 2), starting, weights={OLD: 100}, exits=ended), NOW + 600.0)
    assert isinstance(back, RollBack)
    assert back.blame is blame
    said = {(False, False): "the platform is busy", (False, True): "", (True, True): "2-9 exited with 1"}
    assert back.reason.partition("600 s")[2].removeprefix(": ") == said[own, blame]


@pytest.mark.parametrize(("began", "blame"), [(0, False), (1, True), (2, True)])
def test_a_release_of_which_nothing_was_begun_is_not_to_blame(began: int, blame: bool) -> None:
    """The platform had all its time, and no agent of its took the release; where one did, it is as with all others."""
    waits = some(NEW, 2 - began, Health.STARTING, launched_at=NOW, blamed=False, detail="waits for its agent")
    starts = some(NEW, began, Health.STARTING, launched_at=NOW, first=2)
    (back,) = decide(rollout(), fleet(some(OLD, 2), waits, starts, weights={OLD: 100}), NOW + 600.0)
    assert isinstance(back, RollBack)
    assert back.blame is blame
    assert began == 2 or back.reason.endswith("within 600 s: 2-0 waits for its agent")


def test_a_controller_that_was_away_goes_on_with_what_is_ready() -> None:
    """An hour past the timeout, with all instances there, the step is reached and not late."""
    assert decide(rollout(), beside({OLD: 100}), NOW + 3600.0) == (StartBake(step=0),)


def test_who_warms_up_is_not_late() -> None:
    """A controller that has just come counts the warmup anew: no release is taken back for that, and none moves on."""
    plan = rollout("rolling", warmup=300.0)
    late = NOW + 5000.0
    warming = fleet(some(OLD, 2), some(NEW, 2, healthy_since=late), weights={OLD: 2, NEW: 2}, preview=NEW)
    assert decide(plan, warming, late) == (AwaitHealthy(release=NEW, ready=0, wanted=2, until=NOW + 930.0),)
    one = fleet(some(OLD, 2), some(NEW, 1), some(NEW, 1, Health.STARTING, first=1), weights={OLD: 2, NEW: 1})
    (back,) = decide(plan, one, late)
    assert isinstance(back, RollBack)
    assert back.reason == "1 of 2 instances of release 2 became healthy within 930 s"


def test_each_batch_of_a_rolling_update_has_its_own_time() -> None:
    """4 with a floor of 3 and a ceiling of 4 go one by one: 4 batches of 600 s, 300 s warmup and 30 s of draining."""
    plan = rollout("rolling", replicas=4, min_healthy=75, max_surge=0, warmup=300.0)
    seen = fleet(some(OLD, 3), some(NEW, 1, Health.STARTING), weights={OLD: 3})
    assert RollBack not in kinds(decide(plan, seen, NOW + 4 * 930.0 - 1))
    assert kinds(decide(plan, seen, NOW + 4 * 930.0)) == [RollBack]


def test_what_got_lost_while_a_step_held_has_the_time_to_come_back() -> None:
    """A step that waits for a person may lose an instance; after the timeout without it the release goes back."""
    plan = rollout("canary", steps=(10, 100), step=1, holding_since=NOW, approve=(10,), unhealthy=5)
    late = NOW + 50_000.0
    gone = beside({OLD: 90, NEW: 10}, new=1, exits=exits(NEW, late - 599.0, was_healthy=True))
    starts = replace(gone, instances=(*gone.instances, *some(NEW, 1, Health.STARTING, first=1)))
    assert decide(plan, gone, late) == (Launch(release=NEW, count=1),)
    assert decide(plan, starts, late) == (AwaitHealthy(release=NEW, ready=1, wanted=2, until=late + 1.0),)
    assert kinds(decide(plan, gone, late + 1)) == [RollBack]


def test_the_migration_comes_before_anything_new() -> None:
    """While it runs the old fleet is mended, nothing of the new release is launched, and the step's time stands."""
    plan = rollout(hooks=(Hook.MIGRATE, Hook.SMOKE))
    hook = RunHook(hook=Hook.MIGRATE, release=NEW)
    assert decide(plan, fleet(some(OLD, 2), weights={OLD: 100}), NOW + 5000.0) == (hook,)
    assert decide(plan, fleet(some(OLD, 1), weights={OLD: 100}), NOW) == (Launch(release=OLD, count=1), hook)


def test_the_smoke_hook_guards_the_first_client() -> None:
    """Blue-green runs it when all are ready and only the preview reaches them."""
    plan = rollout(hooks=(Hook.SMOKE,))
    assert decide(plan, beside({OLD: 100}), NOW) == (RunHook(hook=Hook.SMOKE, release=NEW),)


def test_rolling_smokes_its_first_batch() -> None:
    """The first batch is up and no client reaches it: smoke now, as no old one may go before; not while one starts."""
    plan = rollout("rolling", replicas=4, max_surge=25, hooks=(Hook.SMOKE,))
    up = fleet(some(OLD, 4), some(NEW, 1), weights={OLD: 4}, preview=NEW)
    assert decide(plan, up, NOW) == (RunHook(hook=Hook.SMOKE, release=NEW),)
    plan = rollout("rolling", replicas=4, max_surge=50, hooks=(Hook.SMOKE,))
    starting = fleet(some(OLD, 4), some(NEW, 1), some(NEW, 1, Health.STARTING, first=1), weights={OLD: 4}, preview=NEW)
    assert RunHook not in kinds(decide(plan, starting, NOW))


def test_a_paused_rollout_keeps_what_it_has() -> None:
    """Nothing is launched, no share moves, no time runs out; a broken old instance is mended even so."""
    plan = rollout("canary", steps=(10, 100), step=1, paused=True)
    hold = (Hold(why="paused: `crossfade resume` goes on"),)
    assert decide(plan, beside({OLD: 100}), NOW + 9999.0) == hold
    assert decide(replace(plan, step=0), fleet(some(OLD, 2), weights={OLD: 100}), NOW + 9999.0) == hold
    assert decide(plan, beside({OLD: 100}, old=1), NOW) == (Launch(release=OLD, count=1),)


def test_a_pause_half_way_through_rolling_mends_with_the_old() -> None:
    """Of 4, one is new and one died: while it is paused the old release makes up the number."""
    plan = rollout("rolling", replicas=4, max_surge=25, paused=True)
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 2, NEW: 1}, preview=NEW)
    assert decide(plan, seen, NOW) == (Launch(release=OLD, count=1),)


def test_a_bad_release_is_taken_back_out_of_a_pause() -> None:
    """A pause stops what we do, not what we see."""
    plan = rollout(paused=True)
    assert kinds(decide(plan, beside({OLD: 100}, exits=exits(NEW, NOW, was_healthy=True)), NOW)) == [RollBack]


def test_nobody_wants_more_of_what_is_rolled_back() -> None:
    """A rollback launches its target only, even when the release it leaves has lost an instance."""
    plan = rollout("rollback")
    assert decide(plan, fleet(some(OLD, 1), weights={OLD: 100}), NOW) == (Launch(release=NEW, count=2),)


def test_a_rollback_to_a_warm_release_switches_at_once() -> None:
    """With the old fleet standing by, the first thing done is the switch."""
    (shift,) = decide(rollout("rollback"), beside({OLD: 100}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((NEW, 100),)


def test_going_back_is_one_routing_while_the_source_is_whole() -> None:
    """All traffic to the old release and the new one draining, in one change."""
    (shift,) = decide(back(step=1), beside({NEW: 100}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 100),)
    assert shift.routing.draining() == {"2-0", "2-1"}


def test_going_back_never_raises_the_bad_share() -> None:
    """At 10 % with one of two old instances gone, the weights stay until the old release is whole again."""
    plan = replace(rollout("canary", steps=(10, 100), step=1), state=State.ROLLING_BACK)
    actions = decide(plan, beside({OLD: 90, NEW: 10}, old=1), NOW)
    assert Launch(release=OLD, count=1) in actions
    assert [a.routing.weights for a in actions if isinstance(a, Shift)] in ([], [((OLD, 90), (NEW, 10))])


def test_going_back_half_way_through_rolling() -> None:
    """2 old and 2 new of 4, a floor of 3: one new goes, one old comes; traffic follows until 3 old are ready."""
    plan = replace(rollout("rolling", replicas=4, min_healthy=75, max_surge=0), state=State.ROLLING_BACK)
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 2, NEW: 2})
    (shift,) = decide(plan, seen, NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 2), (NEW, 1))
    seen = fleet(some(OLD, 3), some(NEW, 1), weights={OLD: 3, NEW: 1})
    (shift,) = decide(plan, seen, NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 100),)


def test_going_back_to_a_cold_release_launches_it_first() -> None:
    """The bad release goes on answering until there is something to go back to."""
    (launch,) = decide(back(step=1), fleet(some(NEW, 2), weights={NEW: 100}), NOW)
    assert launch == Launch(release=OLD, count=2)


def test_the_way_back_ends_when_the_target_is_gone() -> None:
    """The source whole, all traffic on it, nothing of the target left: rolled back, for the reason it was."""
    done = fleet(some(OLD, 2), weights={OLD: 100})
    assert decide(back(), done, NOW) == (Finish(state=State.ROLLED_BACK, reason="release 2 is bad"),)
    assert decide(back(ending=State.ABORTED), done, NOW) == (Finish(state=State.ABORTED, reason="release 2 is bad"),)


def test_a_first_deploy_that_fails_leaves_nothing() -> None:
    """There is nothing to go back to: even what serves is drained and stopped, and the deploy failed."""
    plan = back(source=None, step=1)
    (shift,) = decide(plan, fleet(some(NEW, 2), weights={NEW: 100}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.serving() == set()
    gone = fleet(some(NEW, 2, draining_since=NOW))
    assert decide(plan, gone, NOW) == (Stop(instance="2-0"), Stop(instance="2-1"))
    assert decide(plan, fleet(), NOW) == (Finish(state=State.FAILED, reason="release 2 is bad"),)
    assert kinds(decide(replace(plan, ending=State.ABORTED), fleet(), NOW)) == [Finish]


def test_when_both_fail_it_says_so() -> None:
    """A source that did not become whole in time, 600 s and 30 s of draining, ends the way back as failed."""
    seen = fleet(some(OLD, 1), weights={OLD: 100})
    assert Finish not in kinds(decide(back(), seen, NOW + 629.0))
    reason = "release 2 is bad; and release 1 came back with only 1 of 2 instances in time"
    assert decide(back(), seen, NOW + 630.0) == (Finish(state=State.FAILED, reason=reason),)


def test_a_whole_source_still_gets_its_traffic_when_time_is_over() -> None:
    """A balancer that refused for long, or a controller that was away, does not leave the clients where they are."""
    (shift,) = decide(back(), beside({NEW: 100}), NOW + 50_000.0)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 100),)


def test_the_last_change_of_the_routing_is_still_made_when_time_is_over() -> None:
    """Everything is home and only the balancer's list of draining ones has to be cleared: that is no failure."""
    seen = fleet(some(OLD, 2), weights={OLD: 100})
    last = TargetGroup(release=NEW, draining=("2-0",))
    seen = replace(seen, routing=replace(seen.routing, groups=(*seen.routing.groups, last)))
    assert kinds(decide(back(), seen, NOW + 5000.0)) == [Shift]


def test_instances_that_cannot_be_stopped_are_named() -> None:
    """The service is whole on its old release; what is left of the other is stopped after the rollout."""
    seen = fleet(some(OLD, 2), some(NEW, 1, stopping=True, draining_since=NOW), weights={OLD: 100})
    assert decide(back(), seen, NOW + 630.0) == (
        Finish(state=State.ROLLED_BACK, reason="release 2 is bad; 1 of its instances are still to be stopped"),
    )


@pytest.mark.parametrize("name", ["blue-green", "canary", "rolling"])
def test_a_broken_source_lets_its_successor_in(name: StrategyName) -> None:
    """With nobody of the old release answering, the new one's first ready instances do, or the step goes on to them."""
    sick = some(OLD, 2, Health.UNHEALTHY, draining_since=NOW - 60)
    ready = fleet(sick, some(NEW, 2), preview=NEW)
    plan = rollout(name, step=0 if name == "rolling" else 1)
    shifts = [action.routing for action in decide(plan, ready, NOW) if isinstance(action, Shift)]
    assert shifts
    assert shifts[0].serving() == {"2-0", "2-1"}


def test_the_last_requests_belong_to_the_rollout() -> None:
    """An old instance in its grace that still answers keeps the rollout from ending before it is counted."""
    plan = rollout("recreate", step=1, holding_since=NOW)
    seen = fleet(
        some(NEW, 2), some(OLD, 1, stopping=True, in_flight=1, draining_since=NOW), weights={NEW: 2}, preview=NEW
    )
    assert kinds(decide(plan, seen, NOW)) == [Hold]
