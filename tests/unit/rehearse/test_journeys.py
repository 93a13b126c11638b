"""The visitors of a rehearsal, and whom they ask."""

import pytest

from crossfade.core.service import Rule, Service
from crossfade.load.journeys.book import LoadBook, Sample
from crossfade.rehearse.journeys import shares

FRONT = Service(app="shop", name="front")
API = Service(app="shop", name="api", routes=(Rule(path="/api/*"), Rule(path="/socket.io/*")))
FEED = Service(app="shop", name="feed", routes=(Rule(path="/api/feed"), Rule(host="feed.shop.example", path="/*")))
WORKER = Service(app="shop", name="worker", kind="worker")
SERVICES = (FRONT, API, FEED, WORKER)


def asked(*endpoints: str) -> LoadBook:
    book = LoadBook()
    book.began = 0.0
    for endpoint in endpoints:
        book.add(Sample(endpoint=endpoint, due=1.0, ended=1.1, late=0.0))
    return book


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("GET /", "front"),
        ("GET /apis", "front"),
        ("GET /api", "api"),
        ("POST /api/todos?page=2", "api"),
        ("GET /socket.io/${room}", "api"),
        ("GET /api/feed", "feed"),
        ("GET /api/feed/1", "api"),
    ],
)
def test_a_request_is_its_whose_route_it_takes(endpoint: str, name: str) -> None:
    """An exact path before prefixes, a long one before a short one; what only another host is asked for is nobody's."""
    assert shares(SERVICES, asked(endpoint)) == {one.name: float(one.name == name) for one in SERVICES}


def test_each_service_carries_its_share_of_the_load() -> None:
    """Three of four requests are the API's; a service that nobody asks has none."""
    found = shares(SERVICES, asked("GET /", "GET /api/a", "GET /api/b", "GET /api/c"))
    assert found == {"front": 0.25, "api": 0.75, "feed": 0.0, "worker": 0.0}
    assert set(shares(SERVICES, asked()).values()) == {0.0}
