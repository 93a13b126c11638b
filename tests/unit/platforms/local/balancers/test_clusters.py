"""Target groups as Envoy is told of them."""

from tests.contract.balancer_kits import routing, service

from crossfade.core.service import HealthCheck
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.envoy.clusters import Json, assignments, clusters


def checks_of() -> dict[str, Json]:
    """Of a release whose second one brings another health check, by cluster."""
    first = HealthCheck(path="/health", interval=5, timeout=1)
    second = HealthCheck(path="/ready", interval=120, timeout=9, unhealthy=2)
    entry = book.enter(
        None,
        service=service(health=first),
        routing=routing({1: 100}, {1: "a", 2: "b"}),
        addresses={"a": "127.0.0.1:1", "b": "127.0.0.1:2"},
        token=1,
        checks={1: first, 2: second},
    )
    return {cluster["name"]: check for cluster in clusters(entry) for check in cluster["health_checks"]}


def test_each_release_is_checked_by_its_own_numbers() -> None:
    """Path, interval, timeout and thresholds are those that it came with."""
    found = checks_of()
    assert [
        (check["interval"], check["timeout"], check["unhealthy_threshold"], check["http_health_check"]["path"])
        for check in (found["shop/web/1"], found["shop/web/2"])
    ] == [("5s", "1s", 3, "/health"), ("120s", "9s", 2, "/ready")]


def test_an_instance_is_asked_as_often_as_its_service_says() -> None:
    """One cluster checks it; that for streams does so once there are any, and previews never do."""
    found = checks_of()
    assert found.keys() == {"shop/web/1", "shop/web/1/streams", "shop/web/2", "shop/web/2/streams"}
    plain, streams = found["shop/web/1"], found["shop/web/1/streams"]
    assert (plain["interval"], plain["no_traffic_healthy_interval"]) == ("5s", "5s")
    assert (streams["interval"], streams["no_traffic_healthy_interval"]) == ("5s", "60s")
    assert found["shop/web/2/streams"]["no_traffic_healthy_interval"] == "120s"


def test_a_release_that_nobody_previews_has_no_clusters_for_it() -> None:
    """Of hundreds of services all had them, and an Envoy that came back made them before it served anybody."""
    addresses = {"a": "127.0.0.1:1", "b": "127.0.0.1:2"}
    shown = routing({1: 100}, {1: "a", 2: "b"}, preview=2)
    entry = book.enter(None, service=service(), routing=shown, addresses=addresses, token=1, checks={})
    names = [cluster["name"].removeprefix("shop/web/") for cluster in clusters(entry)]
    assert names == ["1", "1/streams", "2", "2/streams", "2/preview", "2/preview/streams"]
    assert {f"shop/web/{name}" for name in names} == assignments(entry).keys()
