"""How a release folder comes about: built once, where it stays, by one at a time, and whole or not at all."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import WrongInputError
from crossfade.platforms.local.runtimes.processes import proc


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
    assert len(log.read_text().split("\n")) == 52
    assert folders(machine) == []


async def test_a_build_has_the_users_environment(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build finds proxies and the like of the shell it was started from; the service's env may set its PATH."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    path = f"/somewhere/bin:{os.environ['PATH']}"
    await machine.runtime.build(machine.service(build='echo "$HTTPS_PROXY $PATH" > told', env=(("PATH", path),)))
    assert (folders(machine)[0] / "tree" / "told").read_text() == f"http://proxy.example:3128 {path}\n"


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
