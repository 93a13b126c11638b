"""What every place for letters must keep: an order from elsewhere is done once or not at all."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from tests.adapters.memory_letters import Box, MemoryLetters
from tests.support.moto import Moto, journal_table

from crossfade.engine.ports.letters import Letter, Letters
from crossfade.platforms.aws.letters import DynamoLetters
from crossfade.platforms.aws.table import Table

ABORT = Letter(id="1", service="shop@prod/web", token=3, path="/v1/order/abort", body={"by": "ben", "reason": "größer"})


@pytest.fixture(scope="module")
def table() -> Iterator[Moto]:
    with journal_table() as made:
        yield made


@pytest.fixture(params=["memory", "dynamodb"])
async def letters(request: pytest.FixtureRequest) -> AsyncIterator[Letters]:
    if request.param == "memory":
        yield MemoryLetters(Box())
        return
    made = request.getfixturevalue("table")
    clients = made.clients()
    yield DynamoLetters(Table(clients, made.name, uuid4().hex))
    await clients.close()


async def test_a_letter_waits_until_somebody_takes_it(letters: Letters) -> None:
    """As it was written; and nobody else gets it afterwards."""
    other = replace(ABORT, id="2", body={})
    await letters.send(ABORT)
    await letters.send(other)
    assert sorted(await letters.waiting(), key=lambda letter: letter.id) == [ABORT, other]
    assert await letters.take(ABORT)
    assert not await letters.take(ABORT)
    assert await letters.waiting() == [other]


async def test_an_answer_is_given_to_whoever_asked(letters: Letters) -> None:
    """Once: with it the letter is gone."""
    await letters.send(ABORT)
    assert await letters.answered(ABORT) is None
    await letters.take(ABORT)
    assert await letters.answered(ABORT) is None
    await letters.answer(ABORT, {"aborted": ["shop@prod/web"]})
    assert await letters.answered(ABORT) == {"aborted": ["shop@prod/web"]}
    assert await letters.answered(ABORT) is None


async def test_what_nobody_has_taken_can_be_taken_back(letters: Letters) -> None:
    """Then it is done by nobody."""
    await letters.send(ABORT)
    assert await letters.take_back(ABORT)
    assert await letters.waiting() == []
    assert not await letters.take(ABORT)


async def test_what_was_taken_cannot_be_taken_back(letters: Letters) -> None:
    """Somebody does it, or has done it."""
    await letters.send(ABORT)
    await letters.take(ABORT)
    assert not await letters.take_back(ABORT)
