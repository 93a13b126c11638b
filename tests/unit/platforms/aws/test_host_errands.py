"""Commands on hosts by Systems Manager: which host, found again, and what it says when nobody answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.rig.groups import template_data
from tests.support.on_ecs import CALLS_A_MINUTE, calls_a_minute
from tests.support.places import NOWHERE

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.aws.autoscaling.errands import LOOK, HostErrands
from crossfade.platforms.aws.autoscaling.templates import user_data_of
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.ecs import errand
from crossfade.platforms.aws.sight import Sight, Task

RELEASE = Release(
    number=7,
    service=Service(app="shop", name="web", environment="dev", runtime="autoscaling", image="web"),
    version="v2",
    digest="web@sha256:abc",
    config_hash="c",
)
USER_DATA = user_data_of(template_data("web:1", "/shop-dev/hosts", "sg-1"))
DONE = {"Status": "Success", "StatusDetails": "Success", "ResponseCode": 0, "StandardOutputContent": "d1\nmigrated\n"}


class Aws(Clients):
    """Answers each operation as it is told to; keeps what it was asked. What is sent may have been sent before."""

    def __init__(self, told: Answer, *, sent: bool = False, reached: tuple[str, ...] = ("i-1", "i-2", "i-3")) -> None:
        super().__init__()
        self.asked_for: dict[str, list[Mapping[str, Any]]] = {}
        self._answers: dict[str, Answer] = {
            "describe_instance_information": {
                "InstanceInformationList": [{"InstanceId": one, "PingStatus": "Online"} for one in reached]
            },
            "list_commands": {"Commands": []},
            "send_command": {"Command": {"CommandId": "new"}},
            "get_command_invocation": told,
            "describe_auto_scaling_instances": {"AutoScalingInstances": []},
        }
        self._sent = sent

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        self.asked_for.setdefault(operation, []).append(parameters)
        if operation == "send_command" and self._sent:
            raise AssertionError("it was sent before")
        return self._answers[operation]

    def sent_before(self, comment: str) -> None:
        self._answers["list_commands"] = {
            "Commands": [
                {"CommandId": "old", "InstanceIds": ["i-9"], "Comment": comment, "RequestedDateTime": datetime.now(UTC)}
            ]
        }


def host(name: str, release: int, health: Health, launched: float) -> Task:
    address = f"{name}:8080"
    return Task(arn=name, colour="blue", release=release, address=address, launched_at=launched, health=health)


HOSTS = (
    host("i-1", 6, Health.HEALTHY, 10.0),
    host("i-2", 6, Health.HEALTHY, 20.0),
    host("i-3", 7, Health.STARTING, 30.0),
)


async def run(aws: Aws, tasks: tuple[Task, ...] = HOSTS, limit: float = 5.0) -> HookResult:
    async def look() -> Sight:
        return Sight(place=NOWHERE, at=0.0, born=0.0, sides={}, tasks=tasks)

    return await HostErrands(aws, SystemClock(), 0.01).run(look, RELEASE, USER_DATA, "flyway migrate", {}, limit)


async def test_it_goes_to_a_host_of_the_release_and_else_to_the_oldest_that_is_healthy() -> None:
    """Which is the one that has been there longest, and is rather not one that boots."""
    aws = Aws(DONE)
    assert await run(aws) == HookResult(code=0, output="migrated", digest="d1")
    await run(aws, HOSTS[:2])
    await run(aws, (host("i-1", 6, Health.STARTING, 10.0), host("i-2", 6, Health.STARTING, 20.0)))
    assert [one["InstanceIds"] for one in aws.asked_for["send_command"]] == [["i-3"], ["i-1"], ["i-2"]]


async def test_what_was_sent_is_found_again_and_not_sent_twice() -> None:
    """By the name that the command has for everybody."""
    first = Aws(DONE)
    await run(first)
    again = Aws(DONE, sent=True)
    again.sent_before(first.asked_for["send_command"][0]["Comment"])
    assert (await run(again)).code == 0
    assert again.asked_for["get_command_invocation"] == [{"CommandId": "old", "InstanceId": "i-9"}]


async def test_a_host_that_goes_away_leaves_a_command_that_nobody_saw_end() -> None:
    """Nobody would ever say more of it."""
    gone = await run(Aws({"Status": "InProgress"}))
    assert (gone.code, gone.words) == (None, "ended, and nobody saw how: its host i-3 went away")


@pytest.mark.parametrize(
    ("aws", "tasks", "said"),
    [
        (Aws(DONE), (), "shop@dev/web has no host to run it on"),
        (Aws(DONE, reached=()), HOSTS, "Systems Manager reaches no host of shop@dev/web: i-1, i-2, i-3"),
        (Aws({"Status": "Failed", "StatusDetails": "Undeliverable"}), HOSTS, "host i-3 did not take it: Undeliverable"),
    ],
)
async def test_what_nobody_takes_within_its_time_has_failed(aws: Aws, tasks: tuple[Task, ...], said: str) -> None:
    """With why; until then every host that comes is asked."""
    ended = await run(aws, tasks, limit=0.05)
    assert (ended.code, said in ended.output) == (1, True)


class Slow(Aws):
    """The command is under way for so many looks, and its host is there."""

    def __init__(self, looks: int) -> None:
        super().__init__(DONE)
        self._answers["describe_auto_scaling_instances"] = {"AutoScalingInstances": [{"LifecycleState": "InService"}]}
        self._left = looks

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        answer = await super().call(service, operation, before, **parameters)
        if operation != "get_command_invocation" or not self._left:
            return answer
        self._left -= 1
        return {"Status": "InProgress"}


async def test_a_command_that_takes_long_is_asked_for_gently() -> None:
    """With the service that is looked after meanwhile it is within sixty calls a minute."""
    aws, looks = Slow(20), 20
    assert (await run(aws)).code == 0
    asked = sum(len(aws.asked_for[one]) for one in ("get_command_invocation", "describe_auto_scaling_instances"))
    assert calls_a_minute(4) + asked / (looks * LOOK / 60) <= CALLS_A_MINUTE  # 4 is a look at two groups
    assert calls_a_minute(5) + 60 / errand.LOOK <= CALLS_A_MINUTE  # 5 is one at two services of ECS
