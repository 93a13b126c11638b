import json

from crossfade.load.latency import Latency
from crossfade.load.report import LOSSES_KEPT, Cause, Count, LoadReport, Loss, Mode, Span
from crossfade.load.tally import Lost, Tally

MORNING = LoadReport(
    started=10.0,
    ended=20.0,
    wall_offset=1000.0,
    causes={Cause.RESET: 1},
    statuses={200: 9},
    modes={Mode.KEEPALIVE: Count(10, 1)},
    releases={"1": Span(9, 0, first_seen=10.5, last_seen=19.0, last_sent=18.0)},
    latency=Latency({7: 9}),
    connections=2,
    losses=(Loss(15.0, Mode.KEEPALIVE, Cause.RESET, "reset after the request was sent"),),
)
EVENING = LoadReport(
    started=18.0,
    ended=30.0,
    wall_offset=1000.0,
    causes={Cause.STATUS: 1},
    statuses={200: 3, 500: 1},
    modes={Mode.KEEPALIVE: Count(2, 0), Mode.POST: Count(2, 1)},
    releases={
        "1": Span(1, 0, first_seen=18.5, last_seen=19.5, last_sent=18.2),
        "2": Span(3, 1, first_seen=19.4, last_seen=29.0, last_sent=28.0),
    },
    latency=Latency({7: 1, 9: 2}),
    told_to_close=1,
)


def test_a_report_survives_json() -> None:
    """A report that another process printed is the one that it made."""
    assert LoadReport.from_json(json.loads(json.dumps((MORNING + EVENING).to_json()))) == MORNING + EVENING


def test_two_reports_add_up() -> None:
    """Two reports together count everything once and span both times."""
    both = MORNING + EVENING
    assert (both.requests, both.failed, both.seconds) == (14, 2, 20.0)
    assert both.modes == {Mode.KEEPALIVE: Count(12, 1), Mode.POST: Count(2, 1)}
    assert both.releases["1"] == Span(10, 0, first_seen=10.5, last_seen=19.5, last_sent=18.2)
    assert both.statuses == {200: 12, 500: 1}


def test_the_switch_lasts_from_the_first_new_answer_to_the_last_old_one() -> None:
    """The switch time is how long both releases answered."""
    assert round((MORNING + EVENING).switch_ms("1", "2")) == 100


def test_a_monotonic_moment_has_a_wall_clock_time() -> None:
    """Times of a report can be laid beside a log's."""
    assert MORNING.wall(15.0) == 1015.0


def test_a_loss_is_no_latency_but_an_answer_of_its_release() -> None:
    """A 500 counts as failed and as an answer of the release that gave it; its latency is left out."""
    tally = Tally(clock=lambda: 5.0)
    tally.lost(Mode.KEEPALIVE, 4.0, Lost(Cause.STATUS, "500", status=500, release="3"))
    report = tally.report()
    assert (report.requests, report.failed, report.statuses) == (1, 1, {500: 1})
    assert report.releases["3"] == Span(1, 1, first_seen=5.0, last_seen=5.0, last_sent=4.0)
    assert report.latency == Latency()


def test_only_the_first_losses_are_kept_in_full() -> None:
    """All losses are counted; the details of the first ones are enough."""
    tally = Tally()
    for _ in range(LOSSES_KEPT + 5):
        tally.lost(Mode.POST, 0.0, Lost(Cause.REFUSED, "connecting"))
    assert len(tally.report().losses) == LOSSES_KEPT
    assert tally.report().failed == LOSSES_KEPT + 5


def test_the_last_request_sent_is_not_the_last_one_answered() -> None:
    """A slow answer to an early request moves the last answer, not the last sending."""
    now = iter([0.0, 0.0, 1.0, 3.0, 9.0])
    tally = Tally(clock=lambda: next(now))
    tally.answered(Mode.KEEPALIVE, 0.8, 200, "1")
    tally.answered(Mode.KEEPALIVE, 0.1, 200, "1")
    seen = tally.report().releases["1"]
    assert (seen.first_seen, seen.last_seen, seen.last_sent) == (1.0, 3.0, 0.8)
