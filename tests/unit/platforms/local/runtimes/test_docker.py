"""What only real containers can get wrong: images, labels, limits, and a Docker that is not there."""

import asyncio
import os
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract import runtime_kits
from tests.contract.runtime_kits import RUNS, Kit

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Build, Container, HealthCheck, Resources, Service, Volume
from crossfade.engine.ports.logs import LogQuery
from crossfade.engine.ports.runtime import Running
from crossfade.platforms.local.runtimes.docker import image
from crossfade.platforms.local.runtimes.docker.runtime import DockerRuntime

pytestmark = pytest.mark.long  # containers take seconds each


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    if why := runtime_kits.docker_is_missing():
        pytest.skip(why)
    made = runtime_kits.docker_kit(tmp_path)
    yield made
    runtime = made.adapter()
    for instance in await runtime.instances(f"{made.app}/web"):
        await runtime.stop(instance.id, 0, 1)
    made.clear()


@pytest.fixture
def docker() -> Iterator[Any]:
    import docker

    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def images(kit: Kit) -> Iterator[runtime_kits.DockerImages]:
    made = runtime_kits.DockerImages()
    yield made
    made.remove()


async def one(kit: Kit) -> Running:
    (found,) = await kit.adapter().instances(f"{kit.app}/web")
    return found


async def until_exited(kit: Kit) -> Running:
    async def exited() -> Running | None:
        found = await one(kit)
        return found if found.exited else None

    found = await until(exited)
    assert found is not None
    return found


def get(url: str) -> bytes:
    """The body, empty while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return b""


async def test_health_is_asked_at_a_port_of_its_own(kit: Kit) -> None:
    """Published beside the one that gets requests, and told apart from it."""
    serves = "busybox mkdir /up; echo well > /up/health; httpd -p 9090 -h /up; exec httpd -f -p $PORT -h /"
    release = await kit.release(kit.adapter(), serves, health=HealthCheck(path="/health", port=9090))
    await kit.adapter().launch("web-" + kit.app, release, {}, 1)

    async def well() -> bool:
        return get(f"http://{(await one(kit)).asked_at}/health") == b"well\n"

    await until(well)
    found = await one(kit)
    assert found.address != found.asked_at
    assert get(f"http://{found.address}/health") == b""


async def test_it_is_reached_at_its_address_from_this_machine_only(kit: Kit, docker: Any) -> None:
    """What listens on the service's port is reached at the reported address, published on loopback alone."""
    release = await kit.release(kit.adapter(), "exec httpd -f -p $PORT -h /")
    await kit.adapter().launch("web-" + kit.app, release, {}, 1)
    address = (await one(kit)).address
    assert await until(lambda: asyncio.to_thread(get, f"http://{address}/which")) == b"one"
    published = docker.containers.get("web-" + kit.app).attrs["NetworkSettings"]["Ports"]["8080/tcp"]
    assert [port["HostIp"] for port in published] == ["127.0.0.1"]


async def test_a_container_is_made_as_promised(kit: Kit, docker: Any) -> None:
    """Named by its id, with init, limits and bounded logs, never restarted by Docker, no secret in its labels."""
    resources = Resources(cpu=0.5, memory=64 << 20)
    release = await kit.release(kit.adapter(), RUNS, resources=resources)
    await kit.adapter().launch("web-" + kit.app, release, {"PASSWORD": "xyzzy"}, 1)
    attrs = docker.containers.get("web-" + kit.app).attrs
    host = attrs["HostConfig"]
    assert (host["Init"], host["RestartPolicy"]["Name"], host["LogConfig"]["Type"]) == (True, "", "json-file")
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (500_000_000, 64 << 20, 64 << 20)
    assert host["LogConfig"]["Config"]["max-size"] == "10m"
    assert "xyzzy" not in str(attrs["Config"]["Labels"]) + attrs["Path"] + str(attrs["Args"])
    assert "PASSWORD=xyzzy" in attrs["Config"]["Env"]


async def test_an_instance_that_eats_too_much_memory_says_so(kit: Kit) -> None:
    """One that the kernel killed for its memory limit is not reported as a riddle of numbers."""
    release = await kit.release(
        kit.adapter(), "exec dd if=/dev/zero of=/dev/null bs=200M", resources=Resources(memory=32 << 20)
    )
    await kit.adapter().launch("web-" + kit.app, release, {}, 1)
    detail = (await until_exited(kit)).detail.removeprefix("perhaps ")  # Docker does not always know
    assert detail == "used more memory than its limit of 32M: killed by signal 9 (SIGKILL)"


