"""How a release folder comes about: built once, where it stays, by one at a time, and whole or not at all."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.runtimes.builds import caches
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime


def folders(machine: Machine) -> list[Path]:
    return [path for path in (machine.state / "releases").iterdir() if path.is_dir()]


async def test_a_release_is_built_once_where_it_stays(machine: Machine) -> None:
    """The build runs in the release's own folder, however often and by whom the same source is asked for."""
    build = "pwd >> built-in; sleep 0.2"
    await asyncio.gather(*(machine.successor().build(machine.service(build=build)) for _ in range(4)))
    await machine.runtime.build(machine.service(build=build))
    (folder,) = folders(machine)
    assert (folder / "tree" / "built-in").read_text().split() == [str(folder / "tree")]
    assert (folder / "tree" / "app.txt").read_text() == "hello"
    assert list(folder.parent.iterdir()) == [folder]  # no lock that nobody holds


async def test_files_of_a_release_are_read_only(machine: Machine) -> None:
    """What instances share none of them rewrites; new files, such as caches, can still be made."""
    await machine.runtime.build(machine.service(build="touch made"))
    tree = folders(machine)[0] / "tree"
    assert all(path.stat().st_mode & 0o222 == 0 for path in tree.iterdir())
    assert tree.stat().st_mode & 0o200


async def test_a_build_that_fails_leaves_nothing(machine: Machine) -> None:
    """The last lines, the code and the log of a failed build are named, and no release folder stays."""
    service = machine.service(build="seq 50; echo no such package; exit 7")
    with pytest.raises(WrongInputError, match="failed with code 7") as failure:
        await machine.runtime.build(service)
    assert "no such package" in failure.value.cause
    assert "\n    41\n" not in failure.value.cause
    (log,) = machine.log("x").parent.glob("build-*.log")
    assert str(log) in failure.value.way_out
    await until(lambda: len(log.read_text().split("\n")) == 52)  # who writes it is another process
    assert folders(machine) == []


async def test_a_build_has_the_environment_of_who_deploys(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell brought along, before it the service's own env, and nothing of the controller's."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the controller")
    brought = {"HTTPS_PROXY": "http://proxy.example:3128", "PATH": "/nowhere", "CROSSFADE_STATE": "/elsewhere"}
    path = f"/somewhere/bin:{os.environ['PATH']}"
    told = 'echo "$HTTPS_PROXY $PATH [$AWS_SECRET_ACCESS_KEY$CROSSFADE_STATE]" > told'
    await machine.runtime.build(machine.service(build=told, env=(("PATH", path),)), brought)
    assert (folders(machine)[0] / "tree" / "told").read_text() == f"http://proxy.example:3128 {path} []\n"


async def test_a_cancelled_build_ends(machine: Machine, tmp_path: Path) -> None:
    """Taking a deploy back in the middle of its build ends the build and removes the folder."""
    pid = tmp_path / "pid"
    build = asyncio.create_task(machine.runtime.build(machine.service(build=f"echo $$ > {pid}; exec sleep 60")))
    await until(lambda: pid.exists() and pid.read_text())
    build.cancel()
    with pytest.raises(asyncio.CancelledError):
        await build
    assert proc.look(int(pid.read_text())) is None
    assert folders(machine) == []


KILLED = """
import asyncio, sys
from pathlib import Path
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime
class Fence:
    def check(self, service, token): ...
app, name = sys.argv[2].split("/")
service = Service(app=app, name=name, source=sys.argv[3], build=sys.argv[4])
asyncio.run(ProcessRuntime(Path(sys.argv[1]), Fence()).build(service))
"""


async def test_a_build_whose_controller_was_killed_is_ended_and_done_again(machine: Machine, tmp_path: Path) -> None:
    """An orphaned build neither goes on beside the new one nor leaves its half behind."""
    first, pid = tmp_path / "first", tmp_path / "pid"
    build = f"if mkdir {first}; then echo half > half; echo $$ > {pid}; exec sleep 60; fi; echo whole > whole"
    arguments = [str(machine.state), machine.key, str(machine.source), build]
    controller = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])  # noqa: ASYNC220  returns at once
    await until(lambda: pid.exists() and pid.read_text())
    controller.kill()
    controller.wait()
    await machine.runtime.build(machine.service(build=build))
    (folder,) = folders(machine)
    assert {path.name for path in (folder / "tree").iterdir()} == {"app.txt", "whole"}
    orphan = proc.look(int(pid.read_text()))
    assert orphan is None or orphan.ended


