"""Sums about production, with their assumptions."""

from crossfade.rehearse.estimate import GoodCourse, Need

COURSE = GoodCourse(planned=100.0, planned_here=10.0, took=14.0, waves=2, checks=2, interval=30.0)
NEED = Need(service="web", requests=1000.0, cpu_ms=4.0, cores=2.0, share=70.0, a_minute=None, least=2, most=10)


def test_a_deploy_there_takes_its_waits_its_checks_and_what_the_app_took_here() -> None:
    """100 s of settings, two launches of two checks each 30 s, and 4 s that no setting explains."""
    assert COURSE.there == 100 + 2 * 2 * 30 + 4


def test_what_aws_takes_to_start_tasks_leaves_a_promise_open() -> None:
    """Met with slow starts, not met without any, else not known."""
    assert COURSE.meets(224 + 2 * 120) is True
    assert COURSE.meets(223) is False
    assert COURSE.meets(300) is None


def test_instances_are_what_the_processor_asks_for() -> None:
    """4 s of processor a second, of which an instance gives 1.4: three of them."""
    assert (NEED.by_cpu, NEED.wanted, NEED.fits) == (3, 3, True)


def test_the_files_own_target_of_requests_counts_when_it_is_more() -> None:
    """1,000 a second are 60 instances of 1,000 a minute, whatever the processor says."""
    need = Need(service="web", requests=1000.0, cpu_ms=4.0, cores=2.0, share=70.0, a_minute=1000, least=2, most=10)
    assert (need.by_requests, need.wanted, need.fits) == (60, 60, False)


def test_nothing_is_said_where_nothing_was_measured() -> None:
    """Without a limit, or with a stand-in, there is no number."""
    need = Need(service="web", requests=1000.0, cpu_ms=None, cores=None, share=70.0, a_minute=None, least=2, most=10)
    assert (need.by_cpu, need.wanted, need.fits) == (None, None, None)
