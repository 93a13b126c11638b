"""What every Runtime must keep: the engine relies on each sentence here."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import cast

import pytest
from tests.adapters.system_clock import SystemClock
from tests.adapters.until import until
from tests.contract import runtime_kits as kits
from tests.contract.runtime_kits import Kit

from crossfade.core.errors import PlatformError, RefusedError, StaleTokenError, WrongInputError
from crossfade.core.release import Release
from crossfade.engine.ports.logs import LogQuery
from crossfade.engine.ports.runtime import HookResult, JobRunner, Running, Runtime

TOKEN = 1
SOON = 10.0


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.long), "memory"])
async def kit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    if request.param == "docker" and (why := kits.docker_is_missing()):
        pytest.skip(why)
    made = {"process": kits.process_kit, "docker": kits.docker_kit, "memory": kits.memory_kit}[request.param](tmp_path)
    yield made
    runtime = made.adapter()
    for name in ("web", "api"):
        for instance in await runtime.instances(f"{made.app}/{name}"):
            await runtime.stop(instance.id, 0, made.fence.newest)
    await runtime.close()
    made.clear()


@pytest.fixture
def runtime(kit: Kit) -> Runtime:
    return kit.adapter()


async def lines(runtime: Runtime, kit: Kit, instance: str | None, last: int = 100) -> list[str]:
    return [one.line async for one in runtime.logs(f"{kit.app}/web", LogQuery(instance=instance, lines=last))]


async def until_said(runtime: Runtime, kit: Kit, instance: str, line: str) -> list[str]:
    async def said() -> list[str]:
        found = await lines(runtime, kit, instance)
        return found if line in found else []

    return await until(said)


async def until_exited(runtime: Runtime, kit: Kit) -> Running:
    async def exited() -> list[Running]:
        return [instance for instance in await runtime.instances(f"{kit.app}/web") if instance.exited]

    return (await until(exited))[0]


async def test_a_launched_instance_is_known(runtime: Runtime, kit: Kit) -> None:
    """What was launched is listed under its service, with its release, a local address and when it began."""
    release, before = await kit.release(runtime, number=7), SystemClock().now() - 1
    await runtime.launch("one-" + kit.id(), release, {}, TOKEN)
    (found,) = await runtime.instances(f"{kit.app}/web")
    assert (found.service, found.release, found.exited, found.stopping) == (f"{kit.app}/web", 7, False, False)
    assert found.detail == ""
    assert before <= found.launched_at <= SystemClock().now() + 1
    host, _, port = found.address.partition(":")
    assert host == "127.0.0.1"
    assert 1024 < int(port) < 65536


async def test_a_service_has_only_its_own_instances(runtime: Runtime, kit: Kit) -> None:
    """The neighbours of the same app are not listed, and an unknown service has none."""
    web, api = kit.id(), kit.id()
    await runtime.launch(web, await kit.release(runtime), {}, TOKEN)
    await runtime.launch(api, await kit.release(runtime, name="api"), {}, TOKEN)
    assert [i.id for i in await runtime.instances(f"{kit.app}/web")] == [web]
    assert [i.id for i in await runtime.instances(f"{kit.app}/api")] == [api]
    assert list(await runtime.instances(f"{kit.app}/none")) == []


async def test_what_runs_is_found_by_its_mark(runtime: Runtime, kit: Kit) -> None:
    """An adapter that knows nothing finds every instance, with its service and the release it was launched from."""
    release, web, api = await kit.release(runtime, number=7), kit.id(), kit.id()
    await runtime.launch(web, release, {}, TOKEN)
    await runtime.launch(api, await kit.release(runtime, name="api"), {}, TOKEN)
    found = {one.id: one for one in await kit.adapter().found()}
    assert (found[web].service, found[web].release) == (f"{kit.app}/web", release)
    assert found[api].service == f"{kit.app}/api"
    await runtime.stop(web, 0, TOKEN)
    assert web not in {one.id for one in await runtime.found()}


async def test_instances_have_ports_of_their_own(runtime: Runtime, kit: Kit) -> None:
    """Several instances of one release run beside each other."""
    release = await kit.release(runtime)
    for _ in range(3):
        await runtime.launch(kit.id(), release, {}, TOKEN)
    found = await runtime.instances(f"{kit.app}/web")
    assert len({instance.address for instance in found}) == 3


async def test_launching_again_changes_nothing(runtime: Runtime, kit: Kit) -> None:
    """A repeated launch under the same id starts no second instance, whichever adapter repeats it."""
    release, instance = await kit.release(runtime), kit.id()
    await runtime.launch(instance, release, {}, TOKEN)
    before = await runtime.instances(f"{kit.app}/web")
    await runtime.launch(instance, release, {}, TOKEN)
    await kit.adapter().launch(instance, release, {}, TOKEN)
    assert await runtime.instances(f"{kit.app}/web") == before


async def test_launching_again_does_not_revive(runtime: Runtime, kit: Kit) -> None:
    """An instance that exited stays exited when its launch is repeated: it is replaced under a new id."""
    release, instance = await kit.release(runtime, kits.BREAKS), kit.id()
    await runtime.launch(instance, release, {}, TOKEN)
    await until_exited(runtime, kit)
    await runtime.launch(instance, release, {}, TOKEN)
    await asyncio.sleep(0.1)
    assert await lines(runtime, kit, instance) == ["starting", "it is broken"]
    assert (await until_exited(runtime, kit)).id == instance


async def test_another_adapter_adopts(runtime: Runtime, kit: Kit) -> None:
    """A new controller finds the instances of the former one as they are, and can stop them."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime), {}, TOKEN)
    before = await runtime.instances(f"{kit.app}/web")
    await runtime.close()
    successor = kit.adapter()
    assert await successor.instances(f"{kit.app}/web") == before
    await successor.stop(instance, 5, TOKEN)
    assert list(await successor.instances(f"{kit.app}/web")) == []


