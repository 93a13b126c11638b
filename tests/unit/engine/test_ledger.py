"""The ledger: what the journal's events add up to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from crossfade.core.actions import Advance, Finish, Move, RollBack, StartBake
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.fleet import Fleet
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.service import Names, Peer, Service, Strategy
from crossfade.core.wire import encode, encode_action
from crossfade.engine.fold import TELLING, advance, fold
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Event
from crossfade.strategies.next import next_step

KEY = "shop/web"


class Story:
    """Events as a loop would write them, one second apart."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.at = 1000.0
        self.rollouts = 0
        self.releases = 0

    def tell(self, kind: str, data: dict[str, Any] | None = None) -> "Story":
        self.at += 1
        self.events.append(Event(kind=kind, service=KEY, data=data or {}, seq=len(self.events) + 1, at=self.at))
        return self

    def move(self, *moves: Move) -> "Story":
        for move in moves:
            self.tell("move", {"action": encode_action(move), "counters": []})
        return self

    def start(self, target: int, strategy: Strategy | None = None, hooks: Sequence[Hook] = ()) -> "Story":
        self.rollouts += 1
        rollout = Rollout(
            id=self.rollouts,
            service=KEY,
            source=self.ledger.current,
            target=target,
            strategy=strategy or Strategy(),
            replicas=2,
            drain=10.0,
            by="ann",
            started_at=self.at,
            hooks=tuple(hooks),
        )
        return self.tell("rollout started", {"rollout": encode(rollout)})

    def release(self, version: str = "", sha: str = "", **settings: Any) -> "Story":
        self.releases += 1
        service = Service(app="shop", name="web", **settings)
        made = Release(
            number=self.releases,
            service=service,
            version=version or f"v{self.releases}",
            digest=f"d{self.releases}",
            config_hash="c",
            git_sha=sha,
        )
        return self.tell("release created", {"release": encode(made)})

    def good(self, **settings: Any) -> "Story":
        self.release(**settings).start(self.releases)
        self.move(StartBake(step=0), Advance(step=1), StartBake(step=1))
        return self.move(Finish(state=State.SUCCEEDED, reason=""))

    def bad(self, why: str = "it fails") -> "Story":
        self.release().start(self.releases)
        return self.move(RollBack(reason=why), Finish(state=State.ROLLED_BACK, reason=why))

    def back(self, target: int) -> "Story":
        self.start(target, Strategy(name="rollback"))
        return self.move(StartBake(step=0), Finish(state=State.SUCCEEDED, reason=""))

    @property
    def ledger(self) -> Ledger:
        return fold(self.events).get(KEY, Ledger(service=KEY))


def test_a_release_that_succeeded_is_good_and_current() -> None:
    """A rollout that succeeded makes its target the current release, and a good one."""
    ledger = Story().good().ledger
    assert ledger.current == 1
    assert ledger.release(1).outcome is Outcome.GOOD
    assert ledger.active is None


def test_previous_is_the_last_good_release() -> None:
    """v1.0, bad v1.1, back to v1.0, then v1.2: `previous` is v1.0 and never the bad v1.1."""
    story = Story().good().good().back(1).good()
    assert story.ledger.current == 3
    assert story.ledger.release(2).outcome is Outcome.BAD
    assert story.ledger.previous is not None
    assert story.ledger.previous.number == 1


def test_a_release_that_was_taken_back_is_never_previous() -> None:
    """A release whose rollout took itself back is bad, says why, and is not chosen by a bare rollback."""
    ledger = Story().good().bad("release 2 failed 9 of 20 requests").ledger
    assert ledger.current == 1
    assert ledger.release(2).outcome is Outcome.BAD
    assert ledger.release(2).why == "release 2 failed 9 of 20 requests"
    assert ledger.previous is None


def test_an_abort_does_not_call_the_release_bad() -> None:
    """A release that a person aborted is neither good nor bad."""
    story = Story().good().release().start(2).tell("rollout aborted", {"reason": "aborted by ann"})
    ledger = story.move(Finish(state=State.ABORTED, reason="aborted by ann")).ledger
    assert ledger.release(2).outcome is Outcome.ABORTED
    assert ledger.current == 1


def test_a_good_release_stays_good_when_going_back_to_it_fails() -> None:
    """Rolling back to a good release that does not come up does not make that release bad."""
    story = Story().good().good()
    story.start(1, Strategy(name="rollback")).move(RollBack(reason="x"), Finish(state=State.ROLLED_BACK, reason="x"))
    assert story.ledger.release(1).outcome is Outcome.GOOD
    assert story.ledger.current == 2


def test_the_old_fleet_stays_warm_for_as_long_as_the_file_says() -> None:
    """After blue-green the old release is kept warm until keep_previous has passed; after rolling it is not."""
    story = Story().good()
    story.release().start(2, Strategy(keep_previous=60.0)).move(Finish(state=State.SUCCEEDED, reason=""))
    assert story.ledger.warm == {1: story.at + 60.0}
    story.release().start(3, Strategy(name="rolling", keep_previous=60.0)).move(
        Finish(state=State.SUCCEEDED, reason="")
    )
    assert 2 not in story.ledger.warm


def test_selectors_find_a_release() -> None:
    """A release is found by number, version label, tag, sha-…, latest and previous."""
    story = Story().good(version="1.0", sha="abc123").good(version="1.1", sha="def456")
    ledger = story.tell("release tagged", {"tag": "stable", "release": 1}).ledger
    for word, number in {"1": 1, "1.1": 2, "stable": 1, "sha-def": 2, "latest": 2, "previous": 1}.items():
        assert ledger.select(word).number == number


