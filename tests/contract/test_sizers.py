"""What every platform keeps that is told sizes and weights, and chooses its instances and their targets itself."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from math import sqrt

import pytest
from tests.contract.sizer_kits import BROKEN, TOKEN, Kit, kit
from tests.rig import Rig
from tests.rig.ec2.machine import missing
from tests.support.on_ecs import PACE, reached

from crossfade.core.errors import PlatformError, RefusedError, StaleTokenError
from crossfade.engine.ports.runtime import Running


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig, reached(rig):
        yield rig


ON_HOSTS = [pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(
    params=[
        "memory",
        pytest.param("ecs", marks=pytest.mark.long),
        pytest.param("groups", marks=ON_HOSTS),
        pytest.param("revisions", marks=ON_HOSTS),
    ]
)
async def platform(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    async with kit(request.param, lambda: request.getfixturevalue("rig")) as made:
        yield made


async def test_a_size_is_kept_and_known_to_all(platform: Kit) -> None:
    """As many instances as were asked for get healthy, each with its release and an address; another adapter agrees."""
    await platform.keep(await platform.release(1), 2)
    found = await platform.healthy(1, 2)
    assert {(one.service, one.release) for one in found} == {(platform.key, 1)}
    assert len({one.address for one in found}) == 2
    seen = await platform.two.runtime.instances(platform.key)
    assert {one.id for one in seen} == {one.id for one in found}
    assert dict(await platform.two.runtime.sizes(platform.key)) == {1: 2}


async def test_the_same_size_again_changes_nothing(platform: Kit) -> None:
    """Whoever repeats it: the same instances go on."""
    release = await platform.release(1)
    await platform.keep(release, 2)
    before = {one.id for one in await platform.healthy(1, 2)}
    for hands in (platform.one, platform.two):
        await platform.keep(release, 2, hands)
    assert {one.id for one in await platform.healthy(1, 2)} == before


async def test_what_is_to_go_is_seen_to_and_is_then_no_exit(platform: Kit) -> None:
    """Shrunk to nothing, instances are listed as stopping until they are gone; nobody says that they died."""
    release = await platform.release(1)
    await platform.keep(release, 1)
    (one,) = await platform.healthy(1, 1)
    await platform.keep(release, 0)
    seen: list[Running] = []

    async def gone() -> bool:
        found = [i for i in await platform.one.runtime.instances(platform.key) if i.id == one.id]
        seen.extend(found)
        return not found

    await platform.until(gone)
    assert not any(i.exited for i in seen)
    assert not (await platform.one.runtime.sizes(platform.key)).get(1)


async def test_a_size_that_grew_unseen_is_not_made_smaller(platform: Kit) -> None:
    """Who came is not ready, and who goes is not ours to choose: one looks again first."""
    release = await platform.release(1)
    await platform.keep(release, 1)
    (one,) = await platform.healthy(1, 1)

    async def told(size: int) -> bool:
        return dict(await platform.one.runtime.sizes(platform.key)) == {1: size}

    await platform.until(lambda: told(1))
    await platform.keep(release, 2, platform.two)
    with pytest.raises(PlatformError, match="was scaled to 2 meanwhile"):
        await platform.keep(release, 1)
    assert one.id in {each.id for each in await platform.healthy(1, 2)}
    await platform.until(lambda: told(2))
    await platform.keep(release, 1)
    await platform.healthy(1, 1)


async def test_a_third_release_has_to_wait_for_a_place(platform: Kit) -> None:
    """Refused with nothing changed while two others are kept; taken once one of them is gone."""
    one, two, three = [await platform.release(number) for number in (1, 2, 3)]
    await platform.keep(one, 1)
    await platform.keep(two, 1)
    with pytest.raises(PlatformError, match="release 3"):
        await platform.keep(three, 1)
    await platform.keep(one, 0)

    async def there_is_a_place() -> bool:
        return not any(i.release == 1 for i in await platform.one.runtime.instances(platform.key) if not i.exited)

    await platform.until(there_is_a_place)
    await platform.keep(three, 1)
    await platform.healthy(3, 1)
    assert {r for r, n in (await platform.one.runtime.sizes(platform.key)).items() if n} == {2, 3}


async def test_an_exit_says_why(platform: Kit) -> None:
    """With the last line that it wrote, and that it is the release's own doing."""
    await platform.keep(await platform.release(1, BROKEN), 1)

    async def ended() -> list[Running]:
        return [one for one in await platform.one.runtime.instances(platform.key) if one.exited]

    found = (await platform.until(ended))[0]
    assert (found.detail.startswith(platform.broken), found.detail.endswith(": no database")) == (True, True)
    assert found.blamed
    await platform.keep(await platform.release(1, BROKEN), 0)


