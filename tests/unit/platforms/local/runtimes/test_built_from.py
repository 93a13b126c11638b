"""A build that says what it depends on is run when that changes, and not for a line of the app."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.platforms.local.runtimes.builds import kept
from crossfade.platforms.local.runtimes.builds.caches import Caches

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
            await Ahead(built).there()  # or it comes into what is being removed
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


async def test_what_was_linked_is_looked_at_before_each_launch(built: Built) -> None:
    """By the seal of the copy, which all that have links to it share; what they have otherwise is in their own."""
    await built.release("one")
    tree = await built.release("two")
    (sealed,) = built.machine.state.glob("caches/*/newest/sealed")
    assert tree.with_name("sealed").samefile(sealed)
    (built.machine.source / "app.txt").write_text("two")
    release = await built.machine.release(**built.settings)
    await built.machine.runtime.check(release)
    for path in ("env/tool", "env/lib/data"):
        (tree / path).chmod(0o755)
        (tree / path).write_text("other")
    with pytest.raises(PlatformError, match=r"env/\S+ and 1 more changed"):
        await built.machine.runtime.check(release)


async def test_what_is_kept_and_was_changed_is_built_anew(built: Built) -> None:
    """It is seen before anything runs from it, and the next deploy takes nothing that was kept."""
    await built.release("one")
    (data,) = built.machine.state.glob("caches/*/newest/kept/env/lib/data")
    data.chmod(0o644)
    data.write_text("other\n")
    with pytest.raises(PlatformError, match=r"env/lib/data changed(.|\n)*deploy its commit again"):
        await built.release("two")
    assert built.times == 1
    second = await built.release("two")
    assert built.times == 2
    assert (second / "env/lib/data").read_text() == "data\n"


async def test_what_no_release_has_is_named(built: Built) -> None:
    """A file that git ignores would change without anybody noticing."""
    with pytest.raises(WrongInputError, match=r"built from gone.txt(.|\n)*git"):
        await built.release("one", built_from=("gone.txt",))


class Ahead:
    """What is linked ahead for the release after the last one."""

    def __init__(self, built: Built) -> None:
        self.caches = built.machine.state / "caches"

    @property
    def folders(self) -> list[Path]:
        return [*self.caches.glob("*/ahead")]

    async def there(self) -> Path:
        """Once it is whole."""
        async with asyncio.timeout(60):
            while not self.folders:  # noqa: ASYNC110  a process of its own makes it
                await asyncio.sleep(0.01)
        (folder,) = self.folders
        return folder


async def test_a_release_takes_what_was_linked_ahead(built: Built) -> None:
    """It is the folder itself that was linked meanwhile, with the release's own place in what names one."""
    first = await built.release("one")
    folder = (await Ahead(built).there()) / "kept/env"
    inode = folder.stat().st_ino
    second = await built.release("two")
    assert (second / "env").stat().st_ino == inode
    assert (second / "env/tool").read_text() == f"#!{second}/env/python\n"
    assert (second / "env/lib64").readlink() == second / "env/lib"
    assert (second / "env/same").readlink() == Path("tool")
    assert (first / "env/tool").read_text() == f"#!{first}/env/python\n"
    assert built.times == 1
    (second / "env/lib/pid").touch()
    third = await built.release("three")
    assert not (third / "env/lib/pid").exists(), "what a release writes is its own"


async def test_of_two_releases_at_once_one_takes_it(built: Built) -> None:
    """The other one links for itself, and both are whole."""
    await built.release("one")
    home = (await Ahead(built).there()).parent
    account = kept.read(home / "newest")
    assert account is not None
    service, caches = built.machine.service(**built.settings), Caches(built.machine.state / "caches")
    trees = [built.machine.state / "releases" / (name * 12) / "tree" for name in "xyz"]
    for tree in trees:
        tree.mkdir(parents=True)
    await asyncio.gather(*(asyncio.to_thread(caches.link, service, tree, account.inputs) for tree in trees))
    assert [(tree / "env/lib/data").read_text() for tree in trees] == ["data\n"] * 3
    assert [(tree / "env/tool").read_text() for tree in trees] == [f"#!{tree}/env/python\n" for tree in trees]
    assert not [*home.glob(".ahead-*")]


async def test_what_was_linked_of_an_older_build_is_not_taken(built: Built) -> None:
    """A build that ran leaves something else, and the next release has that."""
    settings = built.settings | {"build": f"{built.settings['build']}\ncat needs.txt > env/lib/data"}
    await built.release("one", **settings)
    await Ahead(built).there()
    (built.machine.source / "needs.txt").write_text("flask")
    await built.release("two", **settings)
    later = await built.release("three", **settings)
    assert (later / "env/lib/data").read_text() == "flask"
    assert built.times == 2


async def test_what_the_dead_left_of_it_goes(built: Built) -> None:
    """Half of the links of a controller that was killed are nobody's."""
    await built.release("one")
    (home,) = ((await Ahead(built).there()).parent,)
    (home / ".ahead-dead").mkdir()
    (home / ".ahead-dead/of").write_text("copy-1")
    await built.release("two")
    await Ahead(built).there()
    assert not [*home.glob(".ahead-dead")]


async def test_a_runtime_that_closes_leaves_no_half(built: Built) -> None:
    """What was under way is given up, with its process."""
    await built.release("one")
    await built.machine.runtime.close()
    assert not [*(built.machine.state / "caches").glob("*/.ahead-*")]
