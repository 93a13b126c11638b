"""`down -e`: what runs ends for whoever is answered now, and what Terraform made stays where it was."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.support.shipped import LIMIT, PACE, until
from tests.support.shop_on_aws import KILLED, Shop

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


def _tasks(rig: Rig, shop: Shop) -> int:
    ecs = rig.client("ecs")
    return len(ecs.list_tasks(cluster=shop.place.cluster)["taskArns"])


def test_what_was_taken_down_is_gone_and_comes_back_with_the_next_deploy(rig: Rig, tmp_path: Path) -> None:
    """Asked first; tasks of both colours end, scaling brings none of them back, places and history stay."""
    shop = Shop(rig, "shopdown", tmp_path)
    scaling = rig.client("application-autoscaling")
    for colour in ("blue", "green"):
        scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/shopdown-dev/shopdown-dev-web-{colour}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=2,
            MaxCapacity=4,
        )
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    unasked = shop.run("down", "-e", "dev", "--json")
    assert (unasked.code, unasked.last["error"]["way_out"]) == (3, "confirm it with --yes")
    other = shop.run("down", "blog", "-e", "dev", "--yes")
    assert (other.code, "dev is an environment of shopdown, not of blog" in other.err) == (2, True)
    assert shop.run("lock", "-e", "dev", "--reason", "sale").code == 0
    locked = shop.run("down", "-e", "dev", "--yes")
    assert (locked.code, "sale" in locked.err) == (3, True)
    assert shop.run("lock", "-e", "dev", "--release").code == 0
    assert _tasks(rig, shop) == 2

    ran = shop.run("down", "-e", "dev", "--yes", "--json")
    assert (ran.code, ran.last["stopped"]) == (0, ["shopdown@dev/web"]), ran.err
    assert _tasks(rig, shop) == 0
    found = rig.client("ecs").describe_services(cluster=shop.place.cluster, services=list(shop.place.services.values()))
    assert [one["desiredCount"] for one in found["services"]] == [0, 0]
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    mine = [one["SuspendedState"] for one in targets if "shopdown" in one["ResourceId"]]
    assert [all(state.values()) for state in mine] == [True, True]
    again = shop.run("down", "-e", "dev", "--yes")
    assert (again.code, "shopdown@dev was taken down" in again.err) == (2, True)
    releases = json.loads(shop.run("releases", "-e", "dev", "--json").out)["releases"]
    assert [one["version"] for one in releases] == ["v1"]

    shop.write(2)
    assert shop.run("deploy", "-e", "dev", "--version", "v2").code == 0
    with shop.visited() as visitors:
        assert shop.run("status", "-e", "dev").code == 0
    assert (set(visitors.answers), dict(visitors.lost)) == ({"2"}, {})


def test_in_the_middle_of_a_rollout_it_takes_force(rig: Rig, tmp_path: Path) -> None:
    """Whoever carries the rollout takes it back first; whoever is killed while it ends leaves it to the next one."""
    shop = Shop(rig, "shopforce", tmp_path)
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    shop.write(2, bake="10m")
    with shop.running("deploy", "-e", "dev", "--version", "v2", "--json") as process:
        until(process, lambda event: event["kind"] == "move" and event["data"]["action"]["do"] == "StartBake")
        refused = shop.run("down", "-e", "dev", "--yes")
        assert (refused.code, "carries it" in refused.err) == (3, True)
        died = shop.run("down", "-e", "dev", "--yes", "--force", program=KILLED, KILL_AT="at service removed")
        assert died.code == -signal.SIGKILL, died.err
        assert process.wait(LIMIT) == 1
    ran = shop.run("down", "-e", "dev", "--yes", "--force")
    assert (ran.code, _tasks(rig, shop)) == (0, 0), ran.err
    assert "`crossfade infra destroy -e dev` takes it away" in ran.out
