"""How much more memory may be taken, by the limit that says so."""

from pathlib import Path

import pytest

from crossfade.platforms.local.kernel import available, cgroups
from crossfade.platforms.local.kernel.available import MemoryLeft

MB = 2**20


def group(folder: Path, **files: object) -> Path:
    """A cgroup with these files, `__` for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, said in files.items():
        (folder / name.replace("__", ".")).write_text(f"{said}\n")
    return folder


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory__max": 10 * MB, "memory__current": 4 * MB}, MemoryLeft(6 * MB, "MemoryMax")),
        ({"memory__max": 10 * MB, "memory__high": 5 * MB, "memory__current": 4 * MB}, MemoryLeft(MB, "MemoryHigh")),
        ({"memory__max": 3 * MB, "memory__current": 4 * MB}, MemoryLeft(0, "MemoryMax")),
        (
            {"memory__max": 10 * MB, "memory__current": 9 * MB, "memory__stat": f"anon 1\ninactive_file {5 * MB}"},
            MemoryLeft(6 * MB, "MemoryMax"),
        ),
        (
            {"memory__limit_in_bytes": 10 * MB, "memory__usage_in_bytes": 7 * MB},
            MemoryLeft(3 * MB, "memory.limit_in_bytes"),
        ),
    ],
)
def test_a_cgroup_has_less_than_the_machine(tmp_path: Path, files: dict[str, object], left: MemoryLeft) -> None:
    """Who passes its limit is killed though the machine has memory; what the kernel takes back is not in the way."""
    assert available.left([group(tmp_path, **files)]) == left


def test_one_without_a_limit_has_what_the_machine_has(tmp_path: Path) -> None:
    """Which can be read."""
    found = available.left([group(tmp_path, memory__max="max", memory__current=MB)])
    assert found.bytes > 0
    assert not found.limit


@pytest.mark.parametrize(("said", "below"), [("0::/a/b", ""), ("4:cpu,memory:/a/b\n5:pids:/x", "memory")])
def test_the_groups_above_ours_hold_for_us_too(tmp_path: Path, said: str, below: str) -> None:
    """A limit of the whole slice is met by any of it, in both versions of cgroups."""
    (tmp_path / "cgroup").write_text(f"{said}\n")
    root = tmp_path / "mounted"
    slice_ = group(root / below / "a", memory__max=2 * MB, memory__current=MB)
    group(slice_ / "b", memory__max=9 * MB, memory__current=0)
    groups = list(cgroups.ours("memory", tmp_path / "cgroup", root))
    assert [one.relative_to(root / below).as_posix() for one in groups] == ["a/b", "a", "."]
    assert available.left(groups) == MemoryLeft(MB, "MemoryMax")
