"""Several services of one deploy end together, whoever dies on the way."""

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, QUICK, Control, Site, service, within

from crossfade.controller.groups.groups import ENDED
from crossfade.controller.order import Shell
from crossfade.core.errors import PlatformError, RefusedError, UnchangedError
from crossfade.core.release import Outcome
from crossfade.core.rollout import State
from crossfade.core.service import Service
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.ports.journal import Event

BRIEF = replace(QUICK, timeout=0.3)


def pair(version: str = "1", **changes: object) -> tuple[Service, Service]:
    """An api and a web that depends on it."""
    api = service("api", env=(("V", version),), **changes)
    return api, service("web", env=(("V", version),), depends_on=("api",), strategy=BRIEF, **changes)


async def first(control: Control) -> None:
    assert (await control.deploy_together(*pair())).state is State.SUCCEEDED


async def test_all_go_out_in_the_order_in_which_they_depend(site: Site) -> None:
    """The one that is depended on first; both are at their new release in the end."""
    async with site.controller() as control:
        group = await control.deploy_together(*pair())
        assert (group.state, group.reason) == (State.SUCCEEDED, "all 2 services are out")
        begun = [e.service for e in site.journal.events if e.kind == "rollout started"]
        assert begun == ["shop/api", "shop/web"]
        assert (site.serves("shop/api"), site.serves("shop/web")) == (1, 1)


async def test_services_that_do_not_depend_on_each_other_go_out_together(site: Site) -> None:
    """All have begun before the first is out; when one is bad, those beside it go back with it, at once."""
    names = ("api", "web", "docs")
    async with site.controller() as control:
        assert (await control.deploy_together(*(service(name) for name in names))).state is State.SUCCEEDED
        kinds = [(e.kind, e.service) for e in site.journal.events if e.kind in {"rollout started", "move"}]
        assert kinds[:3] == [("rollout started", f"shop/{name}") for name in names]
        site.sick.update({("shop/web", 2), ("shop/docs", 2)})
        group = await control.deploy_together(
            service("api", env=(("V", "2"),)),
            service("web", env=(("V", "2"),), strategy=BRIEF),
            service("docs", env=(("V", "2"),)),
        )
        assert group.state is State.ROLLED_BACK
        assert group.reason.startswith("shop/web: 0 of 1 instances of release 2 became healthy")
        assert [site.serves(f"shop/{name}") for name in names] == [1, 1, 1]
        docs = control.registry.ledger("shop/docs").release(2)
        assert (docs.outcome, docs.why) == (Outcome.ABORTED, f"release group 2: {group.reason}")


async def test_one_that_is_bad_takes_the_others_back(site: Site) -> None:
    """What was out goes back to its old release, and is not called bad for it."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await first(control)
        group = await control.deploy_together(*pair("2"))
        assert group.state is State.ROLLED_BACK
        assert group.reason.startswith("shop/web: 0 of 1 instances of release 2 became healthy")
        assert (site.serves("shop/api"), site.serves("shop/web")) == (1, 1)
        api, web = (control.registry.ledger(f"shop/{name}").release(2) for name in ("api", "web"))
        assert (api.outcome, web.outcome) == (Outcome.ABORTED, Outcome.BAD)
        assert api.why.startswith("went back with its release group 2: shop/web: 0 of 1")


async def test_a_first_release_goes_back_to_nothing(site: Site) -> None:
    """There was none before it: its service is taken down again, and the release is no way back later."""
    site.sick.add(("shop/web", 1))
    async with site.controller() as control:
        group = await control.deploy_together(*pair())
        assert group.state is State.ROLLED_BACK
        assert "shop/api" not in control.registry.loops
        assert site.running("shop/api") == {}
        assert control.registry.ledger("shop/api").previous is None


@pytest.mark.parametrize("bad", [False, True])
async def test_a_group_goes_on_wherever_its_controller_died(site: Site, bad: bool) -> None:
    """Killed after each line of the journal in turn, the next controller brings all out, or all back."""
    if bad:
        site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await first(control)
    began = len(site.journal.events)
    lines = 0
    async with site.controller() as control:
        begun = await control.orders.deploy(pair("2"), KIM, Shell())
        assert begun.group
        lines = len(site.journal.events) - began
    while site.kinds("shop")[-1] != ENDED:
        async with site.controller() as control:
            before = len(site.journal.events)
            await until(lambda seen=before: len(site.journal.events) > seen or not control.orders.groups.active("shop"))
            lines += 1
            assert lines < 200
    wanted = 1 if bad else 2
    async with site.controller() as control:
        await until(lambda: (site.serves("shop/api"), site.serves("shop/web")) == (wanted, wanted))
        await until(lambda: site.running("shop/api") == site.running("shop/web") == {wanted: 1})
        assert control.orders.groups.find("shop", 2).state is (State.ROLLED_BACK if bad else State.SUCCEEDED)


async def test_an_abort_takes_all_of_it_back(site: Site) -> None:
    """Whichever service is named."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await first(control)
        slow = pair("2")[0], replace(pair("2")[1], strategy=QUICK)
        begun = await control.orders.deploy(slow, KIM, Shell())
        assert begun.group
        await until(lambda: "shop/web" in control.registry.loops and control.registry.loops["shop/web"].ledger.active)
        assert await control.orders.abort("shop", "web", KIM, "wrong branch") == ["shop/api", "shop/web"]
        group = await within(control.orders.groups.ended(begun.group))
        assert (group.state, group.reason) == (State.ABORTED, "wrong branch")
        assert (site.serves("shop/api"), site.serves("shop/web")) == (1, 1)


