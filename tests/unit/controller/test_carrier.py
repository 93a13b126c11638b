"""Where no daemon runs: processes that carry one environment in turn, with their journal in a table of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector
from tests.adapters.memory_letters import Box, MemoryLetters
from tests.unit.controller.site import QUICK, Site, service, within

from crossfade.controller.api.hub import Hub
from crossfade.controller.carrier.carrier import Carrier, Environment
from crossfade.core.service import Strategy
from crossfade.core.wire import encode
from crossfade.engine.dry.journal import DryJournal, Paper
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.journal import Lease
from crossfade.engine.world import Pace, World

HOME = "shop@prod"
WEB = f"{HOME}/web"
PACE = Pace(busy=0.1, idle=0.2, retry=0.1, lease=3.0)

Json = dict[str, Any]


class Process:
    """A process that carries, and the API that it speaks to its own command."""

    def __init__(self, socket: Path, carrier: Carrier, journal: DryJournal) -> None:
        self.carrier, self.journal = carrier, journal
        self._socket = socket

    async def ask(self, method: str, path: str, **body: Any) -> Json:
        connector = UnixConnector(str(self._socket))
        query = {"params": body} if method == "GET" else {"json": body}
        async with (
            ClientSession(connector=connector) as session,
            session.request(method, f"http://x{path}", **query) as response,
        ):
            answer: Json = await response.json()
            return answer

    async def deploy(self, version: str, strategy: Strategy = QUICK, **how: Any) -> Json:
        """Of one service, whose code is what its version says."""
        wanted = service(environment="prod", source=f"/src/{version}", strategy=strategy)
        return await within(
            self.ask("POST", "/v1/deploy", services=[encode(wanted)], by="kim@laptop", version=version, **how)
        )

    async def status(self) -> Json:
        answer = await within(self.ask("GET", "/v1/status", app=HOME))
        found: Json = answer["services"][0]
        return found

    async def over(self, rollout: int) -> Json:
        answer = await within(self.ask("GET", f"/v1/rollouts/{rollout}", app=HOME, service="web", wait="1"))
        found: Json = answer["rollout"]
        return found


class There:
    """An environment: what runs in it, and what is written of it, outlives every process that looks after it."""

    def __init__(self, folder: Path) -> None:
        self.site, self.paper, self.box, self._folder = Site(), Paper(), Box(), folder
        self._processes = 0

    @asynccontextmanager
    async def process(self, who: str = "kim@laptop", journal: type[DryJournal] = DryJournal) -> AsyncIterator[Process]:
        """One that ends in order at the end of the block."""
        self._processes += 1
        written, hub = journal(self.site.clock, self.paper), Hub()
        world = World(
            journal=written,
            runtimes={"process": DryRuntime(self.site.platform, written)},
            balancer=self.site.balancer(self.site.platform, written),
            ask=self.site.ask,
            visit=_visit,
            clock=self.site.clock,
            secrets=self.site.secrets.of,
            told=hub.tell,
            pace=PACE,
        )
        environment = Environment(home=HOME, world=world, secrets=self.site.secrets, letters=MemoryLetters(self.box))
        socket = self._folder / f"{self._processes}"
        carrier = Carrier(environment, hub, f"{who}, process {self._processes}", socket)
        async with carrier.serving():
            yield Process(socket, carrier, written)


async def _visit(_url: str, _headers: Any, _count: int) -> None: ...


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


class Unreturned(DryJournal):
    """Of a process that is killed: it gives no lease back."""

    async def release(self, lease: Lease) -> None: ...


BAKED = Strategy(bake=1.0, timeout=60.0, keep_previous=0.0, rollback_on=QUICK.rollback_on)
SLOW = Strategy(bake=60.0, timeout=60.0, keep_previous=0.0, rollback_on=QUICK.rollback_on)


async def test_the_process_that_was_asked_carries_the_rollout(there: There) -> None:
    """It ends as it does under a daemon, and the lease is free as soon as the process ends."""
    async with there.process() as kim:
        begun = await kim.deploy("v1")
        assert (await kim.over(begun["id"]))["state"] == "succeeded"
        assert there.site.serves(WEB) == 1
        await within(kim.carrier.settled())
    async with there.process("ben@desk") as ben:
        assert await ben.journal.lease(WEB) is None
        assert (await ben.status())["version"] == "v1"


async def test_looking_holds_nothing(there: There) -> None:
    """`status` of another process shows what runs, and that somebody else carries it."""
    async with there.process() as kim, there.process("ben@desk") as ben:
        await kim.deploy("v1", SLOW)
        seen = await ben.status()
        assert seen["carrier"]["who"] == "kim@laptop, process 1"
        held = await kim.journal.lease(WEB)
        assert held is not None
        assert held.holder == "kim@laptop, process 1"


async def test_a_second_deploy_is_refused_with_who_and_since_when(there: There) -> None:
    """Once the first one is seen to live."""
    async with there.process() as kim, there.process("ben@desk") as ben:
        begun = await kim.deploy("v1", SLOW)
        refusal = (await ben.deploy("v2"))["error"]
        assert (
            f"rollout {begun['id']} of {WEB} to release 1 (v1) by kim@laptop has been running since" in refusal["cause"]
        )
        assert "kim@laptop, process 1 carries it" in refusal["cause"]
        assert refusal["exit_code"] == 3


async def test_an_order_reaches_the_process_that_carries(there: There) -> None:
    """It is done there, and answered here."""
    async with there.process() as kim, there.process("ben@desk") as ben:
        begun = await kim.deploy("v1", SLOW)
        answer = await within(ben.ask("POST", "/v1/order/abort", app=HOME, by="ben@desk", reason="wrong branch"))
        assert (answer["aborted"], answer["carried_by"]) == ([WEB], "kim@laptop, process 1")
        ended = await kim.over(begun["id"])
        assert (ended["state"], ended["reason"]) == ("aborted", "wrong branch")


async def test_an_order_that_is_refused_there_is_refused_here(there: There) -> None:
    """With the same words and exit code."""
    async with there.process() as kim, there.process("ben@desk") as ben:
        begun = await kim.deploy("v1")
        await kim.over(begun["id"])
        refusal = (await within(ben.ask("POST", "/v1/order/pause", app=HOME, by="ben@desk")))["error"]
        assert (refusal["cause"], refusal["exit_code"]) == (f"no rollout of {WEB} is under way", 3)


async def test_superseding_takes_back_what_another_process_carries(there: There) -> None:
    """And begins once that one has let go."""
    async with there.process("ben@desk") as ben:
        async with there.process() as kim:
            begun = await kim.deploy("v1", SLOW)
            second = asyncio.create_task(ben.deploy("v2", supersede=True))
            assert (await kim.over(begun["id"]))["reason"] == "superseded by kim@laptop"
        assert (await ben.over((await second)["id"]))["state"] == "succeeded"


async def test_what_was_left_in_order_is_gone_on_with_at_once(there: There) -> None:
    """The lease was given back: the next one need not wait."""
    async with there.process() as kim:
        begun = await kim.deploy("v1", BAKED)
    async with there.process("ben@desk") as ben:
        assert (await ben.status())["carrier"] is None
        left = await within(ben.ask("POST", "/v1/carry", services=[WEB]))
        assert [rollout["id"] for rollout in left["rollouts"]] == [begun["id"]]
        assert (await ben.over(begun["id"]))["state"] == "succeeded"


async def test_what_a_killed_process_left_is_gone_on_with_once_its_lease_lapsed(there: There) -> None:
    """Nobody renews it for its whole time: then the next one has it, and takes back what was meant to go."""
    async with there.process(journal=Unreturned) as killed:
        begun = await killed.deploy("v1", SLOW)
    async with there.process("ben@desk") as ben:
        assert (await ben.status())["carrier"]["who"] == "kim@laptop, process 1"
        answer = await within(ben.ask("POST", "/v1/order/abort", app=HOME, by="ben@desk", reason="it hangs"))
        assert answer["aborted"] == [WEB]
        assert "carried_by" not in answer
        assert (await ben.over(begun["id"]))["reason"] == "it hangs"


async def test_services_that_go_out_together_are_gone_on_with_together(there: There) -> None:
    """A release group is carried whole by whoever comes next, whichever of its services is named."""
    async with there.process() as kim:
        both = [service(name, environment="prod", strategy=BAKED) for name in ("api", "web")]
        begun = await within(
            kim.ask("POST", "/v1/deploy", services=[encode(one) for one in both], by="kim@laptop", version="v1")
        )
        assert begun["group"]["state"] == "running"
    async with there.process("ben@desk") as ben:
        left = await within(ben.ask("POST", "/v1/carry", services=[WEB, f"{HOME}/api"]))
        assert left["group"]["id"] == begun["group"]["id"]
        ended = await within(ben.ask("GET", f"/v1/groups/{left['group']['id']}", app=HOME, wait="1"))
        assert ended["group"]["state"] == "succeeded"
        assert {there.site.serves(f"{HOME}/{name}") for name in ("api", "web")} == {1}


async def test_services_of_another_environment_are_not_touched(there: There) -> None:
    """A request for them is a mistake, and holds nothing."""
    async with there.process() as kim:
        other = encode(service(environment="dev"))
        refusal = (await within(kim.ask("POST", "/v1/deploy", services=[other], by="kim")))["error"]
        assert (refusal["cause"], refusal["exit_code"]) == (f"shop@dev/web does not belong to {HOME}", 2)
        assert await kim.journal.token("shop@dev/web") == 0
