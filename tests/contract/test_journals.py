"""What every Journal must keep: the engine relies on each sentence here."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.moto import Moto, journal_table

from crossfade.core.errors import RefusedError, StaleTokenError
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.ports.journal import Event, Fence, Journal, Lease
from crossfade.platforms.aws.journal import DynamoJournal
from crossfade.platforms.aws.table import Table
from crossfade.platforms.local.journal import SqliteJournal

WEB, API = "shop/web", "shop/api"


class HandClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def table() -> Iterator[Moto]:
    """One table for all tests: each has a place of its own in it."""
    with journal_table() as made:
        yield made


@pytest.fixture(params=["sqlite", "memory", "dynamodb"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[Journal]:
    if request.param == "dynamodb":
        made = request.getfixturevalue("table")
        clients = made.clients()
        yield DynamoJournal(Table(clients, made.name, uuid4().hex), clock)
        await clients.close()
        return
    journal = (
        SqliteJournal(tmp_path / "state" / "journal.db", clock) if request.param == "sqlite" else DryJournal(clock)
    )
    yield journal
    await journal.close()


async def taken_over(journal: Journal, clock: HandClock) -> Lease:
    """The lease of somebody who has waited until the holder's was not renewed for ten seconds."""
    with pytest.raises(RefusedError):
        await journal.acquire(WEB, "two", ttl=10)
    clock.time += 10
    return await journal.acquire(WEB, "two", ttl=10)


async def test_an_event_is_given_a_number_and_the_time(journal: Journal, clock: HandClock) -> None:
    """An appended event comes back with its sequence number and the clock's time, otherwise as it was."""
    clock.time = 12.5
    written = await journal.append(Event(kind="started", service=WEB, rollout=3, data={"by": "anna"}), token=0)
    assert written == Event(kind="started", service=WEB, rollout=3, data={"by": "anna"}, seq=written.seq, at=12.5)
    assert written.seq > 0


async def test_what_was_written_is_read_in_order(journal: Journal) -> None:
    """Events are read oldest first, with growing numbers, exactly as append returned them."""
    written = [await journal.append(Event(kind="step", service=WEB, data={"n": n}), token=0) for n in range(5)]
    assert list(await journal.read()) == written
    assert [event.seq for event in written] == sorted({event.seq for event in written})


async def test_data_survive_as_json(journal: Journal) -> None:
    """Nested lists, numbers, nulls and any writing system come back as they were."""
    data = {"steps": [10, 50.5, None, True], "why": 'größer als 5 %: "schlecht"', "deep": {"a": {"b": []}}}
    await journal.append(Event(kind="x", service=WEB, data=data), token=0)
    assert (await journal.read())[0].data == data


async def test_reading_goes_on_after_a_number(journal: Journal) -> None:
    """A follower passes the last number it saw and gets only what is newer, as many as it asked for."""
    written = [await journal.append(Event(kind="step", service=WEB), token=0) for _ in range(4)]
    assert list(await journal.read(after=written[1].seq)) == written[2:]
    assert list(await journal.read(after=written[0].seq, limit=2)) == written[1:3]
    assert list(await journal.read(after=written[-1].seq)) == []


async def test_the_newest_are_read_in_the_order_in_which_they_were_written(journal: Journal) -> None:
    """Of more than the limit the last ones, and all when there are fewer."""
    written = [await journal.append(Event(kind=kind, service=WEB), token=0) for kind in "aabab"]
    assert list(await journal.read(limit=2, newest=True)) == written[3:]
    assert list(await journal.read(limit=9, newest=True, after=written[1].seq)) == written[2:]
    assert list(await journal.read(limit=1, newest=True, kinds={"a"})) == written[3:4]
    assert list(await journal.read(limit=0, newest=True)) == []


async def test_reading_can_be_narrowed_to_a_service(journal: Journal) -> None:
    """The events of one service are read without those of its neighbours."""
    mine = [await journal.append(Event(kind="a", service=WEB), token=0)]
    await journal.append(Event(kind="b", service=API), token=0)
    mine.append(await journal.append(Event(kind="c", service=WEB), token=0))
    assert list(await journal.read(service=WEB)) == mine
    assert list(await journal.read(service=WEB, after=mine[0].seq)) == mine[1:]
    assert list(await journal.read(service="shop/none")) == []


async def test_reading_can_be_narrowed_to_kinds(journal: Journal) -> None:
    """Who wants to know two kinds of events is not given the others, and a limit counts those alone."""
    written = [await journal.append(Event(kind=kind, service=WEB), token=0) for kind in "abcab"]
    assert [event.kind for event in await journal.read(kinds={"a", "b"})] == list("abab")
    assert list(await journal.read(kinds={"b"}, after=written[1].seq, limit=1)) == written[4:]
    assert list(await journal.read(kinds=())) == []


async def test_data_that_are_not_json_are_refused(journal: Journal) -> None:
    """What could not be read back is refused when it is written, and nothing of it stays."""
    with pytest.raises((TypeError, ValueError)):
        await journal.append(Event(kind="x", service=WEB, data={"at": object()}), token=0)
    with pytest.raises((TypeError, ValueError)):
        await journal.append(Event(kind="x", service=WEB, data={"rate": float("nan")}), token=0)
    assert list(await journal.read()) == []


async def test_only_the_newest_token_may_append(journal: Journal, clock: HandClock) -> None:
    """Once another holder has the lease, the former one's events are refused and leave no trace."""
    old = await journal.acquire(WEB, "one", ttl=10)
    new = await taken_over(journal, clock)
    with pytest.raises(StaleTokenError):
        await journal.append(Event(kind="late", service=WEB), old.token)
    await journal.append(Event(kind="timely", service=WEB), new.token)
    assert [event.kind for event in await journal.read()] == ["timely"]


