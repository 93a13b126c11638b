"""A host's place in the target group: out of it while it changes, in it while it serves, and never the last one out."""

from collections.abc import Awaitable, Callable

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.platforms.aws.alb.health import TargetHealth, by_address
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.servers.found import FoundServer, Servers

LOOK = 5.0  # seconds between two looks, as AWS likes them
IN_SERVICE = 300.0  # seconds for a host that answers to be found healthy
BEYOND = 60.0  # seconds beyond its delay in which a host has left


class Membership:
    """`fence` is asked before each change; `sleep` and `pace` are an emulator's, whose times are so much shorter."""

    def __init__(
        self,
        clients: Clients,
        servers: Servers,
        server: FoundServer,
        *,
        fence: Check,
        sleep: Callable[[float], Awaitable[None]],
        pace: float = 1.0,
    ) -> None:
        self._clients, self._servers, self._fence, self._sleep = clients, servers, fence, sleep
        self._look, self._pace = LOOK / pace, pace
        self._target = {"Id": server.id, "Port": servers.port}
        self._place = f"{server.id}:{servers.port}"

    async def serves(self) -> bool:
        """The load balancer sends it requests."""
        return self._healthy((await self._seen()).get(self._place))

    async def leave(self) -> bool:
        """Out of service, with its last request answered or its delay over. False: it stays, as nobody else serves."""
        seen = await self._seen()
        others = [place for place, target in seen.items() if place != self._place and self._healthy(target)]
        mine = seen.get(self._place)
        if mine is None or mine.unused:
            return True
        if not mine.draining:
            if not others:
                return False
            await self._change("deregister_targets")
        waited, longest = 0.0, (await self._delay() + BEYOND) / self._pace
        # Also where it is said to be healthy still: what is read may be older than what was changed.
        while (mine := (await self._seen()).get(self._place)) is not None and not mine.unused:
            if waited > longest:
                raise PlatformError("the load balancer does not let it go", "look at the target group")
            waited += await self._wait()
        return True

    async def enter(self) -> None:
        """In service, as the load balancer sees it. PlatformError says what it finds wrong instead."""
        if not await self.serves():
            await self._change("register_targets")
        waited, mine = 0.0, None
        while not self._healthy(mine := (await self._seen()).get(self._place)):
            if waited > IN_SERVICE / self._pace:
                why = mine.detail if mine and mine.detail else "it is not checked"
                raise PlatformError(f"the load balancer does not take it: {why}", "see its health path and its rules")
            waited += await self._wait()

    async def _change(self, operation: str) -> None:
        group = self._servers.target_group
        await self._clients.call("elbv2", operation, self._fence, TargetGroupArn=group, Targets=[self._target])

    async def _seen(self) -> dict[str, TargetHealth]:
        asked = {"TargetGroupArn": self._servers.target_group}
        return by_address(await self._clients.call("elbv2", "describe_target_health", **asked))

    async def _delay(self) -> float:
        asked = {"TargetGroupArn": self._servers.target_group}
        told = await self._clients.call("elbv2", "describe_target_group_attributes", **asked)
        said = {one["Key"]: one["Value"] for one in told["Attributes"]}
        return float(said.get("deregistration_delay.timeout_seconds", 300))

    async def _wait(self) -> float:
        await self._sleep(self._look)
        return self._look

    @staticmethod
    def _healthy(target: TargetHealth | None) -> bool:
        return target is not None and target.health is Health.HEALTHY
