"""Which requests are streams, and how many each instance holds of them."""

from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.admin import AdminHost
from crossfade.platforms.local.balancers.envoy.filters.streams import held, is_stream
from crossfade.platforms.local.balancers.envoy.statistics.targets import targets

HERE = "127.0.0.1:4000"


def entry() -> Entry:
    service = Service(app="shop", name="web")
    return Entry(
        service=service,
        routing=Routing(groups=(TargetGroup(release=1, registered=("a",)),), weights=((1, 1),)),
        addresses=(("a", HERE),),
        token=1,
        made_of=((1, service),),
    )


def host(active: int, cluster: str = "shop/web/1") -> AdminHost:
    return AdminHost(cluster=cluster, instance="a", healthy=True, draining=False, standing_in=False, active=active)


def test_what_was_opened_at_any_port_and_is_not_closed_is_held() -> None:
    """Of each address; also one of IPv6 or a socket's path."""
    stats = {
        f"http.8080.lua.opened.{HERE}": "3",
        f"http.8443.lua.opened.{HERE}": "1",
        f"streams.closed.at.{HERE}": "2",
        "http.8080.lua.opened.[::1]:4000": "1",
        "http.8080.lua.opened./run/a.sock": "1",
        "cluster.shop/web/1.upstream_rq_active": "9",
    }
    assert held(stats) == {HERE: 2, "[::1]:4000": 1, "/run/a.sock": 1}


def test_a_request_is_in_flight_until_its_answer_says_that_it_is_a_stream() -> None:
    """Whichever cluster it is in, which says only what its client would take."""
    hosts = [host(2), host(3, "shop/web/1/streams")]
    found = targets(entry(), hosts, {}, {HERE: 4})["a"]
    assert (found.in_flight, found.streams) == (1, 4)


def test_numbers_that_were_asked_for_one_after_the_other_never_go_below_zero() -> None:
    """A stream may end in between, and a successor counts the end of what it never opened."""
    assert targets(entry(), [host(1)], {}, {HERE: 2})["a"].in_flight == 0
    assert targets(entry(), [host(1)], {}, {HERE: -1})["a"].streams == 0


def test_the_content_type_or_the_switch_makes_a_stream() -> None:
    """In any case, and with parameters."""
    assert is_stream(101, "")
    assert is_stream(200, "Text/Event-Stream;charset=utf-8")
    assert not is_stream(200, "application/json")
    assert not is_stream(200, "")
