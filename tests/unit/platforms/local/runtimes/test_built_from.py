"""A build that says what it depends on is run when that changes, and not for a line of the app."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import WrongInputError
from crossfade.core.release import Release

# An environment as Python makes it: a program that names its place, a link out of it, one inside, a file of data.
BUILD = """
mkdir -p env/lib && echo "#!$PWD/env/python" > env/tool && echo data > env/lib/data && chmod +x env/tool
ln -sf {python} env/python; ln -sf tool env/same; ln -sf "$PWD/env/lib" env/lib64; echo . >> {runs}
"""


class Built:
    """A source with what its build reads, and how often that ran."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.runs = folder / "runs"
        self.python = folder / "python3.11"
        self.python.touch()
        link = folder / "python3"
        link.symlink_to(self.python)
        (machine.source / "needs.txt").write_text("django")
        self.settings: dict[str, Any] = {
            "build": BUILD.format(python=link, runs=self.runs),
            "cache": ("env",),
            "built_from": ("needs.txt",),
        }

    async def release(self, change: str = "", **changes: Any) -> Path:
        """The tree of a release with this change of a line."""
        (self.machine.source / "app.txt").write_text(change)
        release: Release = await self.machine.release(**{**self.settings, **changes})
        await self.machine.runtime.check(release)
        return self.machine.state / "releases" / release.digest[:12] / "tree"

    @property
    def times(self) -> int:
        return len(self.runs.read_text().split())


@pytest.fixture
def built(machine: Machine, tmp_path: Path) -> Built:
    return Built(machine, tmp_path)


async def test_a_change_of_a_line_runs_no_build(built: Built) -> None:
    """The release has what the build left all the same: programs that name its own place, links where they led."""
    first = await built.release("one")
    second = await built.release("two")
    assert built.times == 1
    assert (second / "app.txt").read_text() == "two"
    assert (second / "env/tool").read_text() == f"#!{second}/env/python\n"
    assert (second / "env/tool").stat().st_mode & 0o777 == 0o555
    assert (second / "env/lib64").readlink() == second / "env/lib"
    assert (second / "env/same").readlink() == Path("tool")
    assert (first / "env/tool").read_text() == f"#!{first}/env/python\n"
    third = await built.release("three")
    assert (third / "env/lib/data").stat().st_ino == (second / "env/lib/data").stat().st_ino
    (log,) = (built.machine.state / "logs" / built.machine.key).glob(f"build-{third.parent.name}.log")
    assert log.read_text() == "not run: needs.txt and the build are what they were, and so is what it leaves\n"


@pytest.mark.parametrize("change", ["needs", "build", "env", "python", "kept"])
async def test_what_the_build_depends_on_runs_it(change: str, built: Built) -> None:
    """What it is built from, its command, its variables, the Python behind its link, and when nothing is kept."""
    await built.release("one")
    settings: dict[str, Any] = {}
    match change:
        case "needs":
            (built.machine.source / "needs.txt").write_text("flask")
        case "build":
            settings["build"] = f"{built.settings['build']}\ntrue"
        case "env":
            settings["env"] = (("MODE", "live"),)
        case "python":
            (built.python.with_name("python3")).unlink()
            (built.python.with_name("python3")).symlink_to(built.python.with_name("python3.12"))
            built.python.with_name("python3.12").touch()
        case "kept":
            shutil.rmtree(built.machine.state / "caches")
    await built.release("two", **settings)
    assert built.times == 2


async def test_who_does_not_say_what_it_depends_on_is_built_each_time(built: Built) -> None:
    """With a copy of what was kept."""
    await built.release("one", built_from=())
    await built.release("two", built_from=())
    assert built.times == 2


async def test_a_release_survives_those_it_was_linked_from(built: Built) -> None:
    """The cache and the release that was built may go."""
    first = await built.release("one")
    second = await built.release("two")
    for gone in (first.parent, built.machine.state / "caches"):
        shutil.rmtree(gone)
    assert (second / "env/lib/data").read_text() == "data\n"


async def test_what_no_release_has_is_named(built: Built) -> None:
    """A file that git ignores would change without anybody noticing."""
    with pytest.raises(WrongInputError, match=r"built from gone.txt(.|\n)*git"):
        await built.release("one", built_from=("gone.txt",))
