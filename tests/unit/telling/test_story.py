"""Events told as sentences."""

from typing import Any

from crossfade.telling.story import Story, newest


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"kind": kind, "service": "shop/web", "rollout": 2, "seq": 1, "at": 0.0, "data": data}


def started(source: int | None = 1, **strategy: Any) -> dict[str, Any]:
    rollout = {"id": 2, "source": source, "target": 2, "by": "ann@desk", "strategy": {"name": "canary"} | strategy}
    return event("rollout started", rollout=rollout)


def routed(*weights: tuple[int, int], draining: tuple[str, ...] = (), drained: int = 0) -> dict[str, Any]:
    action = {"do": "Shift", "routing": {"weights": [list(w) for w in weights]}}
    return event("routed", action=action, ms=1.23, draining=dict.fromkeys(draining, 0.0), drained=drained)


def move(**action: Any) -> dict[str, Any]:
    return event("move", action=action)


def test_a_release_is_named_with_its_version() -> None:
    """Once it was created, its number never comes alone."""
    story = Story()
    story.tell(event("release created", release={"number": 2, "version": "v2", "digest": "abc"}))
    assert story.tell(started()) == ["rollout 2 from 1 to release 2 (v2), canary, by ann@desk"]


def test_both_sides_of_a_rollout_have_their_versions() -> None:
    """Also when the releases were created before the first event that is told."""
    begun = started()
    begun["data"]["versions"] = {"1": "v1", "2": "v2"}
    assert Story().tell(begun) == ["rollout 2 from 1 (v1) to release 2 (v2), canary, by ann@desk"]


def test_traffic_is_told_when_it_moves() -> None:
    """Registering instances is no news; shares are."""
    story = Story()
    story.tell(started())
    assert story.tell(routed((1, 100))) == []
    assert story.tell(routed((1, 90), (2, 10))) == [
        "release 1 has 90 %, release 2 has 10 % of the traffic, switched in 1.2 ms"
    ]
    assert story.tell(routed((2, 10))) == ["release 2 has 100 % of the traffic, switched in 1.2 ms"]


def test_a_release_that_stands_in_is_told_with_the_one_that_cannot_answer() -> None:
    """Once, and again when that has its traffic back."""
    story, instead = Story(), routed((1, 100))
    story.tell(routed((2, 100)))
    instead["data"]["stands_in_for"] = 2
    assert story.tell(instead) == [
        "release 1 has 100 % of the traffic: it stands in for release 2, which cannot answer, switched in 1.2 ms"
    ]
    assert story.tell(instead) == []
    assert story.tell(routed((2, 100))) == ["release 2 has 100 % of the traffic, switched in 1.2 ms"]


def test_draining_instances_are_told_once() -> None:
    """With how many requests they finish."""
    story = Story()
    story.tell(started())
    first = routed((1, 100), draining=("a", "b"), drained=3)
    assert story.tell(first) == ["2 instances get no new requests and 3 requests on them finish"]
    assert story.tell(first) == []


def test_the_end_has_its_reason() -> None:
    """A rollback says why when it begins and when it is done."""
    story = Story()
    story.tell(started())
    assert story.tell(move(do="RollBack", reason="too many errors")) == ["taking it back: too many errors"]
    assert story.tell(move(do="Finish", state="rolled_back", reason="too many errors")) == [
        "rollout rolled back: too many errors"
    ]


def test_a_bake_is_told_with_its_time() -> None:
    """And the step before it is about health."""
    story = Story()
    story.tell(started(bake=90))
    assert story.tell(move(do="StartBake", step=0)) == ["all new instances are healthy"]
    assert story.tell(move(do="StartBake", step=1)) == ["baking for 1 min 30 s"]


def test_intents_and_unknown_kinds_say_nothing() -> None:
    """What is about to be done is for the journal; what a newer controller writes is no reason to fail."""
    story = Story()
    assert story.tell(event("intent", action={"do": "Launch", "release": 2, "count": 1})) == []
    assert story.tell(event("something new")) == []


