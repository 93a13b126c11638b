"""Where no daemon runs: processes that carry one environment in turn, with their journal in a table of their own."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.controller.site import service, within
from tests.unit.controller.there import BAKED, HOME, SLOW, WEB, Expiring, There, Unreturned

from crossfade.core.service import Strategy
from crossfade.core.wire import encode


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


async def test_the_process_that_was_asked_carries_the_rollout(there: There) -> None:
    """It ends as it does under a daemon, and the lease is free as soon as the process ends."""
    async with there.process() as kim:
        begun = await kim.deploy("v1")
        assert (await kim.over(begun["id"]))["state"] == "succeeded"
        assert there.site.serves(WEB) == 1
        assert await within(kim.ask("POST", "/v1/settle")) == {"settled": True}
    async with there.process("ben@desk") as ben:
        assert await ben.journal.lease(WEB) is None
        assert (await ben.status())["version"] == "v1"


async def test_nobody_waits_for_what_is_kept_warm(there: There) -> None:
    """The old release stands by for an hour; the command ends as soon as nothing moves."""
    warm = Strategy(bake=0.0, timeout=60.0, keep_previous=3600.0, rollback_on=BAKED.rollback_on)
    async with there.process() as kim:
        await kim.over((await kim.deploy("v1", warm))["id"])
        await kim.over((await kim.deploy("v2", warm))["id"])
        assert await within(kim.ask("POST", "/v1/settle")) == {"settled": True}
        assert (await kim.status())["warm"].keys() == {"1"}


async def test_what_only_a_person_can_mend_is_said_to_whoever_waits(there: There) -> None:
    """Credentials expire in the middle of a rollout: nobody can go on with it, and the command need not wait."""
    async with there.process(journal=Expiring) as kim:
        await kim.deploy("v1", SLOW)
        assert await within(kim.ask("GET", "/v1/stuck")) == {}
        assert isinstance(kim.journal, Expiring)
        kim.journal.expired = True
        assert await within(kim.ask("POST", "/v1/settle")) == {"settled": False}
        stuck = await within(kim.ask("GET", "/v1/stuck"))
        assert stuck == {"cause": "the credentials have expired", "way_out": "log in again"}


async def test_looking_holds_nothing(there: There) -> None:
    """`status` of another process shows what runs, and that somebody else carries it."""
    async with there.process() as kim, there.process("ben@desk") as ben:
        await kim.deploy("v1", SLOW)
        seen = await ben.status()
        assert seen["carrier"]["who"] == "kim@laptop, process 1"
        held = await kim.journal.lease(WEB)
        assert held is not None
        assert held.holder == "kim@laptop, process 1"


async def test_who_follows_its_own_rollout_looks_at_nothing_else(there: There) -> None:
    """Each look at a service is a dozen calls; `status` of a command that only looks takes them."""
    async with there.process() as kim:
        other = encode(service("api", environment="prod"))
        begun = await within(kim.ask("POST", "/v1/deploy", services=[other], by="kim", version="v1"))
        await within(kim.ask("GET", f"/v1/rollouts/{begun['id']}", app=HOME, service="api", wait="1"))
    async with there.process() as kim:
        await kim.deploy("v1", SLOW)
        seen = await within(kim.ask("GET", "/v1/status", app=HOME, looks="0"))
        assert {one["name"]: bool(one["instances"]) for one in seen["services"]} == {"api": False, "web": True}
        seen = await within(kim.ask("GET", "/v1/status", app=HOME))
        assert {one["name"]: bool(one["instances"]) for one in seen["services"]} == {"api": True, "web": True}


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