async def test_where_the_folder_of_releases_was_deleted_it_is_made_anew(machine: Machine) -> None:
    """A deploy mends what somebody deleted by hand: it builds, and nobody has to start a controller anew for it."""
    await machine.runtime.build(machine.service())
    for path in (machine.state / "releases").rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(machine.state / "releases")
    await machine.runtime.build(machine.service())
    (folder,) = folders(machine)
    assert (folder / "tree" / "app.txt").read_text() == "hello"


async def test_half_a_copy_is_swept(machine: Machine) -> None:
    """What a killed controller had copied so far is removed by the next build."""
    (machine.state / "releases" / ".staging-x" / "tree").mkdir(parents=True)
    await machine.runtime.build(machine.service())
    assert len(folders(machine)) == 1


async def test_forgetting_removes_all_of_it(machine: Machine) -> None:
    """A forgotten release leaves no file behind, and can be built again."""
    release = await machine.release(build="touch made")
    await machine.runtime.forget(release, 1)
    assert list((machine.state / "releases").iterdir()) == []
    await machine.release(build="touch made")
    assert len(folders(machine)) == 1


async def test_services_with_the_same_source_share_a_folder_until_the_last_lets_go(machine: Machine) -> None:
    """What one service needs no more another may: its files stay, and go with the last that needs them."""
    web = await machine.release()
    api = replace(web, service=replace(web.service, name="api"))
    assert (await machine.runtime.build(api.service)).digest == web.digest
    await machine.runtime.forget(web, 1)
    await machine.runtime.check(api)
    await machine.runtime.forget(api, 1)
    assert folders(machine) == []


async def test_a_folder_of_before_is_kept_for_whom_the_ledgers_name(machine: Machine) -> None:
    """An earlier crossfade wrote down neither seal nor users: a start says who needs it, and the files stay."""
    web = await machine.release()
    api = replace(web, service=replace(web.service, name="api"))
    (home,) = folders(machine)
    shutil.rmtree(home / "needed-by")
    (home / "at-rest").unlink()
    (home / "built").write_text("")
    for release in (web, api):
        await machine.runtime.keep(release.service.key, {release.digest})
    await machine.runtime.forget(web, 1)
    await machine.runtime.check(api)


async def test_a_start_gives_up_what_a_killed_controller_built_for_nobody(machine: Machine) -> None:
    """A build that never became a release has no line in the ledger, and its folder goes."""
    lost = await machine.release()
    (machine.source / "app.txt").write_text("other")
    kept = await machine.release()
    await machine.runtime.keep(machine.key, {kept.digest})
    with pytest.raises(PlatformError):
        await machine.runtime.check(lost)
    await machine.runtime.check(kept)


def overwrite(tree: Path) -> None:
    (tree / "app.txt").chmod(0o644)
    (tree / "app.txt").write_text("planted")


def replace_by_another(tree: Path) -> None:
    (tree / "planted").write_text("planted")
    os.utime(tree / "planted", ns=(0, (tree / "app.txt").stat().st_mtime_ns))
    (tree / "planted").rename(tree / "app.txt")


def remove(tree: Path) -> None:
    (tree / "app.txt").unlink()


def add(tree: Path) -> None:
    (tree / "sitecustomize.py").write_text("planted")


def relink(tree: Path) -> None:
    (tree / "current").unlink()
    (tree / "current").symlink_to("/tmp")


