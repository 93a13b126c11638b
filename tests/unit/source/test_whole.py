"""What a service of a repository of many is made of, and where it lies."""

import subprocess
from pathlib import Path

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.source.listing import listing
from crossfade.source.whole import WholeSource


def test_a_source_alone_is_its_own_root() -> None:
    """Nothing else belongs."""
    alone = WholeSource.of(Path("/r/apps/api"))
    assert (alone.root, alone.within, alone.parts, alone.inside("media")) == (Path("/r/apps/api"), "", (), "media")


def test_parts_keep_their_places_to_each_other() -> None:
    """The root is the innermost folder that has all of them; a file's is the one it lies in."""
    whole = WholeSource.of(Path("/r/apps/api"), ["/r/packages/shared/", "/r/package-lock.json"])
    assert (whole.root, whole.within) == (Path("/r"), "apps/api")
    assert whole.parts == ("apps/api", "package-lock.json", "packages/shared")
    assert whole.inside("media") == "apps/api/media"
    assert WholeSource.of(Path("/r/api"), ["/r/api/lib/", "/r/shared/"]).parts == ("api", "shared")


def test_what_has_the_source_in_it_is_all_there_is() -> None:
    """`also: [..]` is everything there."""
    whole = WholeSource.of(Path("/r/apps/api"), ["/r/apps/"])
    assert (whole.root, whole.within, whole.parts) == (Path("/r/apps"), "api", ())


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    for path in ("apps/api/run.sh", "apps/web/index.js", "packages/shared/lib.py", "lock"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    run = ["git", "-C", str(folder), "-c", "user.name=me", "-c", "user.email=me@example.com"]
    subprocess.run([*run, *words], check=True)


def test_only_its_parts_belong_and_make_it_dirty(monorepo: Path) -> None:
    """A change in another app is none of its business, one of a part that it names is."""
    (monorepo / "packages/shared/junk").write_text("x")
    (monorepo / ".gitignore").write_text("junk\n")
    whole = WholeSource.of(monorepo / "apps/api", [f"{monorepo}/packages/shared/", f"{monorepo}/lock"])
    found = listing(whole)
    assert [path for path, _ in found.belonging()] == ["apps/api/run.sh", "lock", "packages/shared/lib.py"]
    (monorepo / "apps/web/index.js").write_text("changed")
    commit = found.commit()
    assert commit is not None
    assert not commit.changed
    for part in ("packages/shared/lib.py", "lock"):
        (monorepo / part).write_text("changed")
        commit = found.commit()
        assert commit is not None
        assert commit.changed
        git(monorepo, "checkout", "-q", part)


def test_a_part_that_went_is_named(monorepo: Path) -> None:
    with pytest.raises(WrongInputError, match="gone does not exist"):
        list(listing(WholeSource.of(monorepo / "apps/api", [f"{monorepo}/gone"])).belonging())
