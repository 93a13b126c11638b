"""Routing as Envoy is told it."""

import json
from typing import Any

import pytest
from tests.contract.balancer_kits import routing

from crossfade.core.routing import Routing
from crossfade.core.service import Service, Sticky
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.envoy.routes import path_match
from crossfade.platforms.local.balancers.envoy.virtual_hosts import Rules, route_configuration
from crossfade.platforms.local.balancers.rules import doors

ADDRESSES = {"a": "127.0.0.1:1", "b": "127.0.0.1:2", "c": "127.0.0.1:3"}


def clients(asked: Routing, service: Service) -> list[dict[str, Any]]:
    entry = book.enter(None, service=service, routing=asked, addresses=ADDRESSES, token=1, checks={})
    entries = {service.key: entry}
    (door,) = doors(entries)
    (host,) = route_configuration(door, entries, {}, Rules())["virtual_hosts"]
    routes = [json.loads(part.text) for part in host["routes"]]
    return [route for route in routes if "clients/" in route["name"]]


def shares(asked: Routing, service: Service) -> list[int]:
    plain = clients(asked, service)[-1]["route"]
    return [cluster["weight"] for cluster in plain["weighted_clusters"]["clusters"]]


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/*", {"prefix": "/"}),
        ("*", {"prefix": "/"}),
        ("/api/*", {"path_separated_prefix": "/api"}),
        ("/api*", {"prefix": "/api"}),
        ("/api", {"path": "/api"}),
    ],
)
def test_a_path_ends_at_a_segment_unless_it_says_otherwise(path: str, match: dict[str, str]) -> None:
    """`/api/*` is /api and all below it, and not /apix."""
    assert path_match(path) == match


@pytest.mark.parametrize(
    ("weights", "scaled"),
    [({1: 90, 2: 10}, [9000, 1000]), ({1: 1, 2: 2}, [3333, 6667]), ({1: 1, 2: 1, 3: 1}, [3333, 3333, 3334])],
)
def test_shares_add_up_to_the_same_total_always(weights: dict[int, int], scaled: list[int]) -> None:
    """So a client's hash keeps its side of the split while weights change."""
    groups = dict(zip(weights, "abc", strict=False))
    assert shares(routing(weights, groups), Service(app="shop", name="web")) == scaled


def test_only_a_repeatable_request_is_repeated_when_its_instance_died() -> None:
    """GET, HEAD and OPTIONS; all others only while nothing was sent."""
    *_, safe, other = clients(routing({1: 1}, {1: "a"}), Service(app="shop", name="web"))
    assert "GET" in str(safe["match"])
    assert safe["route"]["retry_policy"]["retry_on"].split(",")[-1] == "reset"
    assert "reset" not in other["route"]["retry_policy"]["retry_on"].split(",")


def test_only_where_another_release_stands_in_is_it_tried_last() -> None:
    """Envoy counts priorities anew for each request: nobody pays for it who has one release."""
    alone = clients(routing({1: 1}, {1: "a"}), Service(app="shop", name="web"))
    assert not any("retry_priority" in route["route"]["retry_policy"] for route in alone)
    warm = clients(routing({2: 1}, {1: "a", 2: "b"}), Service(app="shop", name="web"))
    assert all("retry_priority" in route["route"]["retry_policy"] for route in warm)


def test_a_stream_has_no_timeout_of_its_own() -> None:
    """What a plain request may take at most would end every WebSocket; of an event stream it limits the beginning."""
    service = Service(app="shop", name="web", timeout=5, idle_timeout=60)
    found = [route["route"] for route in clients(routing({1: 1}, {1: "a"}), service)]
    lasting = [action for action in found if action["cluster"].endswith("/streams")]
    websocket, *events = lasting
    assert {action["timeout"] for action in lasting} == {"0s"}
    assert {action["timeout"] for action in found if action not in lasting} == {"5s"}
    assert "per_try_timeout" not in websocket["retry_policy"]
    assert {action["retry_policy"]["per_try_timeout"] for action in events} == {"5s"}
    assert not any("reset" in action["retry_policy"]["retry_on"].split(",") for action in events)
    assert {action["idle_timeout"] for action in found} == {"60s"}


def test_only_another_idle_timeout_is_in_a_route() -> None:
    """The listener has the usual one: a route's own would be a timer more for each request."""
    service = Service(app="shop", name="web")
    assert not any("idle_timeout" in r["route"] for r in clients(routing({1: 1}, {1: "a"}), service))


def test_sticky_clients_are_split_by_their_cookie() -> None:
    """The same hash chooses the release and the instance."""
    service = Service(app="shop", name="web", sticky=Sticky(cookie="id", ttl=60))
    action = clients(routing({1: 1, 2: 1}, {1: "a", 2: "b"}), service)[-1]["route"]
    assert action["weighted_clusters"]["use_hash_policy"] is True
    assert [policy["cookie"]["name"] for policy in action["hash_policy"]] == ["crossfade-id", "id", "crossfade-id"]
