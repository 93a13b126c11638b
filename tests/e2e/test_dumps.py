"""A database on a host of its own: written down before a release migrates it, and given back beside itself."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.rig import Rig
from tests.support.database_host import DatabaseHost, why_not
from tests.support.on_ecs import LIMIT, PACE, reached
from tests.support.on_groups import ON_HOSTS, OnGroups
from tests.support.shipped import Shipped

from crossfade.aws.dumps import dump
from crossfade.aws.places import Places
from crossfade.core.rollout import State

pytestmark = [*ON_HOSTS, pytest.mark.skipif(bool(why_not()), reason=why_not() or "PostgreSQL")]

PLACES = Places("shop", "dev")
FILE = {
    "app": "shop",
    "services": {"web": {"image": "acme/web", "port": 8080, "hooks": {"migrate": "migrate"}}},
    "environments": {
        "dev": {
            "platform": "aws",
            "cloud": {
                "region": "us-east-1",
                "compute": {"kind": "autoscaling"},
                "database": {"host": True, "instance": "t3.small", "dumps": "backups"},
                "buckets": {"backups": {}},
            },
        }
    },
}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


@pytest.fixture(scope="module")
def database(rig: Rig) -> DatabaseHost:
    """Two orders are in it."""
    made = DatabaseHost(rig, PLACES)
    made.ask("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnGroups]:
    async with OnGroups(rig, "shop").serving() as shop:
        yield shop


async def test_a_release_that_migrates_has_its_database_written_down_first(
    shop: OnGroups, database: DatabaseHost
) -> None:
    """Once, although who carries it changes in the middle; and only then its migration runs."""
    service = replace(shop.service("migrates", hooks={"migrate": "true"}), dumped=True)
    await shop.order(service)
    await shop.until(lambda: len(shop.rig.client("ssm").list_commands()["Commands"]) > 0)
    await shop.process.close()
    await shop.begin()
    rollout = await shop.over()
    assert rollout.state is State.SUCCEEDED, rollout.reason
    (dumped,) = database.dumps()
    assert dumped.startswith(f"database/before-web-{rollout.target}-")
    sent = shop.rig.client("ssm").list_commands()["Commands"]
    assert [one["InstanceIds"] == [database.id] for one in sent] == [False, True]  # the newest is first


async def test_one_is_written_by_the_clock(database: DatabaseHost) -> None:
    """By the association that Terraform makes, of the same script; here at once."""
    ssm, before = database.rig.client("ssm"), database.dumps()
    made = ssm.create_association(
        Name="AWS-RunShellScript",
        ApplyOnlyAtCronInterval=True,
        ScheduleExpression="cron(0 18 * * ? *)",
        Parameters={"commands": [dump("postgres", database.bucket, "us-east-1", "a-day")]},
        Targets=[{"Key": "InstanceIds", "Values": [database.id]}],
    )["AssociationDescription"]
    assert database.dumps() == before
    ssm.start_associations_once(AssociationIds=[made["AssociationId"]])
    end = asyncio.get_running_loop().time() + LIMIT
    while "database/a-day.sql.gz" not in database.dumps():
        assert asyncio.get_running_loop().time() < end, "nothing is written"
        await asyncio.sleep(0.1)


async def test_a_dump_becomes_a_database_beside_the_one_that_serves(database: DatabaseHost, tmp_path: Path) -> None:
    """What was written since stays where it is, and what was deleted since is there again."""
    database.ask("DELETE FROM orders WHERE id = 1; INSERT INTO orders VALUES (3)")
    shipped = Shipped(database.rig, tmp_path)
    shipped.file(json.dumps(FILE))
    (name,) = [one[len("database/") : -len(".sql.gz")] for one in database.dumps() if "before-web-2-" in one]
    ran = await asyncio.to_thread(shipped.run, "restore", "database", "-e", "dev", "--from", name, "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert f"shop_restored has the data of {name}" in ran.out
    assert database.ask("SELECT id FROM orders ORDER BY id").split() == ["2", "3"]
    assert database.ask("SELECT id FROM orders ORDER BY id", "shop_restored").split() == ["1", "2"]
    again = await asyncio.to_thread(shipped.run, "restore", "-e", "dev", "--yes", "--from", "no-such")
    assert (again.code, "has no dump no-such" in again.err) == (2, True), again.err


async def test_without_its_dump_a_migration_does_not_run(shop: OnGroups, database: DatabaseHost) -> None:
    """Why it could not be written down is the reason, and the old release serves on."""
    serving, dumps = await shop.settled(), database.dumps()
    database.stop()
    service = replace(shop.service("unwritten", hooks={"migrate": "true"}), dumped=True)
    rollout = await shop.deploy(service)
    assert rollout.state is State.ROLLED_BACK
    assert re.search(rf"the dump before-web-{rollout.target}-[\d-]+ failed on {database.id}", rollout.reason)
    assert (database.dumps(), await shop.settled()) == (dumps, serving)
