"""A release carried over hosts, from the first to the last or back, through every death of who carries it."""

from collections.abc import Sequence

import pytest
from tests.support.fleet_of_hosts import KilledError, MemoryJournal, ScriptedHost

from crossfade.core.errors import RefusedError
from crossfade.core.hosts import HostPhase, HostsLedger, HostsRollout, Releases
from crossfade.core.rollout import State
from crossfade.engine.hosts.carry import Carried
from crossfade.engine.hosts.fold import DOWN, ledger_of


def deploy(hosts: Sequence[ScriptedHost], journal: MemoryJournal, to: int = 2) -> HostsRollout:
    """As a fresh process does: what was left of the same deploy goes on, what was left of another goes back first."""
    carried, there = Carried(journal), {host.name: host for host in hosts}
    for host in hosts:
        host.target = to
    left = carried.ledger.active
    if left:
        carried.take_up(list(there), "next")
        if left.what != f"v{to}":
            carried.turn_back("another one deploys")
            carried.carry(there)
            left = None
    if not left:
        carried.begin({host.name: host.runs() for host in hosts}, f"v{to}", by="me", version=f"v{to}")
    return carried.carry(there)


def fleet(*faults: str) -> list[ScriptedHost]:
    return [ScriptedHost(name, fault=fault) for name, fault in zip("abc", faults, strict=False)]


def test_a_good_release_reaches_all_hosts_in_their_order() -> None:
    hosts, journal = fleet("", "", ""), MemoryJournal()
    assert deploy(hosts, journal).state is State.SUCCEEDED
    assert [host.release for host in hosts] == [2, 2, 2]
    begun = [event.data["host"] for event in journal.kept if event.kind == "host begun"]
    assert begun == ["a", "b", "c"]


@pytest.mark.parametrize("fault", ["sick", "deaf"])
def test_the_first_failure_takes_back_whoever_has_it_and_leaves_the_rest(fault: str) -> None:
    """Whether the host's own controller says so or somebody outside."""
    hosts, journal = fleet("", fault, ""), MemoryJournal()
    ended = deploy(hosts, journal)
    assert ended.state is State.ROLLED_BACK
    assert "b" in ended.reason
    assert [host.release for host in hosts] == [1, 1, 1]
    assert hosts[2].touched == 0
    back = [event.data["host"] for event in journal.kept if event.kind == "host back"]
    assert back == ["b", "a"]


def test_a_host_that_dies_on_the_way_is_left_for_later_and_the_others_go_back() -> None:
    """The journey ends when it answers again."""
    hosts, journal = fleet("", "dies", ""), MemoryJournal()
    left = deploy(hosts, journal)
    assert left.state is State.ROLLING_BACK
    assert left.host("b").stage is HostPhase.LOST
    assert [host.release for host in hosts] == [1, 2, 1]
    hosts[1].fault = ""
    carried = Carried(journal)
    carried.take_up(["a", "b", "c"], "next")
    assert carried.carry({host.name: host for host in hosts}).state is State.ROLLED_BACK
    assert [host.release for host in hosts] == [1, 1, 1]


def test_a_dead_host_that_left_the_file_keeps_nobody_waiting() -> None:
    hosts, journal = fleet("", "dies", ""), MemoryJournal()
    deploy(hosts, journal)
    carried = Carried(journal)
    carried.take_up(["a", "c"], "next")
    assert carried.carry({host.name: host for host in hosts if host.name != "b"}).state is State.ROLLED_BACK


def test_nothing_is_touched_when_no_other_host_serves() -> None:
    """Too few to go on: the one that serves stays as it is."""
    hosts, journal = fleet("", "mute", "mute"), MemoryJournal()
    ended = deploy(hosts, journal)
    assert ended.state is State.ROLLED_BACK
    assert ended.reason == "a would be the last host that serves: b, c do not answer"
    assert [host.touched for host in hosts] == [0, 0, 0]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("faults", [("", "", ""), ("", "sick", ""), ("", "", "deaf")])
