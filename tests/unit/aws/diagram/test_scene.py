"""What is drawn of an environment."""

import pytest
from hypothesis import given, settings
from tests.unit.aws.diagram.apps import SYSTEMS, apps, example

from crossfade.aws.diagram.environment import scene
from crossfade.aws.diagram.scene import Node, Scene
from crossfade.file.model import App


def box(drawn: Scene, name: str) -> Node:
    return next(node for node in drawn.nodes() if node.id == name)


def arrows(drawn: Scene, way: str) -> set[tuple[str, str, str]]:
    return {(arrow.source, arrow.target, arrow.label) for arrow in drawn.arrows if arrow.way == way}


@settings(max_examples=20)
@given(app=apps())
def test_every_arrow_ends_at_something_drawn(app: App) -> None:
    """Whatever an environment consists of."""
    drawn = scene(app)
    there = {node.id for node in drawn.nodes()} | {tier.id for tier in drawn.tiers}
    there |= {cell.id for tier in drawn.tiers for cell in tier.cells}
    assert {end for arrow in drawn.arrows for end in (arrow.source, arrow.target)} <= there


@pytest.mark.parametrize("system", SYSTEMS)
def test_subnets_carry_their_networks(system: str) -> None:
    """Those of the file, one a zone."""
    app = example(system)
    drawn = {cell.title for tier in scene(app).tiers for cell in tier.cells}
    for zone, cidr in zip(app.cloud.zones, app.cloud.network.subnets("private", 2), strict=True):
        assert f"{app.cloud.region}{zone}  {cidr}" in drawn


def test_services_are_spread_over_the_zones() -> None:
    """Codemate's two backends stand in two zones; the load balancer reaches both on their port."""
    drawn = scene(example("codemate"))
    assert box(drawn, "service-backend-a").lines == (
        "1 of 2 tasks",
        "blue serves, green waits, or the reverse",
        "Fargate, 1 vCPU, 2 GB",
        "port 3001",
        "/api/*, /socket.io/*",
        "scales from 2 to 6",
    )
    assert {("balancer", f"service-backend-{zone}", "3001") for zone in "ac"} <= arrows(drawn, "serve")


def test_containers_are_two_fleets_and_hosts_are_one() -> None:
    """Blue and green of each service, and weights between their target groups, wherever a release goes to ECS."""
    of_tasks = [node for node in scene(example("tiketi")).nodes() if any("green" in line for line in node.lines)]
    assert {node.title for node in of_tasks} == {"Application Load Balancer", "api"}
    on_hosts = scene(example("teammoa"))
    assert not [node for node in on_hosts.nodes() if any("green" in line for line in node.lines)]


def test_a_zone_without_an_instance_says_so() -> None:
    """In dev one task runs; the other zone waits for the second."""
    drawn = scene(example("codemate", "dev"))
    assert not box(drawn, "service-backend-a").idle
    assert box(drawn, "service-backend-c").idle
    assert [arrow.target for arrow in drawn.arrows if arrow.target == "service-backend-c"] == []


def test_what_keeps_data_has_its_standby_and_replicas() -> None:
    """Tiketi's database has a standby and a read replica, its cache one replica of each shard."""
    drawn = scene(example("tiketi"))
    assert arrows(drawn, "copy") == {
        ("database", "standby", "copies"),
        ("database", "replica", "copies"),
        ("cache", "cache-c", "copies"),
    }
    assert box(drawn, "cache").lines[0] == "2 shards, cache.t3.micro"


def test_one_nat_gateway_serves_all_zones() -> None:
    """Codemate's dev leaves through zone a, prod through each zone's own."""
    assert arrows(scene(example("codemate", "dev")), "out") == {
        ("cell-private-a", "nat-a", ""),
        ("cell-private-c", "nat-a", ""),
    }
    assert ("cell-private-c", "nat-c", "") in arrows(scene(example("codemate")), "out")


def test_the_chain_of_groups_shows_what_goes_past_the_load_balancer() -> None:
    """Feedback's 22 and 9100 are open to the world."""
    drawn = scene(example("feedback"))
    opened = {(arrow.source, arrow.target): arrow.label for arrow in drawn.arrows if arrow.target.startswith("group")}
    assert opened == {
        ("outside-0-0-0-0-0-alb", "group-alb"): "80",
        ("group-alb", "group-app"): "8080",
        ("outside-0-0-0-0-0-app", "group-app"): "22, 9100",
        ("group-app", "group-database"): "3306",
    }
    assert box(drawn, "outside-0-0-0-0-0-app").kind == "open"


def test_a_site_has_a_cdn_before_its_bucket() -> None:
    """And tiketi's API a second one."""
    drawn = scene(example("tiketi"))
    assert {("dns", "cdn", "443"), ("cdn", "site-bucket", "files"), ("dns", "cdn-api", "443")} <= arrows(drawn, "enter")
