"""Being told: outcomes and trouble, by a real webhook, whatever dies; and an address that stays a secret."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.until import until
from tests.support.webhook import Webhook, webhook
from tests.unit.controller.site import Control, Site, service

from crossfade.controller.notify.channels import Channels
from crossfade.controller.notify.message import Message
from crossfade.controller.notify.notify import Notifier, RetryPace
from crossfade.controller.notify.send import NotToldError, require_known, send
from crossfade.core.errors import WrongInputError

SOON = RetryPace(first=0.01, longest=0.02, whole=600.0)
ASKED = {"name": "ops", "secret": "OPS_WEBHOOK", "on": ["succeeded", "failed", "trouble"]}


@asynccontextmanager
async def telling(site: Site, folder: Path, **how: Any) -> AsyncIterator[tuple[Control, Notifier]]:
    """A controller that tells, until it is killed."""
    async with site.controller() as control:
        notify = Notifier(control.registry, Channels(folder), "the controller", **{"patience": SOON, **how})
        notify.start()
        yield control, notify


def tell(notify: Notifier, hook: Webhook, **changes: Any) -> None:
    notify.set("shop", notify.prepared("shop", [{**ASKED, "url": hook.url, **changes}]), 0)


async def test_how_a_rollout_ended_is_told_to_a_webhook(site: Site, tmp_path: Path) -> None:
    """As a JSON that programs can rely on, with the reason of one that was taken back."""
    async with webhook() as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook)
        await control.deploy(service())
        await until(lambda: hook.bodies)
        good = hook.bodies[0]
        assert {name: good[name] for name in ("crossfade", "again", "kind", "state", "app", "service", "title")} == {
            "crossfade": 1,
            "again": False,
            "kind": "rollout",
            "state": "succeeded",
            "app": "shop",
            "service": "web",
            "title": "shop/web: the rollout of release 1 (web) succeeded",
        }
        assert good["rollout"]["to"] == 1
        assert good["rollout"]["by"] == "kim"
        site.sick.add(("shop/web", 2))
        await control.deploy(service(env=(("V", "2"),), strategy=replace(service().strategy, timeout=0.3)))
        await until(lambda: len(hook.bodies) == 2)
        bad = hook.bodies[1]
        assert (bad["state"], bad["rollout"]["from"], bad["rollout"]["to"]) == ("rolled_back", 1, 2)
        assert bad["text"].startswith("0 of 1 instances of release 2 became healthy")
        assert bad["id"] > good["id"]


async def test_a_group_is_told_once_and_not_each_of_its_services(site: Site, tmp_path: Path) -> None:
    """It ended as one."""
    async with webhook() as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook)
        await control.deploy_together(service("api"), service("web"))
        await control.deploy(service("api", env=(("V", "2"),)))
        await until(lambda: len(hook.bodies) == 2)
        assert [(one["kind"], one["service"]) for one in hook.bodies] == [("group", None), ("rollout", "api")]


async def test_only_what_is_asked_for_is_told(site: Site, tmp_path: Path) -> None:
    """Trouble: an instance that ended by itself, once, though it ends again."""
    async with webhook() as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook, on=["trouble"])
        loop = await control.deploy(service())
        for _ in range(2):
            await until(lambda: site.running("shop/web") == {1: 1})
            exits = len(loop.ledger.exits)
            site.crash(next(one.id for one in site.platform.of("shop/web") if not site.exited(one.id)))
            await until(lambda before=exits: len(loop.ledger.exits) > before)
        await until(lambda: hook.bodies)
        assert [(one["kind"], one["state"]) for one in hook.bodies] == [("instance", "exited")]


async def test_a_webhook_that_is_away_is_told_later_and_holds_nothing_up(site: Site, tmp_path: Path) -> None:
    """The rollout ends meanwhile; each later try says that it may be a second time."""
    async with webhook(503, 0, 429, 200) as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook)
        await control.deploy(service())
        await until(lambda: len(hook.bodies) == 4 and not notify.troubles())
        assert [one["again"] for one in hook.bodies] == [False, True, True, True]
        assert len({one["id"] for one in hook.bodies}) == 1


async def test_one_that_says_no_is_given_up_and_that_is_on_record(site: Site, tmp_path: Path) -> None:
    """A redirect too; in `status` until something is told again, and never with the address."""
    async with webhook(404, 301, 200) as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook)
        await control.deploy(service())
        await until(lambda: site.kinds("shop") == ["not told"])
        assert notify.troubles() == ["notify ops of shop: it answered 404"]
        await control.deploy(service(env=(("V", "2"),)))
        await until(lambda: site.kinds("shop") == ["not told"] * 2)
        await control.deploy(service(env=(("V", "3"),)))
        await until(lambda: not notify.troubles())
        assert "geheim" not in json.dumps([dict(one.data) for one in site.journal.events])


async def test_what_was_not_told_for_too_long_is_given_up(site: Site, tmp_path: Path) -> None:
    """And said, with why."""
    patience = RetryPace(first=0.01, longest=0.01, whole=0.0)
    async with webhook(500) as hook, telling(site, tmp_path / "notify", patience=patience) as (control, notify):
        tell(notify, hook)
        await control.deploy(service())
        await until(lambda: site.kinds("shop") == ["not told"])
        told = next(one.data for one in site.journal.events if one.kind == "not told")
        assert (told["channel"], told["why"]) == ("ops", "it answered 500")


@pytest.mark.parametrize("sent", [False, True])
async def test_a_controller_that_was_killed_leaves_nothing_untold(site: Site, tmp_path: Path, sent: bool) -> None:
    """Between outcome and telling: told once. Between telling and keeping that: told again, and that is said."""
    stuck = asyncio.Event()

    async def dies(url: str, message: Message, *, again: bool) -> None:
        if sent:
            await send(url, message, again=again)
        stuck.set()
        await asyncio.get_running_loop().create_future()

    async with webhook() as hook:
        async with telling(site, tmp_path / "notify", by=dies) as (control, notify):
            tell(notify, hook)
            await control.deploy(service())
            await stuck.wait()
        async with telling(site, tmp_path / "notify") as (control, _):
            await until(lambda: len(hook.bodies) == 1 + sent)
            await control.deploy(service(env=(("V", "2"),)))
            await until(lambda: len(hook.bodies) == 2 + sent)
        assert [one["again"] for one in hook.bodies] == ([False, True, False] if sent else [True, False])
        async with telling(site, tmp_path / "notify") as (control, _):
            await control.deploy(service(env=(("V", "3"),)))
            await until(lambda: len(hook.bodies) == 3 + sent)


async def test_an_address_is_kept_for_its_owner_and_shown_nowhere(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the journal, a log, what fails, or what is shown of it; a later deploy need not bring it again."""
    caplog.set_level(logging.DEBUG)
    async with webhook(404) as hook, telling(site, tmp_path / "notify") as (control, notify):
        tell(notify, hook)
        await control.deploy(service())
        await until(lambda: site.kinds("shop") == ["not told"])
        (known,) = notify.prepared("shop", [{**ASKED, "url": ""}])
        assert known.url == hook.url
        path = tmp_path / "notify" / "shop.json"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        said = caplog.text + repr(known) + repr([one.data for one in site.journal.events]) + repr(notify.troubles())
        assert "geheim" not in said
        notify.set("shop", [], 0)
        assert not path.exists()