async def test_an_exit_is_reported_with_code_and_last_words(runtime: Runtime, kit: Kit) -> None:
    """An instance that ended by itself stays listed, with how it ended and the last line it wrote."""
    await runtime.launch(kit.id(), await kit.release(runtime, kits.BREAKS), {}, TOKEN)
    found = await until_exited(runtime, kit)
    assert found.detail == "exited with code 3: it is broken"
    assert not found.stopping


async def test_an_exit_is_still_known_later(runtime: Runtime, kit: Kit) -> None:
    """A controller that comes later learns how an instance ended."""
    await runtime.launch(kit.id(), await kit.release(runtime, kits.BREAKS), {}, TOKEN)
    seen = await until_exited(runtime, kit)
    assert await until_exited(kit.adapter(), kit) == seen


async def test_a_command_that_is_not_there_is_named(runtime: Runtime, kit: Kit) -> None:
    """A misspelt command is reported by its name, so that the verdict can say it."""
    await runtime.launch(kit.id(), await kit.release(runtime, kits.MISSING), {}, TOKEN)
    assert (await until_exited(runtime, kit)).detail == "command not found: no-such-program"


async def test_an_exited_instance_can_be_cleared(runtime: Runtime, kit: Kit) -> None:
    """Stopping what has exited removes it from the list at once."""
    await runtime.launch(kit.id(), await kit.release(runtime, kits.BREAKS), {}, TOKEN)
    found = await until_exited(runtime, kit)
    async with asyncio.timeout(5):
        await runtime.stop(found.id, 30, TOKEN)
    assert list(await runtime.instances(f"{kit.app}/web")) == []


async def test_stop_lets_it_finish(runtime: Runtime, kit: Kit) -> None:
    """SIGTERM is delivered; an instance that ends by it is gone long before its grace is over."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.POLITE), {}, TOKEN)
    await until_said(runtime, kit, instance, "up")
    async with asyncio.timeout(SOON):
        assert not await runtime.stop(instance, 60, TOKEN)
    assert list(await runtime.instances(f"{kit.app}/web")) == []
    assert "going" in await lines(runtime, kit, instance)


async def test_stop_ends_what_does_not_listen(runtime: Runtime, kit: Kit) -> None:
    """What ignores SIGTERM gets its whole grace, then SIGKILL."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.STUBBORN), {}, TOKEN)
    await until_said(runtime, kit, instance, "up")
    began = time.monotonic()
    assert await runtime.stop(instance, 0.7, TOKEN)
    assert time.monotonic() - began > 0.6  # on however slow a machine
    assert list(await runtime.instances(f"{kit.app}/web")) == []


