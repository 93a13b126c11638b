from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.terraform.rules import VALUES, ListenerRule, default, rules
from crossfade.file.model import Route, Service


def services(**routes: list[dict[str, str]]) -> dict[str, Service]:
    return {
        name: Service(image="acme/web", routes=tuple(Route.model_validate(route) for route in given))
        for name, given in routes.items()
    }


def test_who_takes_everything_has_no_rule() -> None:
    """The service of `/*` is the default; the others have a rule each, and `/api/*` has `/api` in it."""
    found = services(web=[{"path": "/*"}], api=[{"path": "/api/*"}, {"path": "/socket.io/*"}])
    assert default(found) == "web"
    assert rules(found) == (ListenerRule("api", (), ("/socket.io", "/socket.io/*", "/api", "/api/*")),)


def test_nobody_takes_everything() -> None:
    """Without a service of `/*` there is no default: what no rule is for is nobody's."""
    assert default(services(api=[{"path": "/api/*"}])) is None


def test_the_most_exact_is_asked_first() -> None:
    """Exact hosts before wildcards before any, exact paths before prefixes, long prefixes before short ones."""
    found = services(
        a=[{"path": "/x/*"}],
        b=[{"path": "/x/y/*"}],
        c=[{"path": "/x/y"}],
        d=[{"host": "*.example.com"}],
        e=[{"host": "api.example.com"}],
    )
    assert [rule.service for rule in rules(found)] == ["e", "d", "c", "b", "a"]


def test_a_host_alone_asks_for_no_path() -> None:
    """A route of a host is for all of its paths."""
    assert rules(services(web=[{"host": "example.com"}])) == (ListenerRule("web", ("example.com",), ()),)


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
ROUTES = st.builds(
    lambda path, below, host: {"path": path + ("/*" if below else "")} | ({"host": host} if host else {}),
    PATHS,
    st.booleans(),
    st.sampled_from([None, "one.example.com", "two.example.com", "*.example.com"]),
)


@given(st.lists(ROUTES, min_size=1, max_size=8), PATHS, st.sampled_from(["one.example.com", "x.example.com", "y.org"]))
def test_a_request_finds_the_service_that_it_finds_on_one_machine(
    routes: list[dict[str, str]], path: str, host: str
) -> None:
    """The first rule that fits belongs to the service of the most exact route that fits, and no rule is too long."""
    unique = {(route.get("host"), route["path"]): route for route in routes}
    found = services(**{f"s{index}": [route] for index, route in enumerate(unique.values())}, web=[{"path": "/*"}])
    made = rules(found)
    assert all(rule.values <= VALUES for rule in made)
    first = next((rule.service for rule in made if _fits(rule, host, path)), default(found))
    assert first == _best(found, host, path)


def _fits(rule: ListenerRule, host: str, path: str) -> bool:
    """As the load balancer matches."""
    hosts = not rule.hosts or any(fnmatchcase(host, pattern) for pattern in rule.hosts)
    return hosts and (not rule.paths or any(fnmatchcase(path, pattern) for pattern in rule.paths))


def _best(found: dict[str, Service], host: str, path: str) -> str:
    """As the file says: the most exact host, and of its routes the most exact path."""

    def exactness(route: Route) -> tuple[int, int, bool, int] | None:
        stem = route.path.removesuffix("/*")
        below = route.path.endswith("/*")
        if not (path == stem or (below and path.startswith(f"{stem}/"))):
            return None
        if route.host is None:
            return (0, 0, not below, len(stem))
        wild = route.host.startswith("*.")
        if not (host.endswith(route.host[1:]) if wild else host == route.host):
            return None
        return (1 if wild else 2, len(route.host), not below, len(stem))

    fitting = [(key, name) for name, one in found.items() for route in one.routes if (key := exactness(route))]
    return max(fitting)[1]
