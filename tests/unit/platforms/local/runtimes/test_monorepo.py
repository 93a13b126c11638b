"""Releases of a service that is made of more than its own folder."""

import asyncio
import shutil
import tarfile
from pathlib import Path
from typing import Any

from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.release import Release
from crossfade.core.service import Service, Volume
from crossfade.platforms.hosts.shipping import pack
from crossfade.platforms.local.runtimes.snapshot import take
from crossfade.source.whole import WholeSource


def lay_out(machine: Machine) -> Path:
    root = machine.source
    for path in ("apps/api/app.sh", "apps/web/index.js", "packages/shared/text", "lock"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def service(machine: Machine, command: str = "exec sleep 60", **changes: Any) -> Service:
    also = (f"{machine.source}/lock", f"{machine.source}/packages/shared/")
    return machine.service(command, source=str(machine.source / "apps/api"), also=also, **changes)


async def release(machine: Machine, command: str = "exec sleep 60", **changes: Any) -> Release:
    wanted = service(machine, command, **changes)
    made = await machine.runtime.build(wanted)
    return Release(number=1, service=wanted, version="v1", digest=made.digest, config_hash="", path="/usr/bin:/bin")


async def test_everything_runs_in_the_source_and_finds_the_rest_where_it_is(machine: Machine) -> None:
    """The build, the instance, hooks, commands beside it: also when the repository is gone meanwhile."""
    lay_out(machine)
    ours = await release(
        machine,
        "cat ../../packages/shared/text ../../lock built > out; exec sleep 60",
        build="cat ../../lock > built; test ! -e ../web",
        volumes=(Volume(source="uploads", target="media"),),
    )
    tree = machine.state / "releases" / ours.digest[:12] / "tree"
    shutil.rmtree(machine.source)
    await machine.runtime.launch("i", ours, {}, 1)
    out = tree / "apps/api/out"
    await until(lambda: out.exists() and out.read_text() == "packages/shared/textlocklock")
    done = await machine.runtime.run(ours, "cat app.sh ../../packages/shared/text", {}, {}, 10)
    assert done.output == "apps/api/app.shpackages/shared/text"
    assert (await machine.runtime.execute("i", ours, "test -d media", {}, 10)).code == 0
    assert (await machine.runtime.seat(ours, {}, [], "", interactive=False)).folder == str(tree / "apps/api")
    assert (tree / "apps/api/media").readlink() == machine.state / "volumes" / ours.service.app / "uploads"
    await machine.runtime.check(ours)


async def test_a_change_of_a_part_is_a_release_and_none_elsewhere_is(machine: Machine) -> None:
    """Whoever else changes in the repository."""
    root = lay_out(machine)
    first = await machine.runtime.build(service(machine))
    (root / "apps/web/index.js").write_text("changed")
    (root / "README").write_text("changed")
    assert (await machine.runtime.build(service(machine))).digest == first.digest
    digests = {first.digest}
    for part in ("packages/shared/text", "lock", "apps/api/app.sh"):
        (root / part).write_text("changed")
        digests.add((await machine.runtime.build(service(machine))).digest)
    assert len(digests) == 4


async def test_the_same_files_are_built_for_each_folder_they_run_in(machine: Machine) -> None:
    """Two services that name each other are made of the same, and built in folders of their own."""
    root = lay_out(machine)
    one = machine.service(source=str(root / "apps/api"), also=(f"{root}/apps/web/",), build="pwd > built")
    two = machine.service(source=str(root / "apps/web"), also=(f"{root}/apps/api/",), build="pwd > built")
    first, second = await asyncio.gather(machine.runtime.build(one), machine.runtime.build(two))
    assert first.digest != second.digest


def test_it_is_the_same_release_on_a_host_that_it_is_shipped_to(machine: Machine, tmp_path: Path) -> None:
    """Its parts, and no more."""
    wanted = service(machine)
    lay_out(machine)
    whole = WholeSource.of(Path(wanted.source), wanted.also)
    there = tmp_path / "there"
    with tarfile.open(pack(whole, tmp_path / "parcel.tar").path) as packed:
        packed.extractall(there, filter="data")
    moved = WholeSource.of(there / "apps/api", (f"{there}/lock", f"{there}/packages/shared/"))
    assert take(moved, tmp_path / "theirs").artifact == take(whole, tmp_path / "mine").artifact
    assert not (there / "apps/web").exists()
