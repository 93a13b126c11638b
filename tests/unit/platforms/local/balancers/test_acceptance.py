"""New instances are waited for until the balancer's own check passed for them."""

import pytest
from tests.contract.balancer_kits import routing

from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck, Service
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.acceptance import accepted, newcomers
from crossfade.platforms.local.balancers.envoy.admin import AdminHost
from crossfade.platforms.local.balancers.envoy.statistics.targets import passed

OVER_AT_ONCE = -2.0  # a timeout with which no time is left to pass


def entry(checks: dict[int, HealthCheck]) -> book.Entry:
    addresses = {"a": "127.0.0.1:1", "b": "127.0.0.1:2"}
    asked, web = routing({1: 100}, {1: "a", 2: "b"}), Service(app="shop", name="web")
    return book.enter(None, service=web, routing=asked, addresses=addresses, token=1, checks=checks)


def test_who_begins_to_serve_and_who_comes_is_waited_for() -> None:
    """A draining one that is taken back serves anew; one that goes on is asked for nothing."""
    before = routing({1: 100}, {1: "a b"}, draining="b")
    assert newcomers(before, routing({1: 100}, {1: "a b"})) == {"b"}
    assert newcomers(before, routing({1: 100}, {1: "a b", 2: "c"}, draining="b")) == {"c"}
    assert newcomers(before, before) == set()


async def test_it_is_asked_again_until_all_have_passed() -> None:
    """One after the other, and nobody is asked where nobody is new."""
    answers = [frozenset[str](), frozenset("b"), frozenset("ab")]

    async def told() -> frozenset[str]:
        return answers.pop(0)

    await accepted("Envoy", entry({}), frozenset("ab"), told)
    assert answers == []
    await accepted("Envoy", entry({}), frozenset(), told)


@pytest.mark.parametrize(
    ("check", "asked"),
    [
        (HealthCheck(path="/two", timeout=OVER_AT_ONCE), "GET /two at 127.0.0.1:2"),
        (HealthCheck(command="true", timeout=OVER_AT_ONCE), "a connection at 127.0.0.1:2"),
    ],
)
async def test_one_that_does_not_pass_is_named_with_its_own_check(check: HealthCheck, asked: str) -> None:
    """By its release: that of another one may ask for another path, and be given more time."""

    async def told() -> frozenset[str]:
        return frozenset("a")

    with pytest.raises(PlatformError, match=f"HAProxy's own check of b does not pass: {asked}, 0 s long"):
        await accepted("HAProxy", entry({1: HealthCheck(path="/one"), 2: check}), frozenset("ab"), told)


def host(instance: str, *, healthy: bool = True, standing_in: bool = False) -> AdminHost:
    return AdminHost(
        cluster="shop/web/1", instance=instance, healthy=healthy, draining=False, standing_in=standing_in, active=0
    )


def test_envoy_has_to_pass_one_in_all_of_its_clusters() -> None:
    """Those of requests and of streams; who stands in for another release is not asked there."""
    hosts = [host("a"), host("a"), host("b"), host("b", healthy=False), host("c"), host("a", standing_in=True)]
    assert passed(hosts) == {"a"}