@pytest.mark.parametrize("tampering", [overwrite, replace_by_another, remove, add, relink])
async def test_what_was_changed_behind_our_back_is_not_started(
    machine: Machine, tampering: Callable[[Path], None]
) -> None:
    """A release that waits for its rollback is refused in a sentence when anybody wrote into its folder meanwhile.

    Deploying its source again makes it whole.
    """
    (machine.source / "current").symlink_to("app.txt")
    release = await machine.release()
    await machine.runtime.launch("first", release, {}, 1)
    await machine.runtime.stop("first", 5, 1)
    await machine.runtime.check(release)
    tampering(folders(machine)[0] / "tree")
    for _ in range(2):
        with pytest.raises(PlatformError, match="not those it was built with"):
            await machine.runtime.check(release)
        with pytest.raises(PlatformError, match="not those it was built with"):
            await machine.runtime.launch("second", release, {}, 1)
        with pytest.raises(PlatformError, match="not those it was built with"):
            await machine.runtime.run(release, "true", {}, {}, 5)
        with pytest.raises(PlatformError, match="not those it was built with"):
            await machine.runtime.ready(release)
        with pytest.raises(PlatformError, match="not those it was built with"):
            await machine.runtime.begin("job-a", release, "true", {}, 1)
    await machine.runtime.build(release.service)
    await machine.runtime.launch("third", release, {}, 1)


async def test_a_run_that_is_made_ready_for_looks_at_no_file_at_its_time(machine: Machine) -> None:
    """What was found right seconds before is taken for right, by the controller that looked; by no other one."""
    release = await machine.release()
    await machine.runtime.ready(release)
    overwrite(folders(machine)[0] / "tree")
    await machine.runtime.begin("job-a", release, "true", {}, 1)
    with pytest.raises(PlatformError, match="not those it was built with"):
        await machine.successor().begin("job-b", release, "true", {}, 1)
    await machine.runtime.clear("job-a", release, 0.0)


async def test_what_an_instance_leaves_in_its_own_folder_is_no_tampering(machine: Machine) -> None:
    """Caches, pid files and uploads of the release's own instances and hooks are there for the next ones."""
    release = await machine.release("touch cache; exec sleep 60")
    tree = folders(machine)[0] / "tree"
    await machine.runtime.run(release, "touch by-hook", {}, {}, 5)
    for instance in ("first", "second"):
        await machine.runtime.launch(instance, release, {}, 1)
        await until((tree / "cache").exists)
    await machine.runtime.stop("first", 5, 1)
    (tree / "while-running").touch()
    await machine.runtime.stop("second", 5, 1)
    await machine.runtime.launch("third", release, {}, 1)
    assert {path.name for path in tree.iterdir()} == {"app.txt", "by-hook", "cache", "while-running"}


async def test_a_release_that_runs_is_not_built_over(machine: Machine) -> None:
    """Its instances would lose the folder under their feet: the deploy of the same source is refused instead."""
    await machine.launch("one", "exec sleep 60")
    add_to = folders(machine)[0] / "tree"
    overwrite(add_to)
    with pytest.raises(RefusedError, match=r"app\.txt changed"):
        await machine.runtime.build(machine.service())


async def test_a_copied_state_directory_is_still_whole(machine: Machine) -> None:
    """Restored from a backup every file is another one by its number, and the same by what it holds."""
    release = await machine.release()
    moved = machine.state.parent / "moved"
    shutil.copytree(machine.state, moved)
    await ProcessRuntime(moved, TokenFence()).check(release)


async def test_no_program_of_a_release_is_setuid(machine: Machine) -> None:
    """What the source or its build made setuid, setgid or sticky is a plain file in the release."""
    (machine.source / "app.txt").chmod(0o6755)
    await machine.runtime.build(machine.service(build="mkdir folder; chmod 7777 folder; touch made; chmod 4755 made"))
    tree = folders(machine)[0] / "tree"
    assert all(path.stat().st_mode & 0o7000 == 0 for path in tree.rglob("*"))
    assert (tree / "made").stat().st_mode & 0o777 == 0o555


INSTALLS = (
    "mkdir -p deps && { test -f deps/big || { echo $PWD > deps/place; echo made > deps/big; touch made-anew; }; }"
)


def trees(machine: Machine) -> list[Path]:
    return sorted((one / "tree" for one in folders(machine)), key=lambda tree: tree.stat().st_ctime_ns)