async def test_a_token_that_was_never_granted_may_not_append(journal: Journal) -> None:
    """A made-up token is refused even when it is higher than any other."""
    with pytest.raises(StaleTokenError):
        await journal.append(Event(kind="x", service=WEB), token=7)


async def test_tokens_belong_to_one_service(journal: Journal) -> None:
    """A lease on one service says nothing about another."""
    await journal.acquire(WEB, "one", ttl=10)
    assert (await journal.token(WEB), await journal.token(API)) == (1, 0)
    await journal.append(Event(kind="x", service=API), token=0)


async def test_a_held_lease_is_refused_with_its_holder_and_since_when(journal: Journal) -> None:
    """Who comes second learns who was first and since when."""
    await journal.acquire(WEB, "anna@laptop", ttl=10)
    with pytest.raises(RefusedError, match=r"anna@laptop since .") as refusal:
        await journal.acquire(WEB, "ben@desk", ttl=10)
    assert not isinstance(refusal.value, StaleTokenError)


async def test_the_holder_keeps_its_lease(journal: Journal, clock: HandClock) -> None:
    """A holder that asks again keeps token and since, and learns when it last renewed: asking is no work."""
    first = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 5
    again = await journal.acquire(WEB, "one", ttl=10)
    assert (again.token, again.since, again.expires) == (first.token, first.since, 1010.0)
    assert again.vacant_since == 1000.0


async def test_a_lease_that_is_not_renewed_can_be_taken(journal: Journal, clock: HandClock) -> None:
    """Whoever has waited for its whole time gets it, with a higher token, and learns since when nobody worked."""
    first = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 5
    first = await journal.renew(first, ttl=10)
    second = await taken_over(journal, clock)
    assert second.token > first.token
    assert (second.holder, second.since, second.vacant_since) == ("two", clock.time, 1005.0)


async def test_who_took_a_lease_and_died_leaves_the_time_behind(journal: Journal, clock: HandClock) -> None:
    """Nobody worked since the last renewal, however often the lease was taken meanwhile."""
    await journal.acquire(WEB, "one", ttl=10)
    clock.time += 100
    await journal.acquire(WEB, "one", ttl=10)
    clock.time += 5
    assert (await journal.acquire(WEB, "one", ttl=10)).vacant_since == 1000.0
    assert (await taken_over(journal, clock)).vacant_since == 1000.0


async def test_who_has_not_waited_gets_no_lease(journal: Journal, clock: HandClock) -> None:
    """Only the time counts in which one has asked: a clock that is ahead makes nobody's lease lapse."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 3600
    for _ in range(3):
        with pytest.raises(RefusedError):
            await journal.acquire(WEB, "two", ttl=10)
        clock.time += 8
        lease = await journal.renew(lease, ttl=10)


async def test_a_renewed_lease_lasts(journal: Journal, clock: HandClock) -> None:
    """Renewing moves the expiry on, so nobody else gets in."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 8
    lease = await journal.renew(lease, ttl=10)
    clock.time += 8
    with pytest.raises(RefusedError):
        await journal.acquire(WEB, "two", ttl=10)
    assert lease.expires == 1018.0


async def test_a_holder_that_overslept_may_go_on_when_nobody_took_over(journal: Journal, clock: HandClock) -> None:
    """A laptop that was closed renews its lapsed lease and keeps its token, as long as no one else came."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 3600
    assert (await journal.renew(lease, ttl=10)).token == lease.token


async def test_a_lease_that_was_taken_cannot_be_renewed(journal: Journal, clock: HandClock) -> None:
    """The holder that overslept learns from its heartbeat that another one acts now."""
    old = await journal.acquire(WEB, "one", ttl=10)
    await taken_over(journal, clock)
    with pytest.raises(StaleTokenError):
        await journal.renew(old, ttl=10)


async def test_a_released_lease_is_free_at_once(journal: Journal, clock: HandClock) -> None:
    """What was given back can be taken without waiting, and the next token is higher still."""
    first = await journal.acquire(WEB, "one", ttl=10)
    clock.time += 3
    await journal.release(first)
    assert await journal.token(WEB) == first.token
    second = await journal.acquire(WEB, "two", ttl=10)
    assert second.token > first.token
    assert second.vacant_since == 1003.0


async def test_who_has_a_lease_is_told_to_whoever_asks(journal: Journal) -> None:
    """And nobody once it was given back, or before it was granted."""
    assert await journal.lease(WEB) is None
    granted = await journal.acquire(WEB, "one", ttl=10)
    assert await journal.lease(WEB) == granted
    await journal.release(granted)
    assert await journal.lease(WEB) is None


async def test_releasing_what_is_no_longer_held_changes_nothing(journal: Journal, clock: HandClock) -> None:
    """A late release does not free the lease of the one who took over."""
    old = await journal.acquire(WEB, "one", ttl=10)
    await taken_over(journal, clock)
    await journal.release(old)
    await journal.release(Lease(service=API, holder="nobody", token=1, since=0, expires=0))
    with pytest.raises(RefusedError):
        await journal.acquire(WEB, "three", ttl=10)


async def test_the_journal_is_a_fence(journal: Journal, clock: HandClock) -> None:
    """Adapters that ask it let the newest token pass and refuse every older one."""
    assert isinstance(journal, SqliteJournal | DryJournal | DynamoJournal)
    fence: Fence = journal
    await fence.check(WEB, 0)
    old = await journal.acquire(WEB, "one", ttl=10)
    await fence.check(WEB, old.token)
    new = await taken_over(journal, clock)
    await fence.check(WEB, new.token)
    with pytest.raises(StaleTokenError):
        await fence.check(WEB, old.token)
