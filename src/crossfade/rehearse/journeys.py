"""The visitors of a rehearsal: those of the load test, as many as this machine can bear, one stage long."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossfade.core.errors import WrongInputError
from crossfade.core.journey import Journey, LoadStage, LoadTest, Step
from crossfade.core.service import Service
from crossfade.load.journeys.book import LoadBook
from crossfade.rehearse.cast import Cast

MOST = 100  # visitors that are taken from a load test unasked
USERS = 20  # without one
BEFORE = 4.0  # seconds of visitors before the first thing happens: a quarter of the stage
THINK = (0.2, 0.6)  # seconds, without a load test
_NAMED = re.compile(r"\$\{\w+\}")


def shaped(test: LoadTest, users: int | None) -> LoadTest:
    """Its journeys, with the visitors of its greatest stage, for as long as the rehearsal goes."""
    most = min(MOST, max(stage.users for stage in test.stages))
    return replace(test, stages=(LoadStage(users=users or most, seconds=4 * BEFORE),), warmup=min(test.warmup, 1.0))


def simple(services: Sequence[Service], users: int | None) -> LoadTest:
    """Where there is no load test: the first page that each service has a route for, whatever it answers but a 5xx."""
    paths = dict.fromkeys(one.routes[0].path.removesuffix("*") for one in services if one.kind == "web")
    steps = tuple(Step(method="GET", path=f"{path}?visitor", status=(200, 499), think=THINK) for path in paths)
    return LoadTest(
        journeys=(Journey(name="visit", steps=steps),), stages=(LoadStage(users=users or USERS, seconds=4 * BEFORE),)
    )


def fitting(test: LoadTest, cast: Cast) -> LoadTest:
    """The journeys as these can go them: for stand-ins without a login, and any good answer will do."""
    if not any(role.by == "a stand-in" for role in cast.roles):
        return test
    if test.locustfile:
        raise WrongInputError(
            f"{test.locustfile} is for the app, and a stand-in plays it", "a load test file with journeys"
        )
    return replace(test, health="", journeys=tuple(map(_relaxed, test.journeys)))


def shares(services: Sequence[Service], book: LoadBook) -> Mapping[str, float]:
    """Which part of all requests goes to each of these services by their routes, from 0 to 1."""
    asked = dict.fromkeys((one.name for one in services), 0)
    for endpoint, tally in book.endpoints.items():
        path = endpoint.partition(" ")[2].partition("?")[0]
        if name := _answering(path, services):
            asked[name] += tally.requests
    return {name: count / book.whole.requests if book.whole.requests else 0.0 for name, count in asked.items()}


def _answering(path: str, services: Sequence[Service]) -> str:
    """The service that answers it where no host is asked for: an exact path goes before prefixes, a long one first."""
    found = [
        (not rule.path.endswith("*"), len(rule.path), one.name)
        for one in services
        for rule in one.routes
        if one.kind == "web" and rule.host == "*" and _reaches(rule.path, path)
    ]
    return max(found)[2] if found else ""


def _reaches(rule: str, path: str) -> bool:
    return path == rule or (rule.endswith("*") and f"{path}/".startswith(rule.removesuffix("*")))


def _relaxed(journey: Journey) -> Journey:
    steps = tuple(
        replace(step, status=(200, 399), contains="", save=(), path=_NAMED.sub("1", step.path))
        for step in journey.steps
    )
    return replace(journey, login=(), steps=steps)
