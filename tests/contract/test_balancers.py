"""What every LoadBalancer keeps: those that a file may name, and the one in memory that the engine is tested with."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from math import sqrt
from pathlib import Path
from typing import Self

import pytest
from tests.adapters.until import until
from tests.contract.balancer_kits import Kit, kit, routing, service
from tests.support.backend import Backend

from crossfade.adapters import BALANCERS
from crossfade.core.errors import PlatformError, StaleTokenError
from crossfade.core.routing import Routing
from crossfade.core.service import Rule, Service
from crossfade.engine.ports.balancer import Exposed, Report


@pytest.fixture(params=["memory", *BALANCERS])
async def lb(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made


@asynccontextmanager
async def backends(names: str) -> AsyncIterator[tuple[dict[str, Backend], dict[str, str]]]:
    """Instances by name, and their addresses."""
    async with AsyncExitStack() as stack:
        made = {name: await stack.enter_async_context(Backend(name)) for name in names.split()}
        yield made, {name: backend.address for name, backend in made.items()}


async def more_than(known: int, lb: Kit, service: Service) -> int:
    """How many requests were counted, once they are more than those that are known."""

    async def counts() -> int:
        total = (await lb.counted(service)).traffic.total.requests
        return total if total > known else 0

    return await until(counts, 30)


async def test_the_routing_applied_is_the_routing_reported(lb: Kit) -> None:
    """What was applied is reported, with every instance, and answers."""
    web = service()
    async with backends("a b") as (_, addresses):
        asked = routing({1: 100}, {1: "a b"})
        await lb.balancer.apply(web, asked, addresses, 1)
        report = await lb.balancer.report(web.key)
        assert report.routing == asked
        assert set(report.targets) == {"a", "b"}
        assert {(await lb.ask(web)).body for _ in range(30)} == {"a", "b"}


async def test_an_unknown_service_has_an_empty_report(lb: Kit) -> None:
    """Nobody was told of it, and nothing is known of it."""
    assert await lb.balancer.report("shop/unheard-of") == Report()


async def test_a_report_may_be_an_older_one(lb: Kit) -> None:
    """What it counted is never more than was asked, comes to be all of it, and is counted once beside fresh ones."""
    web, other = service(), replace(service(), name="other", routes=(Rule(path="/other/*"),))
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        await lb.balancer.apply(other, routing({1: 100}, {1: "b"}), addresses, 1)
        for turn in range(1, 6):
            await lb.ask(web)
            assert (await lb.balancer.report(other.key, 60.0)).traffic.total.requests == 0
            assert (await lb.counted(web)).traffic.total.requests == turn
            assert (await lb.balancer.report(web.key, 0.05)).traffic.total.requests == turn
        assert set((await lb.balancer.report(web.key, 60.0)).targets) == {"a"}
        held = asyncio.create_task(lb.ask(web, "/hold"))
        try:
            assert await until(lambda: _in_flight(lb, web, "a", 1, age=0.05))
        finally:
            held.cancel()


async def test_weights_are_respected(lb: Kit) -> None:
    """Of 600 requests at 80 to 20, the share of the smaller lies within five standard deviations of 20 %."""
    web, number = service(), 600
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 80, 2: 20}, {1: "a", 2: "b"}), addresses, 1)
        got = Counter([(await lb.ask(web)).body for _ in range(number)])
        assert set(got) == {"a", "b"}
        assert abs(got["b"] - 0.2 * number) < 5 * sqrt(number * 0.2 * 0.8)
        groups = (await lb.counted(web)).groups
        assert {release: counters.requests for release, counters in groups.items()} == {1: got["a"], 2: got["b"]}


async def test_a_draining_instance_finishes_what_it_holds_and_gets_nothing_new(lb: Kit) -> None:
    """A request under way is counted in flight until it is answered; every new one goes elsewhere."""
    web = service()
    async with backends("a b") as (made, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        held = asyncio.create_task(lb.ask(web, "/hold"))
        await until(lambda: "/hold" in made["a"].seen)
        await until(lambda: _in_flight(lb, web, "a", 1))
        await lb.balancer.apply(web, routing({1: 100}, {1: "a b"}, draining="a"), addresses, 1)
        assert await _in_flight(lb, web, "a", 1)
        assert {(await lb.ask(web)).body for _ in range(20)} == {"b"}
        made["a"].gate.set()
        assert (await held).body == "a"
        await until(lambda: _in_flight(lb, web, "a", 0))
        await lb.balancer.apply(web, routing({1: 100}, {1: "b"}), addresses, 1)
        assert "a" not in (await lb.balancer.report(web.key)).targets


async def _in_flight(lb: Kit, service: Service, instance: str, number: int, age: float = 0.0) -> bool:
    """None, which is never 0, from a balancer that cannot tell."""
    told = (await lb.balancer.report(service.key, age)).targets[instance].in_flight
    return told == (number if lb.tells_in_flight else None)


@dataclass
class Hammer:
    """Clients that never stop; each answer with the moment its request began."""

    lb: Kit
    service: Service
    clients: int = 6
    got: list[tuple[float, int, str]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.tasks = [asyncio.create_task(self._run()) for _ in range(self.clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            answer = await self.lb.ask(self.service)
            self.got.append((began, answer.status, answer.body))

    def lost(self) -> list[int]:
        return [status for _, status, _ in self.got if status != 200]


async def test_after_a_switch_nobody_is_sent_to_the_old_instances(lb: Kit) -> None:
    """Switch after switch under load: whoever asks after `apply` returned is answered by the new release."""
    web = service()
    both = {1: "a", 2: "b"}
    switched: list[tuple[float, str]] = []
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, both), addresses, 1)
        async with Hammer(lb, web) as hammer:
            for number in range(lb.switches):
                release = 2 - number % 2
                old = both[3 - release]
                await lb.balancer.apply(web, routing({release: 100}, both, draining=old), addresses, 1)
                switched.append((time.monotonic(), both[release]))
                enough = len(hammer.got) + 12
                await until(lambda enough=enough: len(hammer.got) >= enough)
                switched.append((time.monotonic(), ""))  # from here on the next switch is under way
        for (since, name), (until_, _) in zip(switched[::2], switched[1::2], strict=True):
            answers = {body for began, status, body in hammer.got if since < began < until_ and status == 200}
            assert answers <= {name}
        if lb.lossless:
            assert hammer.lost() == []


async def test_a_stale_token_is_refused(lb: Kit) -> None:
    """Who lost the lease changes nothing, in any of the acts."""
    web = service()
    async with backends("a b") as (_, addresses):
        first = routing({1: 100}, {1: "a"})
        await lb.balancer.apply(web, first, addresses, 1)
        lb.fence.newest = 2
        with pytest.raises(StaleTokenError):
            await lb.balancer.apply(web, routing({1: 100}, {1: "b"}), addresses, 1)
        with pytest.raises(StaleTokenError):
            await lb.balancer.remove(web.key, 1)
        assert (await lb.balancer.report(web.key)).routing == first
        assert (await lb.ask(web)).body == "a"


async def test_the_same_routing_again_is_confirmed_without_a_change(lb: Kit) -> None:
    """A repeated apply keeps what was counted and what is under way."""
    web = service()
    async with backends("a") as (made, addresses):
        asked = routing({1: 100}, {1: "a"})
        await lb.balancer.apply(web, asked, addresses, 1)
        held = asyncio.create_task(lb.ask(web, "/hold"))
        await until(lambda: "/hold" in made["a"].seen)
        await until(lambda: _in_flight(lb, web, "a", 1))
        await lb.balancer.apply(web, asked, addresses, 1)
        assert await _in_flight(lb, web, "a", 1)
        made["a"].gate.set()
        assert (await held).status == 200
        assert (await lb.balancer.report(web.key)).routing == asked


async def test_a_removed_service_is_not_answered_and_not_known(lb: Kit) -> None:
    """Its port closes; the other service goes on; removing it again does nothing."""
    web, api = service(), service("api")
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        await lb.balancer.apply(api, routing({1: 100}, {1: "b"}), addresses, 1)
        await lb.balancer.remove(web.key, 1)
        await lb.balancer.remove(web.key, 1)
        assert lb.knows_nothing_of(await lb.balancer.report(web.key))
        assert (await lb.ask(api)).body == "b"
        await until(lambda: _turned_away(lb, web))


async def _turned_away(lb: Kit, service: Service) -> bool:
    return lb.turned_away(await lb.ask(service))


async def test_what_it_was_told_of_is_known_until_it_is_removed(lb: Kit) -> None:
    """With the token under which it was told so."""
    web, api = service(), service("api")
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        await lb.balancer.apply(api, routing({1: 100}, {1: "b"}), addresses, 1)
        assert await lb.balancer.known() == {s.key: Exposed(service=s, token=1) for s in (web, api)}
        await lb.balancer.remove(web.key, 1)
        assert (await lb.balancer.known()).keys() == {api.key}


async def test_an_apply_that_fails_leaves_the_old_routing(lb: Kit) -> None:
    """What is in the way, as a port that is taken, fails the service that wants it, with nothing left of it, and
    nobody else's.
    """
    web, late = service(), service("late")
    async with backends("a b") as (_, addresses):
        first = routing({1: 100}, {1: "a"})
        await lb.balancer.apply(web, first, addresses, 1)
        with lb.obstructed(late) as why, pytest.raises(PlatformError, match=why):
            await lb.balancer.apply(late, routing({1: 100}, {1: "b"}), addresses, 1)
        assert lb.knows_nothing_of(await lb.balancer.report(late.key))
        assert (await lb.balancer.report(web.key)).routing == first
        assert (await lb.ask(web)).body == "a"
        await lb.balancer.apply(late, routing({1: 100}, {1: "b"}), addresses, 1)
        assert (await lb.ask(late)).body == "b"


async def test_every_request_and_every_failure_is_counted(lb: Kit) -> None:
    """As many requests, failures and causes as the clients saw, by service and by release, once it has caught up."""
    web = service()
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 50, 2: 50}, {1: "a", 2: "b"}), addresses, 1)
        answers = []
        for number in range(50):
            answers.append(await lb.ask(web, "/fail" if number % 5 == 4 else "/"))
            if answers[-1].status >= 500:
                report = await lb.counted(web)
                assert report.traffic.total.errors == sum(answer.status >= 500 for answer in answers)
        failed = sum(answer.status >= 500 for answer in answers)
        assert failed == 10
        assert report.traffic.total.requests == 50
        assert report.traffic.total.errors == failed
        assert report.traffic.failed == ((lb.failed, failed),)
        assert sum(counters.requests for counters in report.groups.values()) == 50
        assert sum(counters.errors for counters in report.groups.values()) == failed
        assert report.traffic.total.latency[-1][1] == 50


async def test_without_weights_nobody_answers(lb: Kit) -> None:
    """Clients get a 503 that is counted, although instances are there."""
    web = service()
    async with backends("a") as (_, addresses):
        await lb.balancer.apply(web, routing({}, {1: "a"}), addresses, 1)
        assert [(await lb.ask(web)).status for _ in range(3)] == [503] * 3
        assert (await lb.counted(web)).traffic.failed == ((lb.unserved, 3),)


async def test_a_preview_is_reached_by_its_header_only(lb: Kit) -> None:
    """Requests with the header reach the release without traffic, and are not counted as clients'."""
    web = service()
    async with backends("a b") as (seen, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
        _, headers = await lb.balancer.preview(web, 2)
        assert {(await lb.ask(web)).body for _ in range(10)} == {"a"}
        assert {(await lb.ask(web, headers=headers)).body for _ in range(10)} == {"b"}
        assert len(seen["b"].seen) == 10
        report = await lb.counted(web)
        assert report.traffic.total.requests == (10 if lb.tells_previews else 20)
        assert report.groups[2].requests == 10
        await lb.balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}), addresses, 1)

        async def led_back() -> bool:  # the end of a preview need not be waited for by `apply`
            return {(await lb.ask(web, headers=headers)).body for _ in range(5)} == {"a"}

        await until(led_back)


