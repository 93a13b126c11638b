"""Totals over all processes that Envoy was."""

import json
import sys
from pathlib import Path
from types import FrameType

from crossfade.core.counters import Counters
from crossfade.platforms.local.balancers.envoy.statistics.counts import Counts, counted

LATENCY = "B1(0,3) B2(1,4)"


def stats(requests: int, retried: int = 0) -> dict[str, str]:
    return {
        "cluster.shop/web/7.upstream_rq_completed": str(requests),
        "cluster.shop/web/7.upstream_rq_retry": str(retried),
        "cluster.shop/web/7.upstream_rq_time": LATENCY,
        "cluster.shop/web/7/streams.upstream_rq_completed": "2",
        "cluster.shop/web/7/streams.upstream_rq_time": "B1(0,100)",
        "cluster.shop/web/7/preview.upstream_rq_completed": "1",
        "cluster.shop/web/7/preview.upstream_rq_time": "No recorded values",
        "server.parent_connections": "0",
    }


def counts(folder: Path) -> Counts:
    return Counts(folder / "counts.json", folder / "failures.log")


def failed(code: int = 500, route: str = "clients/shop/web") -> str:
    written = {"route": route, "cluster": "shop/web/7", "code": code, "flags": "-", "details": "via_upstream"}
    return json.dumps(written) + "\n"


def test_statistics_are_added_up_by_group_and_by_who_asked() -> None:
    """Plain requests and streams together; how long a stream lasted is no latency."""
    assert counted(stats(10, retried=1)) == {
        "shop/web/7": Counters(requests=12, retried=1, latency=((1.0, 3), (2.0, 4))),
        "shop/web/7/preview": Counters(requests=1),
    }


def ahead(completed: int, ahead: int) -> dict[str, str]:
    """Answers, with what came ahead of some; one of all is a WebSocket."""
    name = "cluster.shop/web/7.upstream_rq_"
    return {f"{name}completed": str(completed), f"{name}1xx": str(ahead + 1), f"{name}101": "1"}


def test_what_comes_ahead_of_an_answer_is_no_request_and_a_switch_is_one(tmp_path: Path) -> None:
    """Of two numbers read one after the other the second may be newer: the total waits, and never goes back."""
    found = counts(tmp_path)
    for completed, interim, requests in ((5, 2, 3), (6, 3, 3), (7, 5, 3), (8, 5, 3), (12, 5, 7)):
        found.see("1:1", ahead(completed, interim))
        assert found.group("shop/web", 7).requests == requests
    found.save()
    later = counts(tmp_path)
    later.see("1:1", ahead(13, 5))
    assert later.group("shop/web", 7).requests == 8
    later.see("1:1", ahead(1, 0))  # Envoy dropped what it had counted
    assert later.group("shop/web", 7).requests == 9


def test_totals_go_on_when_another_process_counts_from_zero(tmp_path: Path) -> None:
    """What the first counted is kept, also for a new controller."""
    first = counts(tmp_path)
    first.see("1:1", stats(10))
    assert first.group("shop/web", 7).requests == 13
    first.save()
    second = counts(tmp_path)
    second.see("2:2", stats(5))
    assert second.group("shop/web", 7).requests == 13 + 8
    assert second.group("shop/web", 7).latency == ((1.0, 6), (2.0, 8))
    assert second.traffic("shop/web").total.requests == 12 + 7


def test_a_group_that_is_gone_leaves_what_clients_asked_of_it(tmp_path: Path) -> None:
    """One that is still known keeps its own counts, and nobody counts the other twice."""
    found = counts(tmp_path)
    (tmp_path / "failures.log").write_text(failed())
    found.read_log()
    found.see("1:1", stats(10))
    found.fold("shop/web", {"shop/web/7"})
    assert found.group("shop/web", 7).requests == 13
    found.fold("shop/web", {"shop/web/8"})
    found.save()
    again = counts(tmp_path)
    assert again.group("shop/web", 7) == Counters()
    assert again.traffic("shop/web").total == Counters(requests=12, errors=1, latency=((1.0, 3), (2.0, 4)), retried=0)


