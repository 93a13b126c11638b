"""The values of secrets belong to the release that was deployed with them."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.unit.controller.site import KIM, Site, service

from crossfade.controller.order import Order, Shell
from crossfade.controller.values import Values, no_value
from crossfade.core.errors import RefusedError, UnchangedError, WrongInputError
from crossfade.core.service import Hooks, Service
from crossfade.engine.dry.behaviour import Behaviour

NEEDS = service(secrets=("PASSWORD",), retain=1)


def passwords(site: Site, before: Collection[str] = ()) -> set[str]:
    """Those of the instances that came since."""
    return {life.environment["PASSWORD"] for life in site.platform.lives.values() if life.id not in before}


async def test_a_rollback_starts_the_old_release_with_its_old_values(site: Site) -> None:
    """And so does the replacement of an instance that died."""
    async with site.controller() as control:
        await control.deploy(NEEDS, PASSWORD="right")
        loop = await control.deploy(NEEDS, PASSWORD="wrong")
        await until(lambda: site.running("shop/web") == {2: 1})
        before = set(site.platform.lives)
        rollout = await control.orders.rollback(loop, "previous", KIM)
        await loop.until(lambda loop: any(r.rollout.id == rollout.id for r in loop.ledger.records))
        assert passwords(site, before) == {"right"}
        (instance,) = [life.id for life in site.platform.lives.values() if life.release.number == 1]
        before = set(site.platform.lives)
        site.crash(instance)
        loop.wake()
        await until(lambda: passwords(site, before) == {"right"})


async def test_a_changed_secret_alone_is_a_change(site: Site) -> None:
    """The same value again is none; the journal holds neither."""
    async with site.controller() as control:
        await control.deploy(NEEDS, PASSWORD="s3same")
        with pytest.raises(UnchangedError):
            await control.deploy(NEEDS, PASSWORD="s3same")
        with pytest.raises(UnchangedError):
            await control.deploy(NEEDS)
        loop = await control.deploy(NEEDS, PASSWORD="0pen")
        assert loop.ledger.current == 2
    assert "s3same" not in str(site.journal.events)


async def test_a_refused_deploy_stores_nothing(site: Site) -> None:
    """Locked, unchanged, or without a value that it needs."""
    async with site.controller() as control:
        with pytest.raises(WrongInputError, match="no value for the secret PASSWORD of shop/web"):
            await control.deploy(NEEDS)
        loop = await control.deploy(NEEDS, PASSWORD="right")
        await control.orders.lock(loop, "sale", KIM)
        with pytest.raises(RefusedError, match="sale"):
            await control.deploy(NEEDS, PASSWORD="wrong")
        await control.orders.unlock(loop, KIM)
        with pytest.raises(UnchangedError):
            await control.deploy(NEEDS, PASSWORD="right")
    assert list(site.secrets.sets.values()) == [{"PASSWORD": "right"}]


def test_what_a_secret_lacks_is_in_the_refusal() -> None:
    """One that is made of others says of which."""
    assert no_value(["URL", "KEY"], "shop/web", {"URL": "NAME"}) == (
        "no value for the secrets URL (made of NAME), KEY of shop/web"
    )


async def test_a_value_is_taken_from_what_runs_when_the_shell_has_none(site: Site) -> None:
    """Also from another service of the app, which has it already."""
    async with site.controller() as control:
        await control.deploy(NEEDS, PASSWORD="right")
        await control.deploy(replace(NEEDS, command="serve better"))
        await control.deploy(service("api", secrets=("PASSWORD",)))
    assert passwords(site) == {"right"}


async def test_values_go_with_the_artifact(site: Site) -> None:
    """What can be started keeps its own."""
    async with site.controller() as control:
        for version in ("one", "two", "three", "four"):
            await control.deploy(replace(NEEDS, source=f"/src/{version}"), PASSWORD=version)
        loop = control.registry.loops["shop/web"]
        await until(lambda: loop.ledger.removed_artifacts == {1, 2})
    assert [values["PASSWORD"] for values in site.secrets.sets.values()] == ["three", "four"]


async def test_values_that_were_kept_by_app_are_still_read(site: Site) -> None:
    """As 0.1 kept them: the same value again is no change."""
    site.secrets.by_app["shop"] = {"PASSWORD": "old"}
    async with site.controller() as control:
        await control.deploy(NEEDS, PASSWORD="old")
    for event in site.journal.events:
        if event.kind == "release created":
            del event.data["release"]["secrets"]
    async with site.controller() as control:
        with pytest.raises(UnchangedError):
            await control.deploy(NEEDS, PASSWORD="old")
        await control.deploy(NEEDS, PASSWORD="new")


async def test_a_build_has_what_the_deploying_shell_brought(site: Site) -> None:
    """Its PATH, its variables and the service's secrets; nothing of the controller's."""
    async with site.controller() as control:
        order = Order(by="kim", path="/shell/bin")
        shell = Shell(environment={"API_URL": "https://two.example"}, secrets={"PASSWORD": "right"})
        await control.orders.deploy([NEEDS], order, shell)
    assert site.platform.built_with["shop/web"] == {
        "PATH": "/shell/bin",
        "API_URL": "https://two.example",
        "PASSWORD": "right",
    }


async def test_all_that_lack_a_value_are_named_at_once(site: Site) -> None:
    """Where the platform keeps values, too: of every service of the deploy, before anything is built."""

    async def kept(of: Service) -> dict[str, str]:
        raise WrongInputError(f"a secret of {of.key} is empty", f"fill that of {of.key}")

    async with site.controller() as control:
        values = Values(control.orders.registry, site.secrets, kept)
        two = replace(NEEDS, name="api")
        with pytest.raises(
            WrongInputError, match=r"of shop/web is empty; a secret of shop/api is empty\n  .* shop/web"
        ):
            await values.of_all([NEEDS, two], Shell())


async def test_what_programs_say_of_their_secrets_is_not_on_record(site: Site) -> None:
    """A migration that fails, a check, an instance that ends: each with the error, and without the value."""
    said = "no login at postgres://app:geheim12@db/shop with geheim34"
    site.programs = {"./migrate": Behaviour(says=lambda _: [said], code=1)}
    secrets = {"DATABASE_URL": "postgres://app:geheim12@db/shop", "PIN": "geheim34"}
    async with site.controller() as control:
        web = service(secrets=tuple(secrets), env=(("N", "1"),))
        await control.deploy(web, **secrets)
        site.crash(next(iter(site.platform.lives)), detail=f"exited with code 1: {said}")
        await until(lambda: "instance exited" in site.kinds("shop/web"))
        await control.deploy(replace(web, hooks=Hooks(migrate="./migrate")), **secrets)
    record = str(site.journal.events)
    assert record.count("no login at ...") >= 2
    assert "geheim" not in record