async def test_an_address_that_is_missing_or_none_is_refused(site: Site, tmp_path: Path) -> None:
    """By the variable's name; the value is not shown."""
    async with telling(site, tmp_path / "notify") as (_, notify):
        other = {**ASKED, "name": "team", "secret": "TEAM"}
        assert notify.lacking("shop", [ASKED, other]) == [
            "no value for OPS_WEBHOOK, the address of notify.ops",
            "no value for TEAM, the address of notify.team",
        ]
        with pytest.raises(WrongInputError) as refused:
            notify.prepared("shop", [{**ASKED, "url": "https://"}])
        assert "is not an address" in str(refused.value)


async def test_other_addresses_are_told_by_apprise() -> None:
    """Where it is not installed, that and how to install it is said."""
    pytest.importorskip("apprise", reason="apprise is not installed (crossfade[notify])")
    with pytest.raises(WrongInputError, match="is not an address that Apprise knows") as refused:
        require_known("nonsense-geheim", "the value of TEAM")
    assert "geheim" not in str(refused.value)
    message = Message(id=7, at=0.0, sort="failed", kind="rollout", key="shop/web", state="failed", title="t", text="x")
    async with webhook() as hook:
        await send(hook.url.replace("http://", "json://"), message, again=False)
        assert {key: hook.bodies[0][key] for key in ("title", "message", "type")} == {
            "title": "t",
            "message": "x",
            "type": "failure",
        }
    with pytest.raises(NotToldError, match="Apprise could not deliver it"):
        await send(hook.url.replace("http://", "json://"), message, again=False)


def test_without_apprise_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is deployed."""
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(WrongInputError, match="is not installed") as refused:
        require_known("slack://geheim", "the value of TEAM")
    assert "pip install 'crossfade[notify]'" in refused.value.way_out
