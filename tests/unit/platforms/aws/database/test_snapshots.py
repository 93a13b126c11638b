"""Snapshots of a database before a migration."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.in_moto import InMoto, in_moto

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Hooks, Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.database.snapshots import KEPT, Snapshots

WEB = Service(
    app="shop", name="web", environment="dev", runtime="ecs", snapshot="shop-dev", hooks=Hooks(migrate="migrate")
)


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        yield aws


def database(aws: InMoto) -> None:
    aws.aws("rds").create_db_instance(
        DBInstanceIdentifier="shop-dev", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20
    )


AT = "20260301-140507"
MADE = datetime(2026, 3, 1, 14, 5, 7, 250_000, UTC)


def release(number: int, made: datetime = MADE) -> Release:
    how = {"version": f"v{number}", "digest": "web@sha256:1", "config_hash": "", "at": made.timestamp()}
    return Release(number=number, service=WEB, **how)  # type: ignore[arg-type]


def names(aws: InMoto) -> list[str]:
    found = [one["DBSnapshotIdentifier"] for one in aws.aws("rds").describe_db_snapshots()["DBSnapshots"]]
    return sorted(name for name in found if not name.startswith("rds:"))  # its own, by the clock


async def free() -> None: ...


def snapshots(aws: InMoto) -> Snapshots:
    return Snapshots(aws.clients, SystemClock(), 0.01)


async def test_a_release_has_one_however_often_it_is_asked_for(aws: InMoto) -> None:
    """Who goes on with what another process left takes none of the half migrated database."""
    database(aws)
    for _ in range(2):
        assert await snapshots(aws).take(release(7), 10, free) == f"shop-dev-before-web-7-{AT}"
    assert names(aws) == [f"shop-dev-before-web-7-{AT}"]


async def test_one_of_a_journal_that_was_lost_is_another_releases(aws: InMoto) -> None:
    """Numbers begin anew there: what was kept before release 7 then has nothing of what its namesake migrates."""
    database(aws)
    await snapshots(aws).take(release(7), 10, free)
    later = MADE + timedelta(days=30)
    assert await snapshots(aws).take(release(7, later), 10, free) == "shop-dev-before-web-7-20260331-140507"
    assert len(names(aws)) == 2


async def test_the_newest_are_kept_and_nobody_elses_is_touched(aws: InMoto) -> None:
    """AWS keeps what was asked for until somebody deletes it, and has a quota."""
    database(aws)
    aws.aws("rds").create_db_snapshot(DBInstanceIdentifier="shop-dev", DBSnapshotIdentifier="by-hand")
    for number in range(1, KEPT + 3):
        await snapshots(aws).take(release(number), 10, free)
    assert names(aws) == ["by-hand", *(f"shop-dev-before-web-{number}-{AT}" for number in range(3, KEPT + 3))]


async def test_without_it_nothing_is_migrated(aws: InMoto) -> None:
    """No such database; and whoever lost the lease takes none."""
    with pytest.raises(PlatformError, match="shop-dev"):
        await snapshots(aws).take(release(1), 10, free)
    database(aws)

    async def stale() -> None:
        raise PlatformError("it is another's")

    with pytest.raises(PlatformError, match="another's"):
        await snapshots(aws).take(release(1), 10, stale)
    assert names(aws) == []