async def test_a_second_adapter_on_the_same_state_goes_on(lb: Kit) -> None:
    """A new controller reports what the old one applied and counted, and applies what follows."""
    web = service()
    async with backends("a b") as (_, addresses):
        asked = routing({1: 100}, {1: "a"})
        await lb.balancer.apply(web, asked, addresses, 1)
        assert {(await lb.ask(web, "/fail")).status for _ in range(4)} == {500}
        before = await lb.counted(web)
        await lb.balancer.close()
        lb.balancer = lb.again()
        await lb.balancer.ensure()
        after = await lb.balancer.report(web.key)
        assert (after.routing, after.groups, after.traffic) == (before.routing, before.groups, before.traffic)
        assert (await lb.ask(web)).body == "a"
        await lb.balancer.apply(web, routing({1: 100}, {1: "b"}), addresses, 2)
        assert (await lb.ask(web)).body == "b"


async def test_services_that_ask_for_the_same_requests_are_told_apart(lb: Kit) -> None:
    """The second is refused with the name of the first, and changes nothing."""
    web = service(routes=(Rule(path="/api/*"),))
    other = service("site", app="blog", port=web.listener.http, routes=(Rule(path="/api/*"),))
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        with pytest.raises(PlatformError, match="shop/web"):
            await lb.balancer.apply(other, routing({1: 100}, {1: "b"}), addresses, 1)
        assert await lb.balancer.report(other.key) == Report()
        assert (await lb.ask(web, "/api/x")).body == "a"


