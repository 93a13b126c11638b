"""Who carries a rollout on AWS dies by SIGKILL at a write of its journal; the next command sees to the rest.

Both ways to go on are tried: the same deploy again, and `abort`. The next one has to wait until the lease has lapsed.
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.support.shipped import PACE
from tests.support.shop_on_aws import KILLED, Shop

MOST = 60  # writes of one rollout
WHEN = ("before", "after")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


def _kill(shop: Shop, release: int, when: str, count: int) -> bool:
    """Deploy, and die at that write; what is left is brought to its end. False: it had fewer writes."""
    shop.write(release)
    version = f"v{release}"
    died = shop.run("deploy", "-e", "dev", "--version", version, program=KILLED, KILL_AT=f"{when} {count}")
    if died.code != -signal.SIGKILL:
        assert died.code == 0, died.err
        return False
    if count % 3:
        ran = shop.run("deploy", "-e", "dev", "--version", version)
        assert ran.code == 0, (when, count, ran.err)
    else:
        ran = shop.run("abort", "-e", "dev")
        assert ran.code in {0, 3}, (when, count, ran.err)  # 3: it was over, only its record was not
    status = json.loads(shop.run("status", "-e", "dev", "--json").out)
    assert [one["rollout"] for one in status["services"]] == [None], (when, count)
    return True


def _sized(rig: Rig, shop: Shop) -> list[int]:
    services = list(shop.place.services.values())
    found = rig.client("ecs").describe_services(cluster=shop.place.cluster, services=services)["services"]
    return sorted(one["desiredCount"] for one in found)


def test_killed_in_the_middle_of_the_switch(rig: Rig, tmp_path: Path) -> None:
    """What was done and not written is found; nobody loses a request."""
    shop = Shop(rig, "killed", tmp_path)
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    with shop.visited() as visitors:
        assert _kill(shop, 2, "before", 2)
    assert not visitors.lost
    assert _sized(rig, shop) == [0, 2]


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_killed_at_every_write(rig: Rig, tmp_path: Path) -> None:
    """Each of one blue-green rollout in turn, before it or after it: it ends, two tasks serve, no request is lost."""
    shop = Shop(rig, "every", tmp_path)
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    with shop.visited() as visitors:
        tried = next(n for n in range(1, MOST) if not _kill(shop, n + 1, WHEN[n % len(WHEN)], n))
        assert not visitors.lost
    assert tried > 3
    assert _sized(rig, shop) == [0, 2]