async def test_who_lost_the_lease_changes_nothing(platform: Kit) -> None:
    """No size, no weight, no artifact, and neither a renewal nor the end of one."""
    release = await platform.release(1)
    await platform.keep(release, 1)
    await platform.healthy(1, 1)
    await platform.shift({1: 100})
    before = await platform.reported()
    platform.fence.newest = TOKEN + 1
    with pytest.raises(StaleTokenError):
        await platform.keep(release, 2)
    with pytest.raises(StaleTokenError):
        await platform.shift({})
    with pytest.raises(StaleTokenError):
        await platform.one.runtime.forget(release, TOKEN)
    for act in (platform.one.runtime.renew, platform.one.runtime.break_off):
        with pytest.raises(StaleTokenError):
            await act(release, TOKEN)
    assert (await platform.reported()).weights == before.weights
    assert dict(await platform.two.runtime.sizes(platform.key)) == {1: 1}


async def test_what_runs_is_not_forgotten(platform: Kit) -> None:
    """Refused while an instance runs from it."""
    release = await platform.release(1)
    await platform.keep(release, 1)
    await platform.healthy(1, 1)
    with pytest.raises(RefusedError, match=r"runs from release 1"):
        await platform.one.runtime.forget(release, TOKEN)


async def test_weights_are_run_and_read_back(platform: Kit) -> None:
    """Of 400 requests at 80 to 20 the smaller share is within five standard deviations; another process reports it."""
    for number in (1, 2):
        await platform.keep(await platform.release(number), 1)
        await platform.healthy(number, 1)
    await platform.shift({1: 80, 2: 20})
    assert (await platform.reported()).weights == ((1, 80), (2, 20))
    got = Counter([await platform.ask() for _ in range(400)])
    assert got.keys() == {"1", "2"}
    assert abs(got["2"] - 80) < 5 * sqrt(400 * 0.2 * 0.8)


async def test_after_a_switch_nobody_gets_to_the_old_release(platform: Kit) -> None:
    """From the return of `apply` on."""
    for number in (1, 2):
        await platform.keep(await platform.release(number), 1)
        await platform.healthy(number, 1)
    await platform.shift({1: 100})
    assert {await platform.ask() for _ in range(20)} == {"1"}
    await platform.shift({2: 100})
    assert {await platform.ask() for _ in range(20)} == {"2"}


async def test_without_weights_nobody_answers(platform: Kit) -> None:
    """Although instances are there."""
    await platform.keep(await platform.release(1), 1)
    await platform.healthy(1, 1)
    await platform.shift({})
    assert (await platform.reported()).weights == ()
    assert {await platform.ask() for _ in range(3)} == {""}


async def test_a_preview_is_reached_by_its_header_only(platform: Kit) -> None:
    """Also of the release that visitors get; without one the header leads where they go."""
    for number in (1, 2):
        await platform.keep(await platform.release(number), 1)
        await platform.healthy(number, 1)
    await platform.shift({1: 100}, preview=2)
    assert (await platform.reported()).preview == 2
    web = (await platform.release(2)).service
    _, headers = await platform.one.balancer.preview(web, 2)
    assert {await platform.ask() for _ in range(10)} == {"1"}
    assert {await platform.ask(headers) for _ in range(10)} == {"2"}
    await platform.shift({2: 100}, preview=2)
    assert (await platform.reported()).preview == 2
    await platform.shift({1: 100})
    assert (await platform.reported()).preview is None
    assert {await platform.ask(headers) for _ in range(10)} == {"1"}


async def test_nobody_knows_what_is_in_flight(platform: Kit) -> None:
    """And nobody says 0 for it."""
    await platform.keep(await platform.release(1), 1)
    (one,) = await platform.healthy(1, 1)
    await platform.shift({1: 100})
    target = (await platform.one.balancer.report(platform.key)).targets[one.id]
    assert (target.in_flight, target.streams) == (None, None)


async def test_a_renewal_that_is_broken_off_leaves_who_serves(platform: Kit) -> None:
    """At the size that was told; told again, and of nothing that is under way, it changes nothing."""
    release = await platform.release(1)
    await platform.keep(release, 2)
    before = {one.id for one in await platform.healthy(1, 2)}
    await platform.one.runtime.break_off(release, TOKEN)
    assert {one.id for one in await platform.healthy(1, 2)} == before
    await platform.complete()
    await platform.one.runtime.renew(release, TOKEN)
    for hands in (platform.one, platform.two):
        await hands.runtime.break_off(release, TOKEN)
    after = {one.id for one in await platform.healthy(1, 2)}
    assert before & after
