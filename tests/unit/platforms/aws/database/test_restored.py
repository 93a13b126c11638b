"""A snapshot becomes a database beside the one that serves, with its settings."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.in_moto import InMoto, in_moto

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.database.restored import Restorer

SNAPSHOT = "shop-dev-before-web-7"


@pytest.fixture
def aws() -> Iterator[InMoto]:
    """A database in its own subnets, and a snapshot of it."""
    with in_moto() as aws:
        rds, ec2 = aws.aws("rds"), aws.aws("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"][:2]]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{at}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for at, zone in enumerate(zones)
        ]
        rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=subnets)
        group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
        rds.create_db_parameter_group(
            DBParameterGroupName="tuned", DBParameterGroupFamily="postgres16", Description="tuned"
        )
        rds.create_db_instance(
            DBInstanceIdentifier="shop-dev",
            DBInstanceClass="db.t4g.small",
            Engine="postgres",
            AllocatedStorage=20,
            DBSubnetGroupName="data",
            VpcSecurityGroupIds=[group],
            DBParameterGroupName="tuned",
            DeletionProtection=True,
        )
        rds.create_db_snapshot(DBInstanceIdentifier="shop-dev", DBSnapshotIdentifier=SNAPSHOT)
        yield aws


def restorer(aws: InMoto) -> Restorer:
    return Restorer(aws.clients, SystemClock(), 0.01)


def quiet(_: str) -> None: ...


async def test_it_has_the_network_and_the_settings_of_the_one_beside_it(aws: InMoto) -> None:
    """RDS would put it into the default network, where nothing of the app gets to it. Asked again it is the same."""
    for _ in range(2):
        made = await restorer(aws).restore("shop-dev", SNAPSHOT, "shop-dev-restored", quiet)
    assert (made.name, made.snapshot, bool(made.host)) == ("shop-dev-restored", SNAPSHOT, True)
    found = {one["DBInstanceIdentifier"]: one for one in aws.aws("rds").describe_db_instances()["DBInstances"]}
    assert found.keys() == {"shop-dev", "shop-dev-restored"}
    old, new = found["shop-dev"], found["shop-dev-restored"]
    for name in ("DBInstanceClass", "VpcSecurityGroups", "DBParameterGroups", "DeletionProtection", "MultiAZ"):
        assert new[name] == old[name], name
    assert new["DBSubnetGroup"]["DBSubnetGroupName"] == "data"


async def test_a_snapshot_that_is_not_there_is_named_with_those_that_are(aws: InMoto) -> None:
    """Nothing is made."""
    with pytest.raises(WrongInputError, match=r"has no snapshot shop-dev-before-web-9\n.*before-web-7"):
        await restorer(aws).restore("shop-dev", "shop-dev-before-web-9", "shop-dev-restored", quiet)
    assert len(aws.aws("rds").describe_db_instances()["DBInstances"]) == 1


async def test_a_name_that_is_taken_is_left_alone(aws: InMoto) -> None:
    """Such as that of the database which serves, or of one that was restored from another snapshot."""
    aws.aws("rds").create_db_snapshot(DBInstanceIdentifier="shop-dev", DBSnapshotIdentifier="by-hand")
    await restorer(aws).restore("shop-dev", SNAPSHOT, "taken", quiet)
    for name in ("taken", "shop-dev"):
        with pytest.raises(WrongInputError, match=f"a database {name} already exists"):
            await restorer(aws).restore("shop-dev", "by-hand", name, quiet)


async def test_where_the_database_is_gone_its_place_is_made_first(aws: InMoto) -> None:
    """Network and settings are taken from the one that is there."""
    rds = aws.aws("rds")
    rds.modify_db_instance(DBInstanceIdentifier="shop-dev", DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier="shop-dev", SkipFinalSnapshot=True)
    with pytest.raises((PlatformError, WrongInputError), match="shop-dev"):
        await restorer(aws).restore("shop-dev", SNAPSHOT, "shop-dev-restored", quiet)


class Stuck(Clients):
    """RDS with one snapshot, and a database of it that is in a state."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self._state = state

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        if operation == "describe_db_snapshots":
            made = datetime(2026, 3, 1, tzinfo=UTC)
            told = {"DBSnapshotIdentifier": SNAPSHOT, "Status": "available", "SnapshotCreateTime": made}
            return {"DBSnapshots": [told]}
        tags = [{"Key": "crossfade:snapshot", "Value": SNAPSHOT}]
        return {"DBInstances": [{"DBInstanceStatus": self._state, "TagList": tags}]}


@pytest.mark.parametrize(
    "state",
    ["failed", "incompatible-option-group", "insufficient-capacity", "restore-error", "storage-full", "deleting"],
)
async def test_nobody_waits_for_what_does_not_come(state: str) -> None:
    """RDS has many words for a database that will never answer."""
    with pytest.raises(PlatformError, match=f"the restored shop-dev-restored is {state}"):
        await Restorer(Stuck(state), SystemClock(), 0.01).restore("shop-dev", SNAPSHOT, "shop-dev-restored", quiet)