async def test_who_is_stopping_is_seen_by_all(runtime: Runtime, kit: Kit) -> None:
    """From SIGTERM on an instance is listed as stopping, for other adapters too."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.STUBBORN), {}, TOKEN)
    await until_said(runtime, kit, instance, "up")
    stop = asyncio.create_task(runtime.stop(instance, 1.5, TOKEN))
    await asyncio.sleep(0.5)
    for adapter in (runtime, kit.adapter()):
        (found,) = await adapter.instances(f"{kit.app}/web")
        assert (found.stopping, found.exited) == (True, False)
    await stop


async def test_a_stop_that_was_interrupted_can_be_repeated(runtime: Runtime, kit: Kit) -> None:
    """A controller that died in the grace leaves a stop that the next one finishes."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.STUBBORN), {}, TOKEN)
    await until_said(runtime, kit, instance, "up")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(runtime.stop(instance, 30, TOKEN), 0.3)
    await kit.adapter().stop(instance, 0.1, TOKEN)
    assert list(await runtime.instances(f"{kit.app}/web")) == []


async def test_stopping_what_is_unknown_is_fine(runtime: Runtime, kit: Kit) -> None:
    """An id that nobody knows, or no more, counts as stopped."""
    await runtime.stop(kit.id(), 5, TOKEN)
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime), {}, TOKEN)
    await runtime.stop(instance, 5, TOKEN)
    await runtime.stop(instance, 5, TOKEN)


async def test_a_stale_token_is_refused(runtime: Runtime, kit: Kit) -> None:
    """A holder that lost its lease neither starts, stops nor removes anything."""
    release, instance = await kit.release(runtime), kit.id()
    await runtime.launch(instance, release, {}, TOKEN)
    before = await runtime.instances(f"{kit.app}/web")
    kit.fence.newest = 2
    with pytest.raises(StaleTokenError):
        await runtime.launch(kit.id(), release, {}, TOKEN)
    with pytest.raises(StaleTokenError):
        await runtime.stop(instance, 0, TOKEN)
    with pytest.raises(StaleTokenError):
        await runtime.forget(release, TOKEN)
    assert await runtime.instances(f"{kit.app}/web") == before


async def test_an_instance_knows_what_it_is(runtime: Runtime, kit: Kit) -> None:
    """Its port, release, version, id, app and service arrive, with its own env and its secrets."""
    instance = kit.id()
    release = await kit.release(runtime, kits.TELLS, number=12, env=(("COLOUR", "green and blue"),))
    await runtime.launch(instance, release, {"PASSWORD": "s3cret $HOME"}, TOKEN)
    said = await until_said(runtime, kit, instance, "PASSWORD=s3cret $HOME")
    assert said[1:] == [
        "CROSSFADE_RELEASE=12",
        "CROSSFADE_VERSION=v1",
        f"CROSSFADE_INSTANCE={instance}",
        f"CROSSFADE_APP={kit.app}",
        "CROSSFADE_SERVICE=web",
        "COLOUR=green and blue",
        "PASSWORD=s3cret $HOME",
    ]
    assert said[0].removeprefix("PORT=").isdigit()


async def test_a_worker_has_no_port(runtime: Runtime, kit: Kit) -> None:
    """It is told none, and nobody is told an address of it."""
    instance = kit.id()
    release = await kit.release(runtime, kits.TELLS, kind="worker", env=(("COLOUR", "red"),))
    await runtime.launch(instance, release, {"PASSWORD": "s3cret"}, TOKEN)
    said = await until_said(runtime, kit, instance, "PASSWORD=s3cret")
    assert said[0] == "PORT="
    assert [found.address for found in await runtime.instances(f"{kit.app}/web")] == [""]


async def test_a_command_beside_an_instance_is_as_the_instance(runtime: Runtime, kit: Kit) -> None:
    """It finds the same environment, and comes back with its code and what it wrote."""
    release, instance = await kit.release(runtime, number=3, env=(("COLOUR", "green"),)), kit.id()
    await runtime.launch(instance, release, {"PASSWORD": "s3cret"}, TOKEN)
    result = await runtime.execute(instance, release, kits.BESIDE, {"PASSWORD": "s3cret"}, SOON)
    assert (result.code, result.output) == (3, f"{instance} green s3cret")
    with pytest.raises(PlatformError, match="does not run"):
        await runtime.execute("nobody", release, kits.BESIDE, {}, SOON)