def test_an_unknown_selector_names_what_there_is() -> None:
    """A word that is no release is refused with the releases there are."""
    with pytest.raises(WrongInputError, match=r"no release '9'") as refused:
        Story().good().ledger.select("9")
    assert "1 (v1)" in refused.value.way_out


def test_retention_never_drops_what_a_rollback_needs() -> None:
    """With retain 2, the current, the previous, the tagged and the newest good releases are kept; others are not."""
    story = Story().good(retain=2)
    story.tell("release tagged", {"tag": "stable", "release": 1})
    for _ in range(4):
        story.good(retain=2)
    assert story.ledger.retained() == {1, 4, 5}
    assert [r.number for r in story.ledger.discarded()] == [2, 3]


def test_a_migration_is_remembered_with_its_release() -> None:
    """A migrate hook that passed marks its release with the schema version it reported; a failed one takes it back."""
    story = Story().good().release().start(2, hooks=[Hook.MIGRATE])
    story.tell("hook ended", {"hook": "migrate", "complaint": "", "schema": "7"})
    assert (story.ledger.release(2).migrated, story.ledger.release(2).schema) == (True, "7")
    story.release().start(3, hooks=[Hook.MIGRATE])
    story.tell("hook ended", {"hook": "migrate", "complaint": "it failed", "schema": ""})
    assert story.ledger.rollout is not None
    assert story.ledger.rollout.state is State.ROLLING_BACK
    assert not story.ledger.release(3).migrated


def test_names_that_are_the_same_are_one() -> None:
    """Of hundreds of services each release has the names of all."""
    one, two = (Names(peers=tuple(Peer(name=f"s{n}", port=80) for n in range(3))) for _ in range(2))
    first, second = Story().release(names=one).release(names=two).ledger.releases
    assert first.service.names == one
    assert first.service.names is second.service.names


def test_the_fold_is_the_same_from_any_prefix() -> None:
    """Folding event by event gives what folding all of them at once gives: recovery sees what the running loop saw."""
    story = Story().good().bad().good().back(1)
    whole = Ledger(service=KEY)
    for count, event in enumerate(story.events, start=1):
        whole = advance(whole, event)
        assert whole == fold(story.events[:count])[KEY]
    assert whole.rollouts == 4
    assert [r.rollout.state for r in whole.records] == [
        State.SUCCEEDED,
        State.ROLLED_BACK,
        State.SUCCEEDED,
        State.SUCCEEDED,
    ]


def test_events_that_only_tell_are_not_needed() -> None:
    """A start reads the kinds that a ledger is made of, and misses nothing."""
    story = Story().good().tell("intent", {"action": {}}).bad().tell("done", {"action": {}})
    told = fold(event for event in story.events if event.kind in TELLING)[KEY]
    assert replace(told, seq=story.ledger.seq) == story.ledger
    assert not {"intent", "done"} & TELLING


def test_it_is_known_where_the_newest_rollout_begins() -> None:
    """Its proof is read from there, however long the journal was before."""
    story = Story().good().bad().release().start(3).tell("intent").tell("intent")
    assert story.events[story.ledger.began - 1].kind == "rollout started"
    assert [event.kind for event in story.events[story.ledger.began :]] == ["intent", "intent"]


def test_a_release_rolled_back_by_mistake_can_be_brought_back() -> None:
    """The newest releases keep their artifact whatever became of them."""
    assert Story().good().good().back(1).ledger.retained() == {1, 2}


def test_of_many_records_the_newest_are_kept_and_closed() -> None:
    """A hundred of a hundred and three; what a record says at its closing reaches it, however many came before."""
    story = Story()
    for n in range(1, 104):
        story.good().tell("record closed", {"rollout": n, "proof": {"requests": n}})
    records = story.ledger.records
    assert [r.rollout.id for r in records] == list(range(4, 104))
    assert [r.proof["requests"] for r in records] == list(range(4, 104))


@pytest.mark.parametrize("what", [{"action": {"do": "Resize", "release": 2, "count": 2}}, {"what": "hook migrate"}])
def test_what_is_refused_for_good_takes_the_rollout_back_at_once(what: dict[str, Any]) -> None:
    """The reason has its way out, and the release is not to blame; what may pass is tried again."""
    story = Story().good().release().start(2)
    story.tell("failed", {**what, "error": "busy", "cause": "busy"})
    assert not story.ledger.facts.refused.for_good
    assert story.ledger.active
    assert not story.ledger.active.denied
    lasts = {"error": "no right\n  get it", "cause": "no right", "way_out": "get it", "lasting": True}
    story.tell("failed", {**what, **lasts})
    assert next_step(story.ledger.facts, Fleet(), story.at) == (RollBack(reason="no right; get it", blame=False),)
    story.move(RollBack(reason="no right; get it", blame=False))
    assert not story.ledger.facts.refused.for_good
    assert story.ledger.active
    assert story.ledger.active.denied


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("release created", {"release": {"number": "one"}}),
        ("release tagged", {}),
        ("move", {"action": {"do": "Fly"}}),
        ("record closed", []),
    ],
)
def test_a_damaged_line_is_named(kind: str, data: Any) -> None:
    """With its number, its kind and the way out, and never a traceback."""
    story = Story().good().release().start(2)
    with pytest.raises(PlatformError, match=rf"line {len(story.events) + 2}, `{kind}` of shop/web") as refused:
        fold([*story.events, Event(kind=kind, service=KEY, data=data, seq=len(story.events) + 2)])
    assert refused.value.way_out.startswith("restore it from a backup")