async def test_a_first_deploy_that_is_taken_down_meanwhile_is_gone(site: Site) -> None:
    """What went out first is gone by the time the whole group has gone back, and need not be taken down again."""
    site.sick.add(("shop/web", 1))
    async with site.controller() as control:
        api, web = pair()
        begun = await control.orders.deploy((api, replace(web, strategy=QUICK)), KIM, Shell())
        assert begun.group
        await until(lambda: control.registry.loops["shop/web"].ledger.active)
        stopped = await within(control.orders.down(None, None, replace(KIM, force=True)))
        assert set(stopped) == {"shop/api", "shop/web"}
        assert control.registry.loops == {}
        assert (site.running("shop/api"), site.running("shop/web")) == ({}, {})


async def test_what_is_taken_down_meanwhile_takes_the_others_back(site: Site) -> None:
    """`down --force` in the middle: the group ends as aborted, says why, and nothing of it runs."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await first(control)
        slow = pair("2")[0], replace(pair("2")[1], strategy=QUICK)
        begun = await control.orders.deploy(slow, KIM, Shell())
        assert begun.group
        await until(lambda: control.registry.loops["shop/web"].ledger.active)
        stopped = await within(control.orders.down("shop", None, replace(KIM, force=True)))
        assert stopped == ["shop/api", "shop/web"]
        group = control.orders.groups.find("shop", begun.group.id)
        assert (group.state, group.reason) == (State.ABORTED, "shop/api was taken down by kim")
        assert site.platform.lives == {}


async def test_another_deploy_waits_for_the_group_or_supersedes_it(site: Site) -> None:
    """Also of a service whose own rollout has not begun yet."""
    site.sick.add(("shop/api", 2))
    async with site.controller() as control:
        await first(control)
        begun = await control.orders.deploy(pair("2"), KIM, Shell())
        assert begun.group
        with pytest.raises(RefusedError, match="release group 2 of shop by kim has been running"):
            await control.orders.deploy([pair("3")[1]], KIM, Shell())
        again = await control.orders.deploy(pair("3"), replace(KIM, supersede=True), Shell())
        assert again.group
        assert control.orders.groups.find("shop", 2).state is State.ABORTED
        assert (await within(control.orders.groups.ended(again.group))).state is State.SUCCEEDED
        assert (site.serves("shop/api"), site.serves("shop/web")) == (3, 3)


async def test_what_is_unchanged_is_left_out(site: Site) -> None:
    """One that changes alone is a rollout of its own; when none does, the deploy is refused."""
    async with site.controller() as control:
        await first(control)
        begun = await control.orders.deploy((pair("1")[0], pair("2")[1]), KIM, Shell())
        assert begun.rollout
        assert begun.rollout.service == "shop/web"
        assert begun.unchanged == ("release 1 (api) of shop/api already runs exactly this",)
        await control.registry.loops["shop/web"].until(lambda loop: loop.ledger.active is None)
        with pytest.raises(UnchangedError, match="all services already run exactly this"):
            await control.orders.deploy((pair("1")[0], pair("2")[1]), KIM, Shell())


async def test_a_build_that_fails_changes_nothing(site: Site) -> None:
    """All are built before the first one moves."""
    site.platform.missing.add("/src/web")
    async with site.controller() as control:
        with pytest.raises(Exception, match="does not exist"):
            await control.orders.deploy(pair(), KIM, Shell())
        assert control.registry.loops == {}
        assert site.journal.events == []


async def test_a_build_is_seen_and_can_be_stopped(site: Site) -> None:
    """By `abort`, by `down`, and by a deploy that supersedes it; the one that waits for it is told who and why."""
    site.endless.add("make")
    async with site.controller() as control:
        await control.deploy(service())

        async def building() -> "asyncio.Task[object]":
            task = asyncio.create_task(control.orders.deploy([service(build="make")], KIM, Shell()))
            await until(
                lambda: [(b.service, b.by) for b in control.orders.deploys.builds.under_way()] == [("shop/web", "kim")]
            )
            return task

        one = await building()
        with pytest.raises(RefusedError, match="kim has been building a release of shop/web since"):
            await control.orders.deploy([service(command="other")], KIM, Shell())
        await control.orders.abort("shop", None, KIM, "wrong branch")
        with pytest.raises(RefusedError, match="the build of shop/web was stopped: wrong branch"):
            await one
        two = await building()
        superseding = replace(KIM, by="lee", supersede=True)
        await control.orders.deploy([service(command="other")], superseding, Shell())
        with pytest.raises(RefusedError, match="superseded by lee"):
            await two
        await control.registry.loops["shop/web"].until(lambda loop: loop.ledger.active is None)
        three = await building()
        assert await within(control.orders.down("shop", None, KIM)) == ["shop/web"]
        with pytest.raises(RefusedError, match="taken down by kim"):
            await three


class Forgetful(DryJournal):
    """It writes the lines of groups, and says that it could not."""

    async def append(self, event: Event, token: int) -> Event:
        written = await super().append(event, token)
        if event.kind.startswith("group"):
            raise PlatformError("the answer was lost")
        return written


async def test_a_group_goes_on_although_the_answer_to_its_lines_was_lost(site: Site) -> None:
    """What is written has begun, and is carried to its end by who wrote it and not by whoever starts next."""
    site.journal = Forgetful(site.clock)
    async with site.controller() as control:
        group = await control.deploy_together(*pair())
        assert group.state is State.SUCCEEDED
    assert site.kinds("shop") == ["group started", "group ended"]