def test_orders_name_who_gave_them() -> None:
    """And why."""
    story = Story()
    assert story.tell(event("rollout aborted", by="ann@desk", reason="wrong branch")) == [
        "aborted by ann@desk: wrong branch"
    ]
    assert story.tell(event("service scaled", by="ann@desk", replicas=1)) == ["scaled to 1 instance by ann@desk"]


def test_the_limit_counts_the_lines_that_are_shown() -> None:
    """Of 40 events every tenth is worth a line; three lines are asked for and three come, the newest."""
    told = [
        event("service scaled", replicas=n, by="ann") | {"seq": n}
        if n % 10 == 0
        else event("intent", action={"do": "Launch"}) | {"seq": n}
        for n in range(1, 41)
    ]
    _, lines, last = newest(lambda asked: told[-asked:], 3)
    assert [line.partition("shop/web  ")[2] for line in lines] == [
        "scaled to 20 instances by ann",
        "scaled to 30 instances by ann",
        "scaled to 40 instances by ann",
    ]
    assert last == 40


def test_all_lines_come_when_there_are_fewer() -> None:
    """A short journal ends the search; an empty one has no last event."""
    told = [event("service scaled", replicas=2, by="ann")]
    assert len(newest(lambda asked: told[-asked:], 100)[1]) == 1
    assert newest(lambda _: [], 100)[1:] == ([], 0)


def test_recreate_bakes_when_there_is_a_new_one() -> None:
    """That the old one is gone is a step, in which nobody watches anything."""
    story = Story()
    story.tell(started(name="recreate", bake=5.0))
    assert story.tell(move(do="StartBake", step=0)) == []
    assert story.tell(move(do="StartBake", step=1)) == ["baking for 5.0 s"]


def test_a_workers_bake_is_told_while_old_and_new_are_at_work() -> None:
    """In its first step, and in no other."""
    story, begun = Story(), started(name="blue-green", bake=30.0)
    begun["data"]["rollout"]["kind"] = "worker"
    story.tell(begun)
    first = ["all new instances are at work beside the old ones", "baking for 30 s"]
    assert story.tell(move(do="StartBake", step=0)) == first
    assert story.tell(move(do="StartBake", step=1)) == []


def test_a_kill_is_told() -> None:
    """What it was at is lost."""
    stop = {"do": "Stop", "instance": "shop-web-1-a1b2"}
    killed = event("done", action=stop, killed=True)
    assert Story().tell(killed) == ["stopped shop-web-1-a1b2 by SIGKILL, after its grace"]


def test_jobs_and_commands_by_hand_are_told() -> None:
    """What began, how it ended, what was left out and why; of a command by hand only who ran one."""
    story = Story()
    begun = event("job started", run={"job": "digest", "release": 2}, command="./digest")
    assert story.tell(begun) == ["job digest begins on release 2: ./digest"]
    assert story.tell(event("job ended", job="digest", detail="")) == ["job digest is done"]
    failed = event("job ended", job="digest", detail="failed with code 3: no such table")
    assert story.tell(failed) == ["job digest failed with code 3: no such table"]
    skipped = event("job skipped", job="digest", why="the run before it is still under way")
    assert story.tell(skipped) == ["job digest is left out: the run before it is still under way"]
    by_hand = event("command run", by="ann@desk", release=2, instance="")
    assert story.tell(by_hand) == ["ann@desk runs a command on release 2"]


def test_a_store_is_told_from_its_start_to_the_end_of_its_data() -> None:
    """A line each for what somebody did with it, and for what became of that."""
    story = Story()
    lines = [
        event("store noted", store={"schedule": "0 3 * * *", "timezone": "UTC"}, since=0.0),
        event("store starting", image="postgres:16", by="ann", anew=False),
        event("store made", store={}, what="started"),
        event("backup started", run={}, command="pg_dump", by="the clock"),
        event("backup ended", run="b", code=1, detail="no space", file=""),
        event("restore ended", file="a.backup", detail=""),
        event("store stopped", by="ann"),
    ]
    assert [line for one in lines for line in story.tell(one)] == [
        "backups are scheduled: 0 3 * * * UTC",
        "making the store from postgres:16",
        "the store is ready",
        "a backup begins, by the clock: pg_dump",
        "the backup failed: no space",
        "it has the data of a.backup",
        "the store was taken down by ann; its data stays",
    ]
