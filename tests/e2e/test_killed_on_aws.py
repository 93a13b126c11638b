"""Who carries a rollout on AWS dies by SIGKILL at a write of its journal; the next command sees to the rest.

Both ways to go on are tried: the same deploy again, and `abort`. The next one has to wait until the lease has lapsed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.ec2.machine import missing
from tests.support.shipped import PACE
from tests.support.shop_on_aws import OnGroups, OnRevisions, Shop

MOST = 60  # writes of one rollout
WHEN = ("before", "after")
NTH = 6  # of the writes where hosts have to boot each time


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


@pytest.mark.long
def test_killed_in_the_middle_of_the_switch(rig: Rig, tmp_path: Path) -> None:
    """What was done and not written is found; nobody loses a request."""
    shop = Shop(rig, "killed", tmp_path)
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    with shop.visited() as visitors:
        assert shop.killed(2, "before", 2)
    assert not visitors.lost
    assert shop.sizes() == [0, 2]


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_killed_at_every_write(rig: Rig, tmp_path: Path) -> None:
    """Each of one blue-green rollout in turn, before it or after it: it ends, two tasks serve, no request is lost."""
    shop = Shop(rig, "every", tmp_path)
    assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
    with shop.visited() as visitors:
        tried = next(n for n in range(1, MOST) if not shop.killed(n + 1, WHEN[n % len(WHEN)], n))
        assert not visitors.lost
    assert tried > 3
    assert shop.sizes() == [0, 2]


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("kind", [OnGroups, OnRevisions])
def test_killed_at_every_nth_write_on_hosts(rig: Rig, tmp_path: Path, kind: type[OnGroups]) -> None:
    """Of hosts that boot, with a container or with what CodeDeploy brings: two serve, and no request is lost."""
    shop = kind(rig, f"nth{kind.__name__.lower()}", tmp_path)
    try:
        assert shop.run("deploy", "-e", "dev", "--version", "v1").code == 0
        with shop.visited() as visitors:
            tried = next(n for n in range(1, MOST) if not shop.killed(n + 1, "after", NTH * n - NTH // 2))
            assert not visitors.lost
        assert tried > 2
        assert shop.sizes() == [0, 2]
    finally:
        shop.end()
