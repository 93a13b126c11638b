"""What it takes to remove a folder."""

import os
import tempfile
from pathlib import Path

from tests.support.nobody import as_nobody

from crossfade.removal import remove


def test_folders_that_nobody_may_write_to_go_as_well() -> None:
    """As Go leaves its modules: an ordinary user's release would never go, nor be built a second time."""
    with tempfile.TemporaryDirectory() as place:
        release, outside = Path(place, "release"), Path(place, "outside")

        def make() -> None:
            (release / "mod" / "deep").mkdir(parents=True)
            outside.mkdir()
            for folder, mode in ((release / "mod" / "deep", 0o000), (release / "mod", 0o555), (outside, 0o555)):
                (folder / "file").touch(0o444)
                (folder / "link").symlink_to(outside)
                folder.chmod(mode)

        Path(place).chmod(0o777)
        assert as_nobody(make) == ""
        assert as_nobody(lambda: remove(release)) == ""
        assert [path.name for path in Path(place).iterdir()] == ["outside"]  # what a link leads to is not ours to touch
        assert (outside.stat().st_mode & 0o777, len(list(outside.iterdir()))) == (0o555, 2)


def test_what_another_user_put_there_is_left() -> None:
    """Without an error: the rest goes."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        theirs = Path(place, "release", "theirs")
        assert as_nobody(lambda: Path(place, "release").mkdir()) == ""
        theirs.mkdir()
        (theirs / "file").touch()
        assert as_nobody(lambda: remove(Path(place, "release"))) == ""
        assert theirs.exists() == (os.geteuid() == 0)
