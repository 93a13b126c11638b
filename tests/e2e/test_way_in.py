"""The rule that lets SSH in, where AWS answers late, not at all, or only that it has too much to do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from tests.rig import Rig

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.servers.way_in import WayIn

pytestmark = pytest.mark.long
RUNNER = "203.0.113.7/32"
OPENS, CLOSES = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=20.0, lag=0.0) as made:
        yield made


class Group:
    """A security group of its own, and the way in through it of a command that tries again for a second."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.ec2: Any = rig.client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.id = self.ec2.create_security_group(GroupName=name, Description="hosts", VpcId=vpc)["GroupId"]
        self.clients = Clients("us-east-1", endpoint=rig.endpoint, patience=1.0)
        self.way_in = WayIn(self.clients, self.id, "shop@prod")

    async def open(self, *, writes: bool) -> None:
        await self.way_in.open(RUNNER, "look 1f by me", _let, writes=writes)

    def rules(self) -> list[str]:
        found = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.id]}])
        return [one["Description"] for one in found["SecurityGroupRules"] if not one["IsEgress"]]


@pytest_asyncio.fixture
async def group(rig: Rig, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Group]:
    for name, text in rig.environment.items():
        monkeypatch.setenv(name, text)
    made = Group(rig, request.node.name[:60])
    yield made
    rig.knobs.clear()
    await made.clients.close()


async def _let() -> None: ...


@pytest.mark.parametrize("writes", [True, False])
async def test_one_whose_answer_got_lost_is_closed(rig: Rig, group: Group, writes: bool) -> None:
    """Asked for again AWS says that there is one already: it is ours."""
    rig.knobs.lose_answer("ec2", OPENS, times=1)
    await group.open(writes=writes)
    assert len(group.rules()) == 1
    await group.way_in.close()
    assert group.rules() == []


async def test_one_that_nobody_ever_heard_of_is_closed(rig: Rig, group: Group) -> None:
    """AWS opened it, answered none of our calls, and the command ends with that."""
    rig.knobs.lose_answer("ec2", OPENS, times=1)
    rig.knobs.cut("ec2", OPENS)
    with pytest.raises(PlatformError, match="AWS gave no answer"):
        await group.open(writes=True)
    assert len(group.rules()) == 1
    await group.way_in.close()
    assert group.rules() == []


async def test_one_that_ctrl_c_broke_off_is_closed(rig: Rig, group: Group) -> None:
    """What waits for AWS ends at once, and AWS opens it all the same."""
    rig.knobs.delay("ec2", OPENS, seconds=1, times=1)
    opening = asyncio.create_task(group.open(writes=True))
    while not group.rules():  # noqa: ASYNC110  what is waited for happens in AWS
        await asyncio.sleep(0.01)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await group.way_in.close()
    assert group.rules() == []


async def test_one_that_aws_does_not_close_in_time_is_told_of(rig: Rig, group: Group) -> None:
    """By its group, and who closes it; the next command does."""
    await group.open(writes=True)
    rig.knobs.throttle("ec2", CLOSES)
    with pytest.raises(PlatformError, match=rf"port 22 of security group {group.id} may still be open"):
        await group.way_in.close()
    rig.knobs.clear()
    assert await group.way_in.close_left(everything=True) == ["look 1f by me"]
    assert group.rules() == []