def test_a_death_is_counted_once(tmp_path: Path) -> None:
    """Also when the controller that noted it died before Envoy was back."""
    counts(tmp_path).died("1:1")
    again = counts(tmp_path)
    again.died("1:1")
    assert again.traffic("shop/web").balancer_deaths == 1
    again.died("2:2")
    assert again.traffic("shop/web").balancer_deaths == 2


def test_what_a_dead_process_wrote_down_were_requests(tmp_path: Path) -> None:
    """Its statistics died with it, and its log did not: of one request not 23 failed."""
    log = tmp_path / "failures.log"
    log.write_text(failed() * 2)
    found = counts(tmp_path)
    found.read_log()
    found.see("1:1", stats(10))
    log.write_text(failed() * 25 + failed(500, "preview/shop/web"))
    found.died("1:1")
    found.see("2:2", stats(1))
    total = found.traffic("shop/web").total
    assert (total.requests, total.errors) == (12 + 23 + 3, 25)
    assert (found.group("shop/web", 7).requests, found.group("shop/web", 7).errors) == (13 + 23 + 1 + 4, 26)


def test_failures_are_read_once_and_by_whole_lines(tmp_path: Path) -> None:
    """Also across a new controller and a line that is still being written."""
    log = tmp_path / "failures.log"
    log.write_text(failed() + failed() + failed(503)[:20])
    first = counts(tmp_path)
    first.read_log()
    first.see("1:1", stats(10))
    assert first.traffic("shop/web").failed == (("500 from instance", 2),)
    first.save()
    log.write_text(failed() + failed() + failed(503) + "not json\n" + failed(500, "preview/shop/web"))
    second = counts(tmp_path)
    second.read_log()
    second.see("1:1", stats(10))
    assert second.traffic("shop/web").failed == (("500 from instance", 2), ("503 from instance", 1))
    assert second.traffic("shop/web").total.errors == 3
    assert second.group("shop/web", 7).errors == 4


def test_a_forgotten_service_leaves_nothing_and_takes_nobody_with_it(tmp_path: Path) -> None:
    """One whose name begins the same keeps its counts."""
    (tmp_path / "failures.log").write_text(failed())
    found = counts(tmp_path)
    other = {"cluster.shop/web-2/7.upstream_rq_completed": "4"}
    found.read_log()
    found.see("1:1", stats(10) | other)
    found.forget("shop/web")
    assert found.group("shop/web", 7) == Counters()
    assert found.traffic("shop/web").total == Counters()
    assert found.group("shop/web-2", 7).requests == 4


def test_a_service_is_looked_up_without_a_look_at_all_others(tmp_path: Path) -> None:
    """Of hundreds each is asked for: what one takes must not grow with them."""
    made = [_steps(tmp_path / str(services), services) for services in (2, 200)]
    assert made[0] == made[1]


def _steps(folder: Path, services: int) -> int:
    """How often something is called to say what one of so many counted."""
    folder.mkdir()
    found = counts(folder)
    found.see("1:1", {f"cluster.shop/s{n}/7.upstream_rq_completed": "1" for n in range(services)})
    steps = 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal steps
        steps += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        assert found.traffic("shop/s1").total.requests == 1
    finally:
        sys.setprofile(None)
    return steps


def test_what_a_service_counted_is_known_by_the_next_controller_and_goes_with_it(tmp_path: Path) -> None:
    """Also what a process before counted of a group, and an error of one that was never counted."""
    found = counts(tmp_path)
    found.see("1:1", stats(10))
    found.see("2:2", {})
    (tmp_path / "failures.log").write_text(failed())
    found.read_log()
    found.save()
    later = counts(tmp_path)
    assert later.traffic("shop/web").total.requests == 12
    assert later.group("shop/web", 7).errors == 1
    later.fold("shop/web", ())
    assert (later.traffic("shop/web").total.requests, later.group("shop/web", 7)) == (12, Counters())
    later.forget("shop/web")
    assert later.traffic("shop/web").total == Counters()