async def test_a_command_beside_an_instance_has_a_limit(runtime: Runtime, kit: Kit) -> None:
    """It is ended, and says so; more of them at once do not keep the next from being asked."""
    instance, release = kit.id(), await kit.release(runtime)
    await runtime.launch(instance, release, {}, TOKEN)
    async with asyncio.timeout(SOON):
        slow = [runtime.execute(instance, release, kits.SLOW_CHECK, {}, 0.5) for _ in range(12)]
        results = await asyncio.gather(*slow)
    assert {result.code for result in results} == {124}
    assert all("timed out after 0.5 s" in result.output for result in results)


async def test_a_hook_tells_how_it_ended(runtime: Runtime, kit: Kit) -> None:
    """A hook runs in the release's own environment and comes back with its exit code and what it wrote."""
    release = await kit.release(runtime, number=3, env=(("COLOUR", "green"),))
    result = await runtime.run(release, kits.HOOK, {"PASSWORD": "s3cret"}, {"TARGET": "db"}, SOON)
    assert (result.code, result.output) == (4, "migrating green s3cret db 3")


async def test_a_hook_has_a_limit(runtime: Runtime, kit: Kit) -> None:
    """A hook that does not end is ended, and says so."""
    release = await kit.release(runtime)
    async with asyncio.timeout(SOON):
        result = await runtime.run(release, kits.SLOW_HOOK, {}, {}, 0.5)
    assert result.code == 124
    assert "began" in result.output
    assert "timed out after 0.5 s" in result.output


async def test_a_hook_is_no_instance(runtime: Runtime, kit: Kit) -> None:
    """While a hook runs no instance appears."""
    release = await kit.release(runtime)
    hook = asyncio.create_task(runtime.run(release, kits.SLOW_HOOK, {}, {}, 0.5))
    await asyncio.sleep(0.25)
    assert list(await runtime.instances(f"{kit.app}/web")) == []
    await hook


async def run_of(kit: Kit, runtime: Runtime, command: str) -> tuple[JobRunner, str, Release]:
    """The runtime as it runs jobs, an id for a run, and the release that it is of."""
    release = await kit.release(runtime, number=3, env=(("COLOUR", "green"),))
    runner, run = cast(JobRunner, runtime), f"job-digest-3-{kit.id()}"
    await runner.begin(run, release, command, {"PASSWORD": "s3cret"}, TOKEN)
    return runner, run, release


async def until_over(runner: JobRunner, run: str, release: Release) -> HookResult:
    async def over() -> HookResult | None:
        return await runner.outcome(run, release)

    return await until(over)


async def test_a_run_of_a_job_tells_how_it_ended(runtime: Runtime, kit: Kit) -> None:
    """Its code and what it wrote, in the release's own environment, and as often as it is asked."""
    runner, run, release = await run_of(kit, runtime, kits.JOB)
    result = await until_over(runner, run, release)
    assert (result.code, result.output) == (5, "green s3cret 3")
    assert await runner.outcome(run, release) == result
    await runner.clear(run, release, 0.0)


async def test_a_run_of_a_job_is_begun_once_and_seen_through_by_another(runtime: Runtime, kit: Kit) -> None:
    """A later controller makes ready and begins it again under the same id, which changes nothing, and learns how it
    ended.
    """
    _, run, release = await run_of(kit, runtime, kits.JOB)
    await runtime.close()
    successor = cast(JobRunner, kit.adapter())
    await successor.ready(release)
    await successor.begin(run, release, kits.JOB, {"PASSWORD": "s3cret"}, TOKEN)
    result = await until_over(successor, run, release)
    assert (result.code, result.output) == (5, "green s3cret 3")
    await successor.begin(run, release, kits.JOB, {"PASSWORD": "s3cret"}, TOKEN)
    assert await successor.outcome(run, release) == result
    await successor.clear(run, release, 0.0)


async def test_a_run_of_a_job_is_no_instance_and_can_be_ended(runtime: Runtime, kit: Kit) -> None:
    """SIGTERM, and nothing of it is left."""
    runner, run, release = await run_of(kit, runtime, kits.LONG_JOB)
    assert await runner.outcome(run, release) is None
    assert list(await runtime.instances(f"{kit.app}/web")) == []
    async with asyncio.timeout(SOON):
        await runner.clear(run, release, 30.0)


