"""What only a journal behind a network can meet: answers that are lost, and calls that are refused."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.adapters.system_clock import SystemClock
from tests.support.moto import REGION, Moto, journal_table

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.ports.journal import Event
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.journal import DynamoJournal
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.table import Table

WEB = "shop@prod/web"
LOST = AwsError("AWS gave no answer", again=True)

Answer = dict[str, Any]


class Wire(Clients):
    """Calls of one operation meet what the test wants: `before` they arrive, or `after` they were done."""

    def __init__(self, table: Moto, operation: str = "", **how: Any) -> None:
        super().__init__(REGION, endpoint=table.endpoint, **how)
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self._struck = operation

    def _ask(self, service: str, operation: str, parameters: Answer) -> Answer:
        struck = operation == self._struck
        if struck and self.before:
            raise self.before.pop()
        answer = super()._ask(service, operation, parameters)
        if struck and self.after:
            raise self.after.pop()
        return answer


@pytest.fixture(scope="module")
def table() -> Iterator[Moto]:
    with journal_table() as made:
        yield made


Opened = Callable[..., tuple[DynamoJournal, Wire]]


@pytest.fixture
async def opened(table: Moto) -> AsyncIterator[Opened]:
    """Journals of one place, each behind a wire of its own."""
    place, wires = uuid4().hex, []

    def made(operation: str = "", **how: Any) -> tuple[DynamoJournal, Wire]:
        wire = Wire(table, operation, **how)
        wires.append(wire)
        return DynamoJournal(Table(wire, table.name, place), SystemClock()), wire

    yield made
    for wire in wires:
        await wire.close()


async def test_a_line_whose_answer_was_lost_is_written_once(opened: Opened) -> None:
    """The call is made again, and recognises its own write."""
    journal, wire = opened("transact_write_items")
    wire.after = [LOST]
    written = await journal.append(Event(kind="step", service=WEB, data={"n": 1}), 0)
    assert list(await journal.read()) == [written]
    assert wire.asked["dynamodb transact_write_items"] == 2


async def test_a_line_is_found_written_when_no_answer_came_at_all(opened: Opened) -> None:
    """Who gave up waiting looks whether the line is there, before it says that it is not."""
    journal, wire = opened("transact_write_items", patience=0.0)
    wire.after = [LOST]
    written = await journal.append(Event(kind="step", service=WEB), 0)
    assert list(await journal.read()) == [written]


async def test_a_line_that_did_not_arrive_is_an_error(opened: Opened) -> None:
    """Nothing was written, and the next line has its number."""
    journal, wire = opened("transact_write_items", patience=0.0)
    wire.before = [LOST]
    with pytest.raises(PlatformError, match="no answer"):
        await journal.append(Event(kind="step", service=WEB), 0)
    assert list(await journal.read()) == []
    assert (await journal.append(Event(kind="step", service=WEB), 0)).seq == 1


async def test_a_throttled_transaction_is_not_taken_for_a_taken_number(opened: Opened) -> None:
    """It is told as what it is, and not tried for ever."""
    journal, wire = opened("transact_write_items")
    throttled = AwsError("throttled", code="TransactionCanceledException")
    throttled.__cause__ = _CancelledError("ThrottlingError", "None")
    wire.before = [throttled]
    with pytest.raises(AwsError, match="throttled"):
        await journal.append(Event(kind="step", service=WEB), 0)


class _CancelledError(Exception):
    """As botocore raises it."""

    def __init__(self, *codes: str) -> None:
        self.response = {"CancellationReasons": [{"Code": code} for code in codes]}


async def test_a_renewal_whose_answer_was_lost_is_one(opened: Opened) -> None:
    """The holder keeps its token, and a waiter sees that the lease was renewed."""
    journal, wire = opened("update_item")
    lease = await journal.acquire(WEB, "one", ttl=10)
    wire.after = [LOST]
    renewed = await journal.renew(lease, ttl=10)
    assert renewed.token == lease.token
    assert await journal.lease(WEB) == renewed


async def test_a_lease_whose_answer_was_lost_is_granted_once(opened: Opened) -> None:
    """It is not taken again with a token that is higher by two."""
    journal, wire = opened("put_item")
    wire.after = [LOST]
    assert (await journal.acquire(WEB, "one", ttl=10)).token == 1
    assert await journal.token(WEB) == 1


async def test_lines_of_several_processes_have_one_order(opened: Opened) -> None:
    """Each number is given once and none is left out, whoever writes at the same time."""
    journals = [opened()[0] for _ in range(3)]
    written = await asyncio.gather(
        *(
            journal.append(Event(kind="step", service=f"shop@prod/{n}", data={"i": i}), 0)
            for n, journal in enumerate(journals)
            for i in range(4)
        )
    )
    assert sorted(event.seq for event in written) == list(range(1, 13))
    assert list(await journals[0].read()) == sorted(written, key=lambda event: event.seq)


async def test_a_table_that_is_not_there_is_named_with_the_way_out(table: Moto) -> None:
    """`infra bootstrap` was not run, or the account is another: it says whose was asked."""
    wire = Wire(table)
    where = rf"there is no table shop-crossfade for the journal in {REGION} of account \d{{12}}"
    with pytest.raises(WrongInputError, match=where) as refusal:
        await Table(wire, "shop-crossfade", "shop@prod").time()
    assert "infra bootstrap" in refusal.value.way_out
    await wire.close()


async def test_of_another_account_than_the_files_nothing_is_asked(table: Moto) -> None:
    """Whatever is called the same there: the credentials are looked at first, once."""
    theirs, ours = table.clients(account="999999999999"), table.clients(account="123456789012")
    said = "these credentials belong to account 123456789012, and the file's `cloud: account` is 999999999999"
    for _ in range(2):
        with pytest.raises(WrongInputError, match=said):
            await Table(theirs, table.name, "shop@prod").time()
    assert theirs.asked.keys() == {"sts get_caller_identity"}
    for _ in range(2):
        await Table(ours, table.name, "shop@prod").time()
    assert ours.asked == {"sts get_caller_identity": 1, "dynamodb get_item": 2}
    await theirs.close()
    await ours.close()


async def test_the_time_is_that_of_aws(table: Moto) -> None:
    """Whoever goes on with a rollout goes by the same clock as who began it."""
    wire = Wire(table)
    before = int(SystemClock().now())  # it comes in whole seconds
    told = await Table(wire, table.name, "shop@prod").time()
    assert before <= told <= SystemClock().now()
    await wire.close()


class SlowWire(Wire):
    """A change of a service takes a while; `done` says what was, in its order."""

    def __init__(self, table: Moto) -> None:
        super().__init__(table)
        self.done: list[str] = []
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def _ask(self, service: str, operation: str, parameters: Answer) -> Answer:
        if operation == "update_service":
            self.begun.set()
            self.goes_on.wait(10)
            self.done.append(operation)
            return {}
        answer = super()._ask(service, operation, parameters)
        self.done += [operation] if operation == "put_item" else []
        return answer


async def test_a_lease_is_given_back_after_what_was_begun_under_it(table: Moto) -> None:
    """Who is cancelled has asked AWS already: whoever takes the lease next must not be overtaken by that."""
    wire = SlowWire(table)
    journal = DynamoJournal(Table(wire, table.name, uuid4().hex), SystemClock())
    lease = await journal.acquire(WEB, "one", ttl=10)
    wire.done.clear()
    change = asyncio.create_task(wire.call("ecs", "update_service", service="web"))
    await asyncio.to_thread(wire.begun.wait, 10)
    change.cancel()
    release = asyncio.create_task(journal.release(lease))
    await asyncio.sleep(0.05)
    wire.goes_on.set()
    await release
    assert wire.done == ["update_service", "put_item"]
    await wire.close()
