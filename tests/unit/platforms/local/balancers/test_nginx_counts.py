"""What was counted, from nginx's logs."""

from pathlib import Path

from crossfade.platforms.local.balancers.nginx.counts import Counts

GROUPS = {"127.0.0.1:1": ("shop/web", "shop.web.7")}


def counts(folder: Path) -> Counts:
    return Counts(folder / "counts.json", folder / "requests.log", folder / "error.log")


def line(*, status: int = 200, reached: str = "answered", **more: str) -> str:
    fields = {"kind": "clients", "service": "shop/web", "group": "shop.web.7", "streaming": "", "tries": "", **more}
    parts = [fields[name] for name in ("kind", "service", "group", "streaming")]
    return "\t".join([*parts, str(status), fields["tries"], reached, "0.004"]) + "\n"


def test_each_cause_is_told_from_how_far_the_last_try_came(tmp_path: Path) -> None:
    """Refused, reset, timed out, answered with an error, and nobody there."""
    (tmp_path / "requests.log").write_text(
        line()
        + line(status=500)
        + line(status=502, reached="unreached", tries="502, 502")
        + line(status=502, reached="reached")
        + line(tries="404 : 200")
        + line(status=504, reached="reached")
        + line(status=503, reached="none", group="")
        + line(status=499)
        + line(kind="preview", status=500)
        + line(kind="none", service="", group="", status=404)
    )
    found = counts(tmp_path)
    found.read(GROUPS)
    traffic = found.totals.traffic("shop/web")
    assert dict(traffic.failed) == {
        "500 from instance": 1,
        "no connection to instance": 1,
        "reset by instance": 1,
        "timeout": 1,
        "no release serving": 1,
    }
    assert (traffic.total.requests, traffic.total.errors, traffic.total.retried) == (8, 5, 2)
    assert traffic.client_closed == 1
    assert traffic.total.latency[-1] == (60_000, 8)
    assert found.totals.counters("shop.web.7").errors == 5


def test_an_answer_that_its_instance_cut_short_is_in_the_error_log_only(tmp_path: Path) -> None:
    """To nginx it is a 200; a try that failed before any answer is counted where its request is."""
    (tmp_path / "requests.log").write_text(line() * 2)
    said = 'upstream prematurely closed connection while reading {}upstream, upstream: "http://127.0.0.1:1/x"\n'
    (tmp_path / "error.log").write_text(said.format("") + said.format("response header from "))
    found = counts(tmp_path)
    found.read(GROUPS)
    found.read(GROUPS)
    assert found.totals.traffic("shop/web").failed == (("truncated answer", 1),)
    assert found.totals.counters("shop.web.7").errors == 1


def test_totals_outlive_the_controller(tmp_path: Path) -> None:
    """No line is counted twice and none is missed."""
    log = tmp_path / "requests.log"
    log.write_text(line() * 3)
    first = counts(tmp_path)
    first.read(GROUPS)
    first.save()
    log.write_text(line() * 3 + line(status=500))
    second = counts(tmp_path)
    second.read(GROUPS)
    assert second.totals.traffic("shop/web").total.requests == 4
    assert second.totals.traffic("shop/web").total.latency[6] == (5.0, 4)
    second.totals.forget("shop/web", ["shop.web.7"])
    assert second.totals.traffic("shop/web").total.requests == 0
    assert second.totals.counters("shop.web.7").requests == 0
