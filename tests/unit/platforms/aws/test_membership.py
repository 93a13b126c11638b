"""A host's place in the target group, as a load balancer tells of it that is late."""

from typing import Any

import pytest

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.servers.found import FoundServer, Servers
from crossfade.platforms.aws.servers.membership import Membership

ONE = FoundServer(id="i-1", address="203.0.113.7", listens="10.0.0.7", key="")
SERVERS = Servers(all=(ONE,), security_group="sg-1", target_group="arn:web", port=80)
DELAY = {"Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]}


class Late(Clients):
    """Says one after the other of these states of i-1, and then the last of them for ever; i-2 serves all the while."""

    def __init__(self, *states: str) -> None:
        super().__init__()
        self.states, self.changed = list(states), list[str]()

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "describe_target_group_attributes":
            return DELAY
        if operation != "describe_target_health":
            self.changed.append(operation)
            return {}
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        told = {"i-2": "healthy", **({"i-1": state} if state else {})}
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": id_, "Port": 80}, "TargetHealth": {"State": state}} for id_, state in told.items()
            ]
        }


def membership(clients: Clients, waited: list[float]) -> Membership:
    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    return Membership(clients, SERVERS, ONE, fence=unfenced, sleep=sleep)


async def test_a_host_that_is_said_to_serve_after_it_was_taken_out_has_not_left() -> None:
    """The answer is older than the change: it is out once its drain was seen to be over."""
    clients, waited = Late("healthy", "healthy", "draining", "draining", ""), list[float]()
    assert await membership(clients, waited).leave()
    assert clients.changed == ["deregister_targets"]
    assert len(waited) == 3


async def test_one_that_the_load_balancer_never_lets_go_is_not_changed() -> None:
    """However long that is waited for."""
    with pytest.raises(PlatformError, match="does not let it go"):
        await membership(Late("healthy"), []).leave()
