"""Routes go from one service to another in one deploy: takers first, and never without an owner."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.controller.site import QUICK, Site, service

from crossfade.core.errors import RefusedError, UnchangedError
from crossfade.core.rollout import State
from crossfade.core.service import Rule
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.rules import handed_over

HOME, API, DOCS = Rule(path="/"), Rule(path="/api/*"), Rule(path="/docs/*")


def owner(site: Site, key: str, path: str) -> bool:
    """By the rules of the real balancers: does this path lead there?"""
    entries = {
        name: book.enter(None, service=told.service, routing=told.routing, addresses=told.addresses, token=1, checks={})
        for name, told in site.platform.exposed.items()
    }
    return path in {rule.path for rule in handed_over(entries)[key].service.routes}


async def test_who_takes_a_route_goes_out_before_who_gives_it(site: Site) -> None:
    """In between both ask for it, and the taker has it."""
    async with site.controller() as control:
        await control.deploy_together(service("web", routes=(HOME, API)), service("api", routes=(DOCS,)))
        group = await control.deploy_together(service("web", routes=(HOME,)), service("api", routes=(DOCS, API)))
        assert group.state is State.SUCCEEDED, group.reason
        assert {member.service: member.after for member in group.members} == {
            "shop/web": ("shop/api",),
            "shop/api": (),
        }
        assert owner(site, "shop/api", "/api/*")
        back = await control.deploy_together(service("web", routes=(HOME, API)), service("api", routes=(DOCS,)))
        assert back.state is State.SUCCEEDED, back.reason
        assert owner(site, "shop/web", "/api/*")


async def test_a_giver_that_is_bad_gets_its_route_back(site: Site) -> None:
    """All of the group goes back, and with the taker's old release the route."""
    site.sick.add(("shop/web", 2))
    async with site.controller() as control:
        await control.deploy_together(service("web", routes=(HOME, API)), service("api", routes=(DOCS,)))
        quick = replace(QUICK, timeout=0.3)
        group = await control.deploy_together(
            service("web", routes=(HOME,), strategy=quick), service("api", routes=(DOCS, API))
        )
        assert group.state is State.ROLLED_BACK
        assert (site.serves("shop/web"), owner(site, "shop/web", "/api/*")) == (1, True)


@pytest.mark.parametrize(
    ("web", "api", "why"),
    [
        ({"routes": (HOME, DOCS)}, {"routes": (API,)}, "opposite orders"),  # they swap
        ({"routes": (HOME,)}, {"routes": (DOCS, API), "depends_on": ("web",)}, "opposite orders"),
        ({"routes": (HOME,)}, {"routes": (DOCS, API), "strategy": replace(QUICK, name="rolling")}, "blue-green"),
    ],
)
async def test_what_would_leave_a_route_without_its_owner_is_refused(
    site: Site, web: dict[str, Any], api: dict[str, Any], why: str
) -> None:
    """Before anything is built; all stays as it is."""
    async with site.controller() as control:
        await control.deploy_together(service("web", routes=(HOME, API)), service("api", routes=(DOCS,)))
        with pytest.raises(RefusedError, match=why):
            await control.deploy_together(service("web", **web), service("api", **api))
        assert len(control.registry.loops["shop/web"].ledger.releases) == 1


async def test_a_claim_is_no_change_by_itself(site: Site) -> None:
    """The same file again runs already, although nobody gives anything any more."""
    async with site.controller() as control:
        await control.deploy_together(service("web", routes=(HOME, API)), service("api", routes=(DOCS,)))
        await control.deploy_together(service("web", routes=(HOME,)), service("api", routes=(DOCS, API)))
        with pytest.raises(UnchangedError):
            await control.deploy_together(service("web", routes=(HOME,)), service("api", routes=(DOCS, API)))
