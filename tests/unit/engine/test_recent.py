"""What is remembered of the last minutes."""

from crossfade.core.counters import Counters
from crossfade.engine.recent import Recent


def counted(requests: int, errors: int = 0) -> Counters:
    return Counters(requests=requests, errors=errors)


def noted(until: int, errors_from: int = 0) -> Recent:
    """Ten requests a second from 0 to `until`; from some second on one of them fails."""
    recent = Recent()
    for second in range(until + 1):
        total = counted(10 * second, max(0, second - errors_from))
        recent.note(float(second), total, {7: total})
    return recent


def test_the_last_minute_is_told_with_how_long_it_was() -> None:
    """Of a longer time it is the last minute, of a shorter one what there is."""
    assert noted(200, errors_from=170).lately() == (counted(600, 30), 60.0)
    assert noted(34).lately() == (counted(340, 34), 34.0)
    assert Recent().lately() == (Counters(), 0.0)


def test_usual_is_what_the_last_five_minutes_brought() -> None:
    """Errors of an hour ago are not usual."""
    recent = noted(3600)
    assert recent.usual(7) == counted(3000, 300)
    assert recent.usual(8) == Counters()


def test_who_looked_for_less_takes_all_that_the_balancer_counted() -> None:
    """A controller that just started knows what the balancer counted while another one ran."""
    recent = Recent()
    recent.note(5000.0, counted(900, 18), {7: counted(900, 18)})
    assert recent.usual(7) == counted(900, 18)
    assert recent.lately() == (Counters(), 0.0)


def test_counters_that_began_anew_lose_nothing_that_came_since() -> None:
    """A balancer that died counts from 0."""
    recent = noted(100)
    recent.note(101.0, counted(4, 1), {7: counted(4, 1)})
    assert recent.lately()[0] == counted(4, 1)


def test_hundreds_of_quiet_services_cost_little() -> None:
    """No more than 32 samples are held, and of what does not change one."""
    recent = Recent()
    for second in range(3000):
        recent.note(float(second), counted(5), {7: counted(5)})
    assert len(recent._samples) <= 32
    assert len({id(sample.total) for sample in recent._samples}) == 1