def test_killed_at_any_write_the_same_deploy_ends_what_it_began(faults: tuple[str, ...], *, before: bool) -> None:
    """All hosts have it, or all have what they had; and the record says which."""
    for kill_at in range(1, 20):
        hosts, kept = fleet(*faults), MemoryJournal().kept
        try:
            deploy(hosts, MemoryJournal(kept, kill_at, before=before))
        except KilledError:
            ended = deploy(hosts, MemoryJournal(kept))
        else:
            return
        expected = 1 if any(faults) else 2
        assert ended.state is (State.ROLLED_BACK if any(faults) else State.SUCCEEDED)
        assert [host.release for host in hosts] == [expected] * 3, kill_at
    pytest.fail("it never ended by itself")


def test_killed_at_any_write_another_deploy_takes_back_first() -> None:
    """No host keeps what nobody finished."""
    for kill_at in range(1, 20):
        hosts, kept = fleet("", "", ""), MemoryJournal().kept
        try:
            deploy(hosts, MemoryJournal(kept, kill_at))
        except KilledError:
            assert deploy(hosts, MemoryJournal(kept), to=3).state is State.SUCCEEDED
        else:
            return
        assert [host.release for host in hosts] == [3, 3, 3]
    pytest.fail("it never ended by itself")


def test_the_ledger_never_goes_back_to_a_bad_release() -> None:
    """v1, v2 bad, v3: back from v3 is v1."""
    hosts, journal = fleet("", ""), MemoryJournal()
    deploy(hosts, journal, to=2)
    hosts[1].fault = "sick"
    deploy(hosts, journal, to=3)
    hosts[1].fault = ""
    deploy(hosts, journal, to=4)
    ledger = ledger_of(journal.kept)
    assert (ledger.current, ledger.previous and ledger.previous.id) == (3, 1)
    assert [one.id for one in ledger.good] == [1, 3]


def test_after_a_rollback_the_release_that_runs_is_the_one_gone_back_to() -> None:
    hosts, journal = fleet("", ""), MemoryJournal()
    deploy(hosts, journal, to=2)
    deploy(hosts, journal, to=3)
    carried, there = Carried(journal), {host.name: host for host in hosts}
    for host in hosts:
        host.target = 2
    carried.begin({host.name: host.runs() for host in hosts}, "back", by="me", version="v2", to=1)
    assert carried.carry(there).state is State.SUCCEEDED
    assert (carried.ledger.current, carried.ledger.previous) == (1, None)


def test_a_deploy_that_changed_nothing_is_no_release_to_go_back_to() -> None:
    hosts, journal = fleet("", ""), MemoryJournal()
    deploy(hosts, journal, to=2)
    deploy(hosts, journal, to=2)
    deploy(hosts, journal, to=3)
    ledger = ledger_of(journal.kept)
    assert ledger.previous is not None
    assert ledger.previous.id == 1


def test_an_empty_record_is_an_empty_ledger() -> None:
    assert ledger_of([]) == HostsLedger()
    assert HostsLedger().current is None


def test_what_was_taken_down_runs_no_release_until_the_next_one() -> None:
    """And nothing is previous to it."""
    hosts, journal = fleet("", ""), MemoryJournal()
    deploy(hosts, journal, to=2)
    journal.append(DOWN, {"by": "me"})
    down = ledger_of(journal.kept)
    assert (down.current, down.previous) == (None, None)
    deploy(hosts, journal, to=3)
    assert ledger_of(journal.kept).current == 2


def test_a_refusal_of_a_host_brings_its_way_out_along() -> None:
    class Locked(ScriptedHost):
        def bring(self) -> Releases:
            raise RefusedError("ann locked shop/web", "`crossfade lock --release` unlocks it")

    ended = deploy([Locked("a"), ScriptedHost("b")], MemoryJournal())
    assert ended.reason == "ann locked shop/web (`crossfade lock --release` unlocks it)"
