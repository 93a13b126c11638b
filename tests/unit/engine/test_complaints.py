"""Why a release never got healthy: what was heard of it, and the error that it wrote itself."""

from dataclasses import replace

from tests.unit.engine.test_loop import SERVICE, WORKER, Here

from crossfade.core.fleet import Health
from crossfade.core.service import HealthCheck
from crossfade.engine.dry.behaviour import Behaviour

TRACE = (
    "Traceback (most recent call last):",
    '  File "app.py", line 5, in get',
    "NameError: name 'boom' is not defined",
)
IMPATIENT = replace(SERVICE, strategy=replace(SERVICE.strategy, timeout=20.0))


def reason(*says: str) -> str:
    """Why a release was taken back whose instances answer 503 and write these lines."""
    sick = Behaviour(life=((0.0, Health.UNHEALTHY),), says=lambda _: says)
    here = Here(lambda _: sick, IMPATIENT)
    here.run(lambda ledger: ledger.active is None and bool(ledger.releases))
    moves = [event.data["action"] for event in here.journal.events if event.kind == "move"]
    return next(str(move["reason"]) for move in moves if "became healthy within" in move.get("reason", ""))


def test_the_error_that_an_app_wrote_stands_beside_its_answer() -> None:
    """The process runs and answers; what is wrong with it is only in its log."""
    assert reason("listening", *TRACE, "GET / 503").endswith(
        "answered 503; it wrote: NameError: name 'boom' is not defined"
    )


def test_a_last_line_that_is_no_error_is_left_out() -> None:
    """It says nothing of the cause."""
    assert reason("listening", "GET / 503").endswith("answered 503")


def test_a_check_that_could_not_be_run_says_nothing_of_who_was_healthy() -> None:
    """A platform that is busy for a minute ends no worker, and takes no release back."""
    here = Here(lambda _: Behaviour(), replace(WORKER, health=HealthCheck(command="check", interval=2.0)))
    here.runtime.busy = 20.0
    here.run(lambda _: here.timeline.time() >= 80.0)
    assert [event for event in here.journal.events if event.kind == "instance exited"] == []


def test_a_check_that_could_not_be_run_says_why_nobody_is_healthy_yet() -> None:
    """A release that nobody could ask is late with that reason."""
    service = replace(WORKER, health=HealthCheck(command="check"), strategy=IMPATIENT.strategy)
    here = Here(lambda _: Behaviour(), service)
    here.runtime.busy = 0.0
    here.run(lambda ledger: ledger.active is None and bool(ledger.releases))
    assert here.loop.ledger.releases[0].why.endswith("it is busy")
