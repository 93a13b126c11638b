"""What every balancer of a machine keeps on disk: without it, it has not been told anything."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.contract.balancer_kits import Kit, kit, routing, service
from tests.contract.test_balancers import backends

from crossfade.adapters import BALANCERS
from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck
from crossfade.paths import BOOK


@pytest.fixture(params=BALANCERS)
async def lb(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made


@contextmanager
def nothing_kept(lb: Kit) -> Iterator[str]:
    """The disk does not take what the balancer is told: what is said of it."""
    beside = lb.directory / f".{BOOK}.new"
    beside.mkdir()
    yield f"{BOOK} cannot be used"
    beside.rmdir()


async def test_what_cannot_be_kept_is_not_done(lb: Kit) -> None:
    """The change fails, the old routing answers and is what is reported, and once there is room the new one does."""
    web, groups = service(), {1: "a", 2: "b"}
    first, second = routing({1: 100}, groups), routing({2: 100}, groups)
    async with backends("a b") as (_, addresses):
        await lb.balancer.apply(web, first, addresses, 1)
        with nothing_kept(lb) as why, pytest.raises(PlatformError, match=why):
            await lb.balancer.apply(web, second, addresses, 1)
        assert (await lb.balancer.report(web.key)).routing == first
        assert {(await lb.ask(web)).body for _ in range(10)} == {"a"}
        await lb.balancer.apply(web, second, addresses, 1)
        assert (await lb.balancer.report(web.key)).routing == second
        assert {(await lb.ask(web)).body for _ in range(10)} == {"b"}


async def test_a_service_that_cannot_be_forgotten_is_known(lb: Kit) -> None:
    """Whoever asks hears of it, and it can be removed once there is room."""
    web = service()
    async with backends("a") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        with nothing_kept(lb) as why, pytest.raises(PlatformError, match=why):
            await lb.balancer.remove(web.key, 1)
        assert web.key in await lb.balancer.known()
        await lb.balancer.remove(web.key, 1)
        assert await lb.balancer.known() == {}
        await until(lambda: _gone(lb, web.listener.http))


async def _gone(lb: Kit, port: int | None) -> bool:
    return lb.turned_away(await lb.ask(service(port=port)))


@pytest.mark.parametrize("check", [HealthCheck(command="true", timeout=1), HealthCheck(port=1, timeout=1)])
async def test_one_whose_health_is_asked_elsewhere_gets_requests(lb: Kit, check: HealthCheck) -> None:
    """Where a balancer does not come it sees whether somebody listens, and that is enough for it."""
    web = service(health=check)
    async with backends("a") as (_, addresses):
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        assert (await lb.ask(web)).body == "a"
