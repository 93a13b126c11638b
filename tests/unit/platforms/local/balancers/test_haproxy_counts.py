"""What was counted, from HAProxy's log and its totals."""

from pathlib import Path

from crossfade.platforms.local.balancers.haproxy import counts as counts_
from crossfade.platforms.local.balancers.haproxy.counts import LOOKS, BackendOwner, Counts
from crossfade.platforms.local.balancers.haproxy.runtime_api import BackendTally
from crossfade.platforms.local.balancers.haproxy.settings import EACH

WORKER = 41
ORIGINS = {"shop.web.0": BackendOwner("shop/web", "shop/web/7"), "shop.web.1": BackendOwner("shop/web", "")}
MANY = 100 * counts_._THREADS  # so many more than a worker has threads that these make no difference


def counts(folder: Path, *lines: str) -> Counts:
    (folder / "requests.log").write_text("".join(lines))
    found = Counts(folder / "counts.json", folder / "requests.log", folder / "access.log")
    found.read(ORIGINS)
    return found


def line(status: int = 200, *, mark: str = "r", ended: str = "--", ms: int = 4, **more: str) -> str:
    told = {"service": "-", "backend": "shop.web.0", "server": "a", "retries": "0", "kind": "-", **more}
    head = f"{mark} {WORKER} {told['service']} {told['backend']} {told['server']}"
    return f"{head} {ended} {status} {told['retries']} {ms} {told['kind']}\n"


def look(found: Counts, answered: int, failed: int = 0, *, times: int = 1) -> bool:
    tally = BackendTally(ended=answered, answered=answered, failed=failed)
    return [found.compare(WORKER, {"shop.web.0": tally}, ORIGINS) for _ in range(times)][-1]


def test_each_line_is_a_request_of_its_service_and_its_release(tmp_path: Path) -> None:
    """By its backend, also one that no release has any more; without a backend by what the line says."""
    found = counts(
        tmp_path,
        line(),
        line(500),
        line(backend="shop.web.1"),
        line(503, backend="80", server="<NOSRV>", service="shop/web", ended="LR"),
        line(404, backend="80", server="<NOSRV>", ended="LR"),
        line(kind="preview"),
        "Server shop.web.0/a is UP\n",
    )
    traffic = found.totals.traffic("shop/web")
    assert traffic.failed == (("500 from instance", 1), ("no release serving", 1))
    assert traffic.total.requests == 4
    assert found.totals.counters("shop/web/7").requests == 3


def test_one_of_a_sample_stands_for_many_by_its_time_alone(tmp_path: Path) -> None:
    """It is one request, whose time counts for all that had no line; a stream is not timed."""
    found = counts(tmp_path, line(ms=4), line(mark="<6>r", ms=900), line(kind="stream"))
    total = found.totals.traffic("shop/web").total
    assert total.requests == 3
    assert total.latency[-1][1] == 1 + EACH
    assert total.quantile_ms(0.5) > 700


def test_the_samples_copies_of_other_lines_are_nothing(tmp_path: Path) -> None:
    """What was written by itself is in the sample now and then, too, also for the access log."""
    found = counts(tmp_path, line(500), line(500, mark="<3>r"), line(), f"{line(mark='<5>r').strip()} {{}}\n")
    assert found.totals.traffic("shop/web").total.requests == 2
    assert not (tmp_path / "access.log").exists()


def test_answers_without_a_line_are_counted_at_once(tmp_path: Path) -> None:
    """But as many as may be lines that are about to be written: these after several looks; and none of them twice."""
    found = counts(tmp_path, line())
    assert look(found, 1 + MANY), "some are not sure"
    assert found.totals.traffic("shop/web").total.requests == 1 + MANY - counts_._THREADS
    look(found, 1 + MANY, times=LOOKS)
    assert not look(found, 1 + MANY)
    assert found.totals.traffic("shop/web").total.requests == 1 + MANY
    assert found.totals.counters("shop/web/7").requests == 1 + MANY
    assert found.totals.traffic("shop/web").failed == ()


def test_what_a_release_answered_that_is_gone_is_its_services(tmp_path: Path) -> None:
    """Its backend has no release any more when the last of it is counted."""
    found = counts(tmp_path)
    tally = BackendTally(ended=MANY, answered=MANY, failed=0)
    for _ in range(LOOKS):
        found.compare(WORKER, {"shop.web.1": tally, "gone.web.0": tally}, ORIGINS)
    assert found.totals.traffic("shop/web").total.requests == MANY


def test_a_failure_whose_line_is_late_is_not_taken_for_a_good_answer(tmp_path: Path) -> None:
    """HAProxy's totals have it first."""
    found = counts(tmp_path)
    look(found, MANY, failed=3)
    assert found.totals.traffic("shop/web").total.requests == MANY - 3 - counts_._THREADS
    with (tmp_path / "requests.log").open("a") as log:
        log.write(line(500) * 3)
    found.read(ORIGINS)
    look(found, MANY, failed=3, times=LOOKS + 1)
    assert found.totals.traffic("shop/web").total.requests == MANY
    assert found.totals.traffic("shop/web").failed == (("500 from instance", 3),)


def test_a_line_that_was_counted_before_it_came_is_made_up_for(tmp_path: Path) -> None:
    """What comes after it is fewer by one."""
    found = counts(tmp_path)
    look(found, 1, times=LOOKS)
    assert found.totals.traffic("shop/web").total.requests == 1
    with (tmp_path / "requests.log").open("a") as log:
        log.write(line())
    found.read(ORIGINS)
    look(found, 1 + MANY, times=LOOKS + 1)
    assert found.totals.traffic("shop/web").total.requests == 1 + MANY


def test_a_worker_is_counted_when_neither_its_totals_nor_its_lines_are_more(tmp_path: Path) -> None:
    """A line that came since the totals were told hides one that is missing."""
    found = counts(tmp_path, line())
    look(found, 2)
    assert not found.even(WORKER)
    look(found, 0)
    assert not found.even(WORKER)
    look(found, 1)
    assert found.even(WORKER)