async def test_logs_give_the_last_lines(runtime: Runtime, kit: Kit) -> None:
    """The last lines of an instance come oldest first, as many as were asked for."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.COUNTS), {}, TOKEN)
    await until_said(runtime, kit, instance, "line 5")
    assert await lines(runtime, kit, instance, last=2) == ["line 4", "line 5"]
    assert await lines(runtime, kit, instance) == [f"line {n}" for n in range(1, 6)]


async def test_logs_of_a_service_name_the_instance(runtime: Runtime, kit: Kit) -> None:
    """Without an instance the lines of all come, each with who wrote it."""
    release, names = await kit.release(runtime, kits.ANNOUNCES), {kit.id(), kit.id()}
    for name in names:
        await runtime.launch(name, release, {}, TOKEN)
        await until_said(runtime, kit, name, "up")
    said = [one async for one in runtime.logs(f"{kit.app}/web", LogQuery(lines=10))]
    assert sorted((one.writer, one.line) for one in said) == sorted((name, "up") for name in names)
    assert [one.at for one in said] == sorted(one.at for one in said)
    since = max(one.at for one in said) + 1
    assert [one async for one in runtime.logs(f"{kit.app}/web", LogQuery(since=since))] == []
    earlier = [one async for one in runtime.logs(f"{kit.app}/web", LogQuery(since=since - 600))]
    assert sorted(earlier) == sorted(said)


async def test_logs_can_be_followed(runtime: Runtime, kit: Kit) -> None:
    """A follower gets what is there and then each new line."""
    instance = kit.id()
    await runtime.launch(instance, await kit.release(runtime, kits.TALKS), {}, TOKEN)
    said = []
    async with (
        asyncio.timeout(SOON),
        aclosing(runtime.logs(f"{kit.app}/web", LogQuery(instance=instance, lines=10, follow=True))) as stream,
    ):
        async for one in stream:
            said.append((one.writer, one.line))
            if len(said) == 2:
                break
    assert said == [(instance, "first"), (instance, "second")]


async def test_an_unknown_log_is_wrong_input(runtime: Runtime, kit: Kit) -> None:
    """A misspelt instance is said to be unknown."""
    with pytest.raises(WrongInputError, match="no log of nobody"):
        await lines(runtime, kit, "nobody")


async def test_the_same_source_gives_the_same_digest(runtime: Runtime, kit: Kit) -> None:
    """Building again, by any adapter and at the same time, gives the same digest; another source another one."""
    service = kit.service()
    built = await asyncio.gather(*(kit.adapter().build(service) for _ in range(3)))
    assert len({artifact.digest for artifact in built}) == 1
    other = await runtime.build(kit.service(source=kit.other.source, image=kit.other.image))
    assert other.digest != built[0].digest
    foreseen = await runtime.foresee(service)
    assert foreseen is not None
    assert foreseen.digest == built[0].digest


async def test_a_source_that_is_not_there_is_wrong_input(runtime: Runtime, kit: Kit) -> None:
    """A missing folder or image is the user's to mend."""
    with pytest.raises(WrongInputError):
        await runtime.build(kit.missing)


async def test_what_runs_is_not_forgotten(runtime: Runtime, kit: Kit) -> None:
    """The artifact of a running instance is kept, whatever a ledger needs; afterwards it can go, more than once."""
    release, instance = await kit.release(runtime), kit.id()
    await runtime.launch(instance, release, {}, TOKEN)
    with pytest.raises(RefusedError, match=instance):
        await runtime.forget(release, TOKEN)
    await runtime.keep(f"{kit.app}/web", set())  # said by a ledger from a backup, which does not know of it
    await runtime.check(release)
    await runtime.stop(instance, 5, TOKEN)
    await runtime.forget(release, TOKEN)
    await runtime.forget(release, TOKEN)


async def test_an_artifact_stays_for_the_services_that_need_it(runtime: Runtime, kit: Kit) -> None:
    """Two services of the same source or image: what one gives up, the other still runs from."""
    web, api = await kit.release(runtime), await kit.release(runtime, name="api")
    await runtime.forget(web, TOKEN)
    await runtime.check(api)
    await runtime.launch(kit.id(), api, {}, TOKEN)
    assert len(await runtime.instances(f"{kit.app}/api")) == 1


async def test_an_artifact_that_is_gone_is_said_to_be(runtime: Runtime, kit: Kit) -> None:
    """Asked before anything is begun, so that a rollback to it is refused and not tried."""
    release = await kit.release(runtime)
    await runtime.keep(f"{kit.app}/web", {release.digest})
    await runtime.check(release)
    await runtime.forget(release, TOKEN)
    with pytest.raises(PlatformError, match=r"not on this machine any more(.|\n)*again"):
        await runtime.check(release)