async def test_a_shell_that_is_not_in_the_image_is_named(kit: Kit, docker: Any) -> None:
    """An image in which the command cannot even begin gives an exited instance that says why."""
    import io
    import tarfile

    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w").close()
    name = f"crossfade-test-{kit.app}"
    docker.api.import_image_from_data(archive.getvalue(), repository=name, tag="empty")
    try:
        release = await kit.release(kit.adapter(), RUNS, image=f"{name}:empty")
        await kit.adapter().launch("web-" + kit.app, release, {}, 1)
        found = await until_exited(kit)
        hook = await kit.adapter().run(release, "migrate", {}, {}, 5)
        await kit.adapter().stop(found.id, 0, 1)
        await kit.adapter().forget(release, 1)
    finally:
        docker.images.remove(f"{name}:empty", force=True)
    assert "/bin/sh" in found.detail
    assert hook.code == 127
    assert "/bin/sh" in hook.output


async def test_a_container_of_a_controller_that_died_before_its_start_can_be_started(kit: Kit, docker: Any) -> None:
    """Created but never started is seen as such, and a repeated launch starts it."""
    runtime = kit.adapter()
    assert isinstance(runtime, DockerRuntime)
    release = await kit.release(runtime)
    marks = runtime._ours | {
        f"crossfade.{name}": value
        for name, value in {
            "instance": f"web-{kit.app}",
            "service": f"{kit.app}/web",
            "release": "1",
            "digest": release.digest,
        }.items()
    }
    docker.containers.create(kit.base.image, ["sleep", "60"], name=f"web-{kit.app}", labels=marks)
    found = await one(kit)
    assert (found.exited, found.detail) == (True, "was never started")
    await runtime.launch(f"web-{kit.app}", release, {}, 1)
    assert not (await one(kit)).exited


async def test_what_somebody_else_kills_or_removes_is_seen(kit: Kit, docker: Any) -> None:
    """`docker kill` is an exit with its signal; after `docker rm -f` the instance is gone, and stopping it is fine."""
    release = await kit.release(kit.adapter())
    await kit.adapter().launch("web-" + kit.app, release, {}, 1)
    docker.containers.get("web-" + kit.app).kill()
    assert (await until_exited(kit)).detail == "killed by signal 9 (SIGKILL)"
    docker.containers.get("web-" + kit.app).remove(force=True)
    assert list(await kit.adapter().instances(f"{kit.app}/web")) == []
    await kit.adapter().stop("web-" + kit.app, 1, 1)


async def test_containers_of_others_are_left_alone(kit: Kit, docker: Any, tmp_path: Path) -> None:
    """Another state directory on the same machine neither sees nor stops our instances."""
    await kit.adapter().launch("web-" + kit.app, await kit.release(kit.adapter()), {}, 1)
    stranger = DockerRuntime(tmp_path / "another", TokenFence())
    assert list(await stranger.instances(f"{kit.app}/web")) == []
    await stranger.stop("web-" + kit.app, 0, 1)
    assert not (await one(kit)).exited


async def test_an_image_is_kept_while_a_release_needs_it(kit: Kit, docker: Any) -> None:
    """When its name was given to a newer image, or removed, the release still starts; forgotten, its tag is gone."""
    runtime = kit.adapter()
    release = await kit.release(runtime)
    docker.images.remove(kit.base.image)
    await runtime.launch("web-" + kit.app, release, {}, 1)
    assert not (await one(kit)).exited
    await runtime.stop("web-" + kit.app, 0, 1)
    docker.images.get(release.digest).tag(*kit.base.image.split(":"))
    await runtime.forget(release, 1)
    with pytest.raises(PlatformError, match=r"was removed(.|\n)*deploy it again"):
        await runtime.launch("web-" + kit.app, release, {}, 1)


async def test_the_version_is_the_tag(kit: Kit) -> None:
    """A release of `app:one` is called `one`, and its digest is the image's own."""
    artifact = await kit.adapter().build(kit.service())
    assert artifact.version == "one"
    assert artifact.digest.startswith("sha256:")
    await kit.adapter().forget(await kit.release(kit.adapter()), 1)