async def test_a_build_finds_what_the_one_before_it_kept(machine: Machine) -> None:
    """A copy that names the place where it is now: what one release does with it is nothing to another."""
    service = machine.service(build=INSTALLS, cache=("deps",))
    await machine.runtime.build(service)
    (first,) = trees(machine)
    (machine.source / "app.txt").write_text("changed")
    await machine.runtime.build(service)
    second = next(tree for tree in trees(machine) if tree != first)
    assert (first / "made-anew").exists()
    assert not (second / "made-anew").exists()
    assert (first / "deps/place").read_text() == f"{first}\n"
    assert (second / "deps/place").read_text() == f"{second}\n"
    assert (second / "deps/big").stat().st_ino != (first / "deps/big").stat().st_ino


async def test_a_change_of_crossfade_s_own_file_builds_nothing_again(machine: Machine) -> None:
    """What it says is in the release otherwise; any other file counts."""
    (machine.source / "crossfade.yaml").write_text("app: shop\n")
    first = await machine.runtime.build(machine.service(build="date +%N > made"))
    (machine.source / "crossfade.yaml").write_text("app: shop\nlisten: 8081\n")
    assert await machine.runtime.build(machine.service(build="date +%N > made")) == first
    (machine.source / "other.yaml").write_text("app: shop\n")
    assert (await machine.runtime.build(machine.service(build="date +%N > made"))).digest != first.digest


async def test_a_cache_at_home_is_in_the_home_of_who_deploys(machine: Machine, tmp_path: Path) -> None:
    """Where the build looks for it; the controller's may be another one."""
    service = machine.service(build="test -d ~/.cache/tool", cache=("~/.cache/tool",))
    (tmp_path / "kim").mkdir()
    await machine.runtime.build(service, {"HOME": str(tmp_path / "kim"), "PATH": os.environ["PATH"]})
    assert (tmp_path / "kim" / ".cache" / "tool").is_dir()


async def test_without_cache_a_build_finds_nothing(machine: Machine) -> None:
    """And one whose command changed begins anew."""
    await machine.runtime.build(machine.service(build=INSTALLS, cache=("deps",)))
    (machine.source / "app.txt").write_text("changed")
    await machine.runtime.build(machine.service(build=INSTALLS))
    await machine.runtime.build(machine.service(build=f"{INSTALLS}; true", cache=("deps",)))
    assert all((tree / "made-anew").exists() for tree in trees(machine))


async def test_a_build_that_fails_with_what_was_kept_is_tried_without(machine: Machine) -> None:
    """What was kept may be what it fails over; one that fails without it too keeps nothing."""
    fails = "test ! -f deps/big || exit 3; mkdir -p deps; echo made > deps/big"
    service = machine.service(build=fails, cache=("deps",))
    await machine.runtime.build(service)
    (machine.source / "app.txt").write_text("changed")
    await machine.runtime.build(service)
    assert len(trees(machine)) == 2
    with pytest.raises(WrongInputError, match="failed with code 5"):
        await machine.runtime.build(machine.service(build="mkdir deps; exit 5", cache=("deps",)))
    assert len(list((machine.state / "caches").glob("*/copy-*"))) == 1


async def test_builds_at_the_same_time_find_a_whole_copy_or_none(machine: Machine, tmp_path: Path) -> None:
    """Each copies out what is whole; the one that is done last leaves the next its own, and no other one stays."""
    made = machine.service(build="true", cache=("deps",))
    kept = caches.Caches(tmp_path / "caches")
    trees = [tmp_path / f"tree-{number}" for number in range(8)]
    for number, tree in enumerate(trees):
        (tree / "deps").mkdir(parents=True)
        for name in range(50):
            (tree / "deps" / str(name)).write_text(f"{number} {tree}")

    def build(number: int) -> set[str]:
        found = tmp_path / f"next-{number}"
        kept.keep(made, trees[number])
        assert kept.bring(made, found) == ["deps"]
        return {file.read_text() for file in (found / "deps").iterdir()}

    for held in await asyncio.gather(*(asyncio.to_thread(build, number) for number in range(8))):
        assert len(held) == 1
    assert len(list((tmp_path / "caches").glob("*/copy-*"))) == 1
