"""Threshold counting, probe by probe."""

from crossfade.core.fleet import Health
from crossfade.core.health import Probed, accepts, count
from crossfade.core.service import HealthCheck

CHECK = HealthCheck(healthy=2, unhealthy=3, codes=((200, 299), (304, 304)))


def probed(results: str, start: Probed | None = None) -> list[Probed]:
    """What each probe of `results` (+ passed, - failed), a second apart, makes of it."""
    seen = [start or Probed()]
    for now, result in enumerate(results, start=1):
        seen.append(count(seen[-1], CHECK, float(now), "" if result == "+" else "503"))
    return seen[1:]


def states(results: str, start: Probed | None = None) -> list[Health]:
    return [seen.health for seen in probed(results, start)]


def test_it_takes_as_many_passes_in_a_row_as_the_threshold() -> None:
    """With healthy 2, pass, fail, pass, pass is healthy at the fourth probe: a failure starts the count anew."""
    assert states("+-++") == [Health.STARTING] * 3 + [Health.HEALTHY]
    assert probed("+-++")[-1].healthy_since == 4.0


def test_it_takes_as_many_failures_in_a_row_to_lose_it() -> None:
    """With unhealthy 3 two failures and a pass change nothing; the third failure in a row does."""
    assert states("++--+--") == [Health.STARTING] + [Health.HEALTHY] * 6
    assert states("++---")[-1] is Health.UNHEALTHY
    assert probed("++---")[-1].detail == "503"


def test_what_was_lost_is_won_back_by_the_healthy_threshold() -> None:
    """An unhealthy instance that passes twice in a row is healthy again, from then on."""
    assert states("++---+-++")[-4:] == [Health.UNHEALTHY] * 3 + [Health.HEALTHY]
    assert probed("++---++")[-1].healthy_since == 7.0


def test_one_that_never_passed_goes_on_starting() -> None:
    """Failing before it was ever healthy is not losing its health, and its complaint is kept."""
    assert states("-" * 10) == [Health.STARTING] * 10
    assert probed("-")[-1].detail == "503"


def test_codes_are_ranges_with_both_ends() -> None:
    """200 to 299 and 304 pass, 300 and 500 do not."""
    assert [accepts(CHECK, code) for code in (199, 200, 299, 300, 304, 500)] == [False, True, True, False, True, False]
