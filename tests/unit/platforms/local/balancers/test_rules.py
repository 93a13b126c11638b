"""Which service answers which request, when many share a port."""

from dataclasses import replace

import pytest
from tests.contract.balancer_kits import routing

from crossfade.core.errors import PlatformError
from crossfade.core.service import Inside, Listener, Preview, Rule, Service, Tls
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.rules import Door, by_host, doors, handed_over, seen_at

TLS = Tls(certificate="/c.pem", key="/k.pem")


def made(name: str, *rules: Rule, **listener: object) -> Service:
    return Service(app=name, name="web", routes=rules or (Rule(),), listener=Listener(**listener))  # type: ignore[arg-type]


def entries(*services: Service) -> dict[str, book.Entry]:
    return {
        service.key: book.enter(None, service=service, routing=routing({}, {}), addresses={}, token=1, checks={})
        for service in services
    }


def order(*services: Service) -> dict[str, list[tuple[str, str]]]:
    return {host: [(path, s.app) for path, s in rules] for host, rules in by_host(services).items()}


def test_longer_paths_are_tried_first_and_exact_ones_before_all() -> None:
    """Whichever service they belong to and in whichever order they came."""
    found = order(made("a"), made("b", Rule(path="/api/*"), Rule(path="/x")), made("c", Rule(path="/api/v2/*")))
    assert found == {"*": [("/x", "b"), ("/api/v2/*", "c"), ("/api/*", "b"), ("/*", "a")]}


def test_a_host_has_its_own_rules_before_those_of_wildcards_and_of_everybody() -> None:
    """What its own rules leave open falls to the wildcard that covers it, then to `*`."""
    found = order(
        made("all"),
        made("wild", Rule(host="*.example.com", path="/w/*")),
        made("one", Rule(host="API.example.com", path="/v1/*")),
    )
    assert found["api.example.com"] == [("/v1/*", "one"), ("/w/*", "wild"), ("/*", "all")]
    assert found["*.example.com"] == [("/w/*", "wild"), ("/*", "all")]
    assert found["*"] == [("/*", "all")]


def test_rules_that_would_never_be_reached_are_left_out() -> None:
    """A host that answers everything itself leaves nothing to those for any host."""
    found = order(made("all", Rule(), Rule(path="/api/*")), made("one", Rule(host="example.com")))
    assert found["example.com"] == [("/*", "one")]
    found = order(made("all", Rule(path="/api"), Rule(path="/apix")), made("one", Rule(host="h", path="/api/*")))
    assert found["h"] == [("/api/*", "one"), ("/apix", "all")]


def test_services_share_a_port_and_a_redirect_is_each_ones_own() -> None:
    """The plain port sends on whom https is for, and answers for the other."""
    one = made("one", Rule(path="/1/*"), http=80, https=443, tls=TLS)
    two = made("two", Rule(path="/2/*"), http=80)
    plain, secure = doors(entries(one, two))
    assert (plain.port, plain.services, plain.redirect) == (80, ("one/web", "two/web"), {"one/web"})
    assert (secure.port, secure.services, secure.tls) == (443, ("one/web",), (TLS,))


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (made("one"), made("two"), "ask for host"),
        (made("one"), made("two", Rule(path="/2"), host="127.0.0.1"), "opened at"),
        (made("one"), made("two", Rule(path="/2"), http=None, https=8080, tls=TLS), "cannot be https"),
    ],
)
def test_two_that_cannot_share_a_port_are_both_named(one: Service, two: Service, why: str) -> None:
    """The message has both apps and the port."""
    with pytest.raises(PlatformError, match=why) as refused:
        doors(entries(one, two))
    assert all(text in str(refused.value) for text in ("one/web", "two/web", "8080"))


def test_a_preview_port_is_shared_with_nobody() -> None:
    """Everything that comes to it is the preview's."""
    one = Service(app="one", name="web", preview=Preview(port=8080), listener=Listener(http=1))
    with pytest.raises(PlatformError, match="already used by one/web"):
        doors(entries(one, made("two")))
    assert doors(entries(one)) == (
        Door(host="0.0.0.0", port=1, services=("one/web",)),
        Door(host="127.0.0.1", port=8080, preview="one/web"),
    )


@pytest.mark.parametrize(
    ("serves", "exposed", "web", "site"),
    [
        (True, True, ["/old/*"], ["/*", "/new/*"]),
        (False, True, ["/*", "/old/*"], ["/new/*"]),
        (True, False, ["/*", "/old/*"], ["/*", "/new/*"]),  # it waits for its instances: no port knows it yet
    ],
)
def test_an_heir_has_the_routes_of_both_while_it_serves(
    serves: bool, exposed: bool, web: list[str], site: list[str]
) -> None:
    """Each route has one owner at every moment; what only one of them asks for stays its own."""
    listener = Listener(http=80)
    preview = Preview(port=81)
    old = Service(app="a", name="web", routes=(Rule(), Rule(path="/old/*")), listener=listener, preview=preview)
    new = replace(old, name="site", was="web", routes=(Rule(), Rule(path="/new/*")))
    weights = routing({1: 100}, {1: "i"}) if serves else routing({}, {})
    heir = book.enter(None, service=new, routing=weights, addresses={"i": "127.0.0.1:1"}, token=1, checks={})
    both = {**entries(old), "a/site": replace(heir, exposed=exposed)}
    found = handed_over(both)
    assert [rule.path for rule in found["a/web"].service.routes] == web
    assert [rule.path for rule in found["a/site"].service.routes] == site
    assert [door.preview for door in doors(both) if door.port == 81] == ["a/site" if exposed else "a/web"]


def test_doors_inside_are_for_an_apps_own_parts_by_name() -> None:
    """Two services at one address are told apart by name, one alone takes any; their routes are for visitors."""
    gateway = Inside(host="172.30.0.1", port=8080, clients=("172.30.0.2/31",))
    own = Inside(host="127.1.2.3", port=20001, clients=("127.0.0.0/8",))
    api = replace(made("a", Rule(path="/api/*"), http=8080), name="api", inside=(gateway, own))
    web = replace(made("a", http=8080), inside=(gateway,))
    public, inside, loopback = doors(entries(api, web))
    assert (public.name, inside.name, loopback.name) == ("8080", "172.30.0.1:8080", "127.1.2.3:20001")
    assert (public.clients, inside.clients, inside.services) == ((), ("172.30.0.2/31",), ("a/api", "a/web"))
    assert seen_at(public, api) == api
    assert [seen_at(inside, one).routes for one in (api, web)] == [(Rule(host="api"),), (Rule(host="web"),)]
    assert seen_at(loopback, api).routes == (Rule(),)
    assert not inside.secure
