"""The tree of paths by which Envoy is told many rules."""

from envoy.config.route.v3 import route_components_pb2
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from xds.type.matcher.v3 import matcher_pb2

from crossfade.core.service import Rule, Service
from crossfade.platforms.local.balancers.envoy.routes import path_match
from crossfade.platforms.local.balancers.envoy.xds.tree import matcher
from crossfade.platforms.local.balancers.rules import by_host

WORDS = st.lists(st.sampled_from(["a", "b", "ab", "a.b"]), max_size=4).map(lambda words: "/" + "/".join(words))
RULES = st.tuples(WORDS, st.sampled_from(["", "/*", "*"])).map(lambda parts: "".join(parts).replace("//", "/"))
ASKED = st.tuples(WORDS, st.sampled_from(["", "/", "x", "/x", "?q=/a/b", "/?a"])).map("".join)
NAMED = [("x-preview", "shop/web/2:secret", 1)]


@given(st.sets(RULES, min_size=1, max_size=30), st.lists(ASKED, min_size=1, max_size=30))
def test_a_path_finds_the_rule_that_it_would_find_one_after_the_other(rules: set[str], asked: list[str]) -> None:
    """Exact ones and prefixes that end at a segment or anywhere, however they lie in each other."""
    service = Service(app="shop", name="web", routes=tuple(Rule(path=path) for path in sorted(rules)))
    order = [path for path, _ in by_host([service])["*"]]
    tree = matcher({"named": [], "rules": [(path, 1) for path in order]}, fields(["odd host", "odd path", *order]))
    for path in asked:
        assert found(tree.on_no_match.matcher, path) == next((rule for rule in order if answers(rule, path)), None), (
            path
        )


def test_a_preview_by_name_comes_before_all_paths() -> None:
    """By its header and its whole value, which is looked at once and not for each rule."""
    made = fields(["odd host", "odd path", "preview", "/a/*", "/*"])
    tree = matcher({"named": NAMED, "rules": [("/a/*", 1), ("/*", 1)]}, made)
    refused, named = tree.matcher_list.matchers
    assert names(refused.on_match) == ["odd host", "odd path"]
    assert named.predicate.single_predicate.value_match.exact == "shop/web/2:secret"
    assert names(named.on_match) == ["preview"]
    assert found(tree.on_no_match.matcher, "/a/b") == "/a/*"


def fields(rules: list[str]) -> list[bytes]:
    """A route of each rule, called after it, as a field of its host."""
    made = [{"name": rule, "match": path_match(rule), "direct_response": {"status": 200}} for rule in rules]
    return [
        json_format.ParseDict({"routes": [route]}, route_components_pb2.VirtualHost()).SerializeToString()
        for route in made
    ]


def found(tree: matcher_pb2.Matcher, path: str) -> str | None:
    """As Envoy looks: from the longest stem to the shortest, for the first whose rule says that it is for the path."""
    stems = tree.matcher_tree.prefix_match_map.map
    for stem in sorted((stem for stem in stems if path.startswith(stem)), key=len, reverse=True):
        for rule in stems[stem].matcher.matcher_list.matchers:
            if says_so(rule.predicate, path):
                return next((name for name in names(rule.on_match) if answers(name, path)), None)
    return None


def says_so(predicate: matcher_pb2.Matcher.MatcherList.Predicate, path: str) -> bool:
    if predicate.or_matcher.predicate:
        return any(says_so(one, path) for one in predicate.or_matcher.predicate)
    way = predicate.single_predicate.value_match
    return path == way.exact if way.exact else path.startswith(way.prefix)


def names(to: matcher_pb2.Matcher.OnMatch) -> list[str]:
    listed = route_components_pb2.RouteList.FromString(to.action.typed_config.value)
    return [route.name for route in listed.routes]


def answers(rule: str, path: str) -> bool:
    """Whether the route of a rule matches, as Envoy documents its matches."""
    ((kind, text),) = path_match(rule).items()
    bare = path.partition("?")[0]
    if kind == "path":
        return bare == text
    return path.startswith(text) if kind == "prefix" else bare == text or bare.startswith(f"{text}/")