async def test_two_hooks_of_a_service_never_run_at_once(kit: Kit, docker: Any) -> None:
    """A hook whose controller died is waited for before the next one begins."""
    runtime = kit.adapter()
    assert isinstance(runtime, DockerRuntime)
    release = await kit.release(runtime)
    orphan = docker.containers.run(
        kit.base.image,
        ["sleep", "1"],
        detach=True,
        labels=runtime._ours | {"crossfade.hook": f"{kit.app}/web"},
    )
    result = await runtime.run(release, "echo next", {}, {}, 10)
    assert (result.code, result.output) == (0, "next")
    assert orphan.id not in {container.id for container in docker.containers.list(all=True, ignore_removed=True)}


async def test_a_missing_image_names_the_way_out(kit: Kit) -> None:
    """An image that is nowhere, or in a registry that cannot be reached, is the user's to mend."""
    with pytest.raises(WrongInputError, match=r"could not be pulled(.|\n)*docker login 127.0.0.1:1"):
        await kit.adapter().build(kit.missing)


async def test_docker_that_does_not_run_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Docker the cause and both ways out are named."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    runtime = DockerRuntime(tmp_path, TokenFence())
    with pytest.raises(PlatformError, match=r"Docker is not running(.|\n)*use `source`"):
        await runtime.instances("shop/web")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take rights from itself")