async def test_a_restart_of_the_balancer_changes_nothing(lb: Kit) -> None:
    """Under load nothing is lost, the routing stays, and counting goes on where it was."""
    web = service()
    async with backends("a") as (_, addresses):
        asked = routing({1: 100}, {1: "a"})
        await lb.balancer.apply(web, asked, addresses, 1)
        async with Hammer(lb, web) as hammer:
            before = await more_than(0, lb, web)
            await lb.balancer.restart()
            await more_than(before, lb, web)
        assert (await lb.balancer.report(web.key)).routing == asked
        if lb.lossless:
            assert hammer.lost() == []


async def test_instances_may_come_and_go_within_one_release(lb: Kit) -> None:
    """A rolling change: one in, one draining, one gone, and always somebody answers."""
    web = service()
    async with backends("a b c") as (_, addresses):
        steps: list[Routing] = [
            routing({1: 100}, {1: "a"}),
            routing({1: 100}, {1: "a b"}),
            routing({1: 100}, {1: "a b c"}, draining="a"),
            routing({1: 100}, {1: "b c"}),
        ]
        await lb.balancer.apply(web, steps[0], addresses, 1)
        async with Hammer(lb, web, clients=3) as hammer:
            for step in steps[1:]:
                await lb.balancer.apply(web, step, addresses, 1)
                await asyncio.sleep(0.05)
        assert {(await lb.ask(web)).body for _ in range(30)} == {"b", "c"}
        if lb.lossless:
            assert hammer.lost() == []
