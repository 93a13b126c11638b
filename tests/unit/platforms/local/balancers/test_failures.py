"""Causes in plain words, from lines as Envoy writes them."""

from typing import Any

import pytest

from crossfade.platforms.local.balancers.envoy.statistics.failures import Failure, failure


def line(code: int, flags: str, details: str, route: str = "clients/shop/web", **more: Any) -> dict[str, Any]:
    return {"code": code, "flags": flags, "details": details, "route": route, "cluster": "shop/web/7", **more}


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        (line(500, "-", "via_upstream"), "500 from instance"),
        (line(503, "-", "via_upstream"), "503 from instance"),
        (line(503, "UC", "upstream_reset_before_response_started{connection_termination}"), "reset by instance"),
        (line(503, "URX,UC", "upstream_reset_before_response_started{connection_termination}"), "reset by instance"),
        (
            line(503, "UF", "upstream_reset_before_response_started{remote_connection_failure|Connection_refused}"),
            "connection refused",
        ),
        (
            line(503, "UF", "upstream_reset_before_response_started{connection_timeout}"),
            "no connection to instance",
        ),
        (line(503, "UH", "no_healthy_upstream"), "no healthy instance"),
        (line(504, "UT", "response_timeout"), "timeout"),
        (line(200, "UPE", "upstream_reset_after_response_started{protocol_error}"), "truncated answer"),
        (line(200, "UC", "upstream_reset_after_response_started{connection_termination}"), "truncated answer"),
        (line(503, "-", "direct_response"), "no release serving"),
        (line(502, "UPE", "upstream_reset_before_response_started{protocol_error}"), "wrong HTTP from instance"),
        (line(503, "XX", "something_new"), "something_new"),
    ],
)
def test_each_way_to_fail_has_one_cause(written: dict[str, Any], cause: str) -> None:
    """A person who never saw Envoy understands it."""
    assert failure(written) == Failure(service="shop/web", group="shop/web/7", cause=cause, preview=False)


def test_a_client_that_left_has_no_cause() -> None:
    """Whatever else went wrong then."""
    for flags in ("DC", "DR", "URX,DC"):
        found = failure(line(0, flags, "downstream_remote_disconnect"))
        assert found is not None
        assert found.cause == ""


def test_the_end_of_a_stream_is_no_failure_but_a_refused_one_is() -> None:
    """A WebSocket that was opened has been answered. What says so is the answer, not what the client would take."""
    assert failure(line(101, "UC", "upstream_reset_after_response_started")) is None
    events = line(200, "UC", "upstream_reset_after_response_started", type="Text/Event-Stream; charset=utf-8")
    assert failure(events) is None
    found = failure(line(503, "UH", "no_healthy_upstream", cluster="shop/web/7/streams"))
    assert found == Failure(service="shop/web", group="shop/web/7", cause="no healthy instance", preview=False)
    cut = failure(line(200, "UC", "upstream_reset_after_response_started", type="application/json"))
    assert cut == Failure(service="shop/web", group="shop/web/7", cause="truncated answer", preview=False)


def test_an_asset_that_no_release_has_is_no_failure() -> None:
    """A site without a favicon answers 404 in both of its releases, or with a page: neither is to blame for it."""
    assert failure(line(404, "URX", "via_upstream", type="text/plain")) is None
    assert failure(line(200, "URX", "via_upstream", type="text/html")) is None
    broken = failure(line(500, "URX", "via_upstream"))
    assert broken == Failure(service="shop/web", group="shop/web/7", cause="500 from instance", preview=False)


def test_who_asked_for_nothing_of_ours_is_nobodys_failure() -> None:
    """An unknown path or a malformed request reaches no service."""
    assert failure(line(404, "NR", "route_not_found", route="")) is None
    assert failure({"code": 400, "flags": "DPE", "details": "http1.codec_error", "route": None}) is None


def test_a_preview_is_told_from_clients() -> None:
    """Its failures are its release's, not the clients'."""
    found = failure(line(500, "-", "via_upstream", "preview/shop/web"))
    assert found is not None
    assert found.preview
