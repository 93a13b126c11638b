"""The rule that lets SSH in: one for each command, known by what it says, and closed whatever became of its command."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.moto import REGION, clients, moto, session

from crossfade.platforms.aws.servers.way_in import WayIn

RUNNER = "203.0.113.7/32"
OTHER = "203.0.113.8/32"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as made:
        yield made


class Group:
    """A security group of its own, and the way in through it."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.ec2: Any = session().create_client("ec2", REGION, endpoint_url=endpoint)
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.id = self.ec2.create_security_group(GroupName=name, Description="hosts", VpcId=vpc)["GroupId"]
        self.clients = clients(endpoint)
        self.way_in = WayIn(self.clients, self.id, "shop@prod")

    def authorized(self, what: str, address: str = OTHER) -> None:
        span = {"CidrIp": address, "Description": what}
        self.ec2.authorize_security_group_ingress(
            GroupId=self.id,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [span]}],
        )

    def said(self) -> list[str]:
        found = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.id]}])
        return sorted(one["Description"] for one in found["SecurityGroupRules"] if not one["IsEgress"])


@pytest.fixture
def group(endpoint: str, request: pytest.FixtureRequest) -> Iterator[Group]:
    made = Group(endpoint, request.node.name[:60])
    yield made
    asyncio.run(made.clients.close())


async def _let() -> None: ...


def test_it_is_open_for_what_it_says_and_closed_by_name(group: Group) -> None:
    """Opening twice is one rule, for an answer may be lost; closing twice is nothing."""

    async def go() -> None:
        for _ in range(2):
            await group.way_in.open(RUNNER, "rollout 7 by ci@runner", _let, writes=True)
        assert group.said() == ["crossfade shop@prod rollout 7 by ci@runner"]
        await group.way_in.close()
        await group.way_in.close()

    asyncio.run(go())
    assert group.said() == []


def test_what_a_killed_command_left_is_closed_by_the_next(group: Group) -> None:
    """Whoever writes closes all of the environment; who looks leaves other looks; nobody else's rule is touched."""
    group.authorized("crossfade shop@prod rollout 6 by ci@runner")
    group.authorized("crossfade shop@prod look 1f by me", "203.0.113.9/32")
    group.authorized("crossfade shop@dev rollout 1 by ci@runner", "203.0.113.10/32")
    group.authorized("an office", "203.0.113.11/32")
    others = ["an office", "crossfade shop@dev rollout 1 by ci@runner"]
    closed = asyncio.run(group.way_in.close_left(everything=False))
    assert closed == ["rollout 6 by ci@runner"]
    assert group.said() == sorted([*others, "crossfade shop@prod look 1f by me"])
    assert asyncio.run(group.way_in.close_left(everything=True)) == ["look 1f by me"]
    assert group.said() == others


def test_a_rule_of_the_team_that_lets_the_runner_in_is_left_alone(group: Group) -> None:
    """AWS has a source once: where somebody else's rule has ours there is nothing to open, and nothing to close."""
    group.authorized("the office", RUNNER)

    async def go() -> None:
        await group.way_in.open(RUNNER, "rollout 9 by ci@runner", _let, writes=True)
        await group.way_in.close()

    asyncio.run(go())
    assert group.said() == ["the office"]


def test_a_look_leaves_the_way_in_of_a_rollout_of_the_same_runner_alone(group: Group) -> None:
    """`status` beside a deploy of the same machine: AWS has a source once, and the deploy goes on through its rule."""
    running = "crossfade shop@prod rollout 8 by ci@runner"
    group.authorized(running, RUNNER)

    async def go() -> None:
        await group.way_in.open(RUNNER, "look 3c by ci@runner", _let, writes=False)
        assert group.said() == [running]
        await group.way_in.close()

    asyncio.run(go())
    assert group.said() == [running]


def test_one_that_is_being_opened_is_closed_as_well(group: Group) -> None:
    """Ctrl-C while AWS is asked: who closes waits for that, for the rule may come all the same."""

    async def go() -> None:
        asked, answered = asyncio.Event(), asyncio.Event()

        async def slowly() -> None:
            asked.set()
            await answered.wait()

        opening = asyncio.create_task(group.way_in.open(RUNNER, "rollout 7 by ci@runner", slowly, writes=True))
        await asked.wait()
        closing = asyncio.create_task(group.way_in.close())
        await asyncio.sleep(0)
        answered.set()
        await asyncio.gather(opening, closing)

    asyncio.run(go())
    assert group.said() == []


def test_a_rule_of_the_same_runner_is_taken_over(group: Group) -> None:
    """AWS has a source once: what another command of this runner left becomes ours."""
    group.authorized("crossfade shop@prod look 2a by ci@runner", RUNNER)
    asyncio.run(group.way_in.open(RUNNER, "rollout 8 by ci@runner", _let, writes=True))
    assert group.said() == ["crossfade shop@prod rollout 8 by ci@runner"]


def test_what_is_no_description_to_aws_is_written_otherwise(group: Group) -> None:
    """A name of a user or a machine may have any letter."""
    asyncio.run(group.way_in.open(RUNNER, 'rollout 9 by "jö"@runner', _let, writes=True))
    assert group.said() == ["crossfade shop@prod rollout 9 by -j--@runner"]