async def test_docker_that_may_not_be_used_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission on the socket its group is named."""
    if why := runtime_kits.docker_is_missing():
        pytest.skip(why)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    runtime = DockerRuntime(tmp_path, TokenFence())
    os.seteuid(65534)
    try:
        with pytest.raises(PlatformError, match=r"permission denied on its socket(.|\n)*usermod -aG \w+"):
            await runtime.instances("shop/web")
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "registry"),
    [
        ("nginx", "nginx", "", ""),
        ("nginx:1.27", "nginx", "1.27", ""),
        ("acme/app:v2", "acme/app", "v2", ""),
        ("ghcr.io/acme/app:v2", "ghcr.io/acme/app", "v2", "ghcr.io"),
        ("localhost:5000/app", "localhost:5000/app", "", "localhost:5000"),
        ("localhost/app:v1@sha256:abc", "localhost/app", "v1", "localhost"),
    ],
)
def test_references_are_taken_apart(text: str, repository: str, tag: str, registry: str) -> None:
    """Repository, tag and registry are told apart, also with the port of a registry in between."""
    reference = image.parse(text)
    assert (reference.repository, reference.tag, reference.registry) == (repository, tag, registry)


def test_a_kept_image_has_a_tag_that_docker_allows() -> None:
    """The tag of a release is lower case and names app, service and digest."""
    service = Service(app="Shop", name="Web")
    assert (
        image.tag_of(service, "ghcr.io/a/b@sha256:0123456789abcdef", "a1b2") == "crossfade/shop-web:0123456789ab-a1b2"
    )


async def test_a_port_that_docker_cannot_open_is_not_the_releases_fault(kit: Kit, docker: Any) -> None:
    """What Docker itself fails at is an error of the launch and leaves no instance behind."""
    from crossfade.platforms.local.runtimes.docker import container

    marks = {"crossfade.test": kit.app}
    made = docker.containers.create(kit.base.image, ["sleep", "60"], network_mode="crossfade-test-none", labels=marks)
    import docker.errors as refused

    with pytest.raises(refused.APIError):
        container.start(docker.api, made.id)
    assert docker.containers.list(all=True, ignore_removed=True, filters={"label": f"crossfade.test={kit.app}"}) == []


async def said(kit: Kit, how: Container, **changes: Any) -> list[str]:
    """What one instance of a container made like this wrote before it ended."""
    runtime = kit.adapter()
    release = await kit.release(runtime, "", container=how, **changes)
    await runtime.launch("web-" + kit.app, release, {}, 1)
    await until_exited(kit)
    lines = [said.line async for said in runtime.logs(f"{kit.app}/web", LogQuery(lines=200))]
    await runtime.stop("web-" + kit.app, 0, 1)
    await runtime.forget(release, 1)
    return lines


async def test_an_image_starts_as_docker_has_it(kit: Kit, images: runtime_kits.DockerImages) -> None:
    """A command goes to the ENTRYPOINT, without a shell; an entrypoint takes its place, and that of the CMD."""
    image = images.add("both", ['ENTRYPOINT ["/bin/echo", "begin"]', 'CMD ["own"]'])
    assert await said(kit, Container(), image=image) == ["begin own"]
    assert await said(kit, Container(command=("a b", "$PORT")), image=image) == ["begin a b $PORT"]
    assert await said(kit, Container(entrypoint=("/bin/echo", "x")), image=image) == ["x"]
    shell = Container(entrypoint=("/bin/sh",), command=("-c", "echo $PORT"))
    assert await said(kit, shell, image=image) == ["8080"]


async def test_a_container_has_the_rights_and_limits_that_were_written(kit: Kit) -> None:
    """User, capabilities, read-only files, memory folders, hosts and limits are in force inside."""
    # Two streams have no order between them.
    look = "exec 2>&1; id -u; id -g; ulimit -n; echo x > /x; echo ok > /run/x; cat /run/x /etc/hosts /proc/self/status"
    how = Container(
        entrypoint=("/bin/sh", "-c"),
        command=(look,),
        user="1000:1001",
        working_dir="/bin",
        cap_drop=("ALL",),
        read_only=True,
        tmpfs=("/run:mode=1777",),
        stop_signal="SIGQUIT",
        extra_hosts=(("mail", "10.0.0.5"),),
        shm_size=1 << 20,
        ulimits=(("nofile", 100, 200),),
    )
    told = await said(kit, how)
    assert told[:3] == ["1000", "1001", "100"]
    assert any("Read-only file system" in line for line in told)
    assert "ok" in told
    assert "10.0.0.5\tmail" in told
    assert any(line.endswith("\thost.docker.internal") for line in told)
    assert "CapBnd:\t0000000000000000" in told


async def test_it_is_asked_to_end_by_its_own_signal(kit: Kit) -> None:
    """The one of the file, when the image says nothing."""
    polite = "trap 'echo asked; exit 0' QUIT; echo up; while :; do sleep 0.05; done"
    runtime = kit.adapter()
    release = await kit.release(runtime, polite, container=Container(stop_signal="SIGQUIT"))
    await runtime.launch("web-" + kit.app, release, {}, 1)

    async def lines() -> list[str]:
        return [said.line async for said in runtime.logs(f"{kit.app}/web", LogQuery(lines=9))]

    await until(lines)
    await runtime.stop("web-" + kit.app, 10, 1)
    assert "asked" in await lines()


async def test_an_image_is_built_from_its_dockerfile(kit: Kit, tmp_path: Path) -> None:
    """Stage, file and arguments count, and the same again is the same digest; what fails says why."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/page").write_text("hello")
    (tmp_path / "app/web.Dockerfile").write_text(
        f"FROM {kit.base.image} AS one\nARG WORD\nENV WORD=$WORD\nCOPY page /page\n"
        'ENTRYPOINT ["/bin/sh", "-c", "cat /page; echo $WORD"]\nFROM scratch\n'
    )
    build = Build(context=str(tmp_path / "app"), dockerfile="web.Dockerfile", target="one", args=(("WORD", "there"),))
    assert await said(kit, Container(build=build), image="") == ["hellothere"]
    service = kit.service("", container=Container(build=build), image="")
    runtime = kit.adapter()
    env = {"PATH": os.environ["PATH"]}
    assert (await runtime.build(service, env)).digest == (await runtime.build(service, env)).digest
    await runtime.forget(await kit.release(runtime, "", container=Container(build=build), image=""), 1)
    (tmp_path / "app/web.Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    with pytest.raises(WrongInputError, match=r"could not be built(.|\n)*nothing"):
        await runtime.build(replace(service, container=Container(build=replace(build, target=""))), env)


async def test_a_named_volume_is_shared_and_outlives_its_containers(kit: Kit, docker: Any, tmp_path: Path) -> None:
    """What one release wrote the next one reads; it is known by its labels, and a folder that is only read stays so."""
    (tmp_path / "given").write_text("given\n")
    volumes = (Volume(source="up", target="/media"), Volume(source=str(tmp_path), target="/in", read_only=True))
    shell = Container(entrypoint=("/bin/sh", "-c"))
    write = replace(shell, command=("echo kept > /media/x; cat /in/given; echo no > /in/given",))
    try:
        told = await said(kit, write, volumes=volumes)
        assert "given" in told
        assert any("Read-only" in line for line in told)
        assert await said(kit, replace(shell, command=("cat /media/x",)), volumes=volumes) == ["kept"]
        (volume,) = docker.volumes.list(filters={"label": f"crossfade.app={kit.app}"})
        assert volume.attrs["Labels"]["crossfade.volume"] == "up"
    finally:
        for volume in docker.volumes.list(filters={"label": f"crossfade.app={kit.app}"}):
            volume.remove()
