"""What Envoy says of all services at once, told apart."""

from crossfade.platforms.local.balancers.envoy.admin import AdminHost
from crossfade.platforms.local.balancers.envoy.statistics.said import EnvoySaid


def host(cluster: str) -> AdminHost:
    return AdminHost(cluster=cluster, instance="a", healthy=True, draining=False, standing_in=False, active=0)


def test_each_service_gets_its_own_statistics_and_those_that_are_nobodys() -> None:
    """Streams are counted by address, whoever listens there; a name that begins like another one is not that one."""
    web, preview, web2 = "cluster.shop/web/7.x", "cluster.shop/web/7/preview/streams.x", "cluster.shop/web2/7.x"
    said = EnvoySaid(
        {web: "1", preview: "2", web2: "3", "streams.closed.at.127.0.0.1:1": "4"},
        [host("shop/web/7"), host("shop/web/7/assets"), host("shop/web2/7")],
    )
    found = said.of("shop/web")
    assert found.stats == {web: "1", preview: "2", "streams.closed.at.127.0.0.1:1": "4"}
    assert [one.cluster for one in found.hosts] == ["shop/web/7", "shop/web/7/assets"]
    assert said.of("shop/unheard-of").hosts == []
