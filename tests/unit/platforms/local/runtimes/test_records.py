"""Records of instances: whoever writes them, and however quickly, they are read as they are."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from crossfade.platforms.local.runtimes.processes.record import InstanceRecord, Records


def record(name: str, service: str = "shop/web", **more: object) -> InstanceRecord:
    made = InstanceRecord(id=name, service=service, release=1, digest="d", port=20_000, launched_at=0.0)
    return replace(made, **more)  # type: ignore[arg-type]


def test_every_change_is_seen_at_once(tmp_path: Path) -> None:
    """Also one in the same moment, by another controller, under a name that was there before."""
    mine, theirs = Records(tmp_path), Records(tmp_path)
    for number in range(300):
        theirs.write(record("one", port=number))
        assert [one.port for one in mine.all()] == [number]
        if number % 3 == 0:
            theirs.remove("one")
            assert mine.all() == []
            assert mine.of("shop/web") == []


def test_a_folder_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    """Nothing is on record then, and what comes is: a service has to be replaced and deployed all the same."""
    records = Records(tmp_path / "instances")
    records.write(record("one"))
    shutil.rmtree(tmp_path / "instances")
    assert records.all() == []
    records.write(record("two"))
    assert [one.id for one in records.of("shop/web")] == ["two"]
    assert (tmp_path / "instances").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_rests_is_not_read_again(tmp_path: Path) -> None:
    """Hundreds of services ask for their instances several times a second: what one is told costs one look at it."""
    records = Records(tmp_path)
    for name in ("one", "two"):
        records.write(record(name))
    earlier = time.time_ns() - 60 * 10**9
    os.utime(tmp_path, ns=(earlier, earlier))
    first = records.of("shop/web")
    (tmp_path / "one.json").write_text("in place, as nobody writes it")
    assert records.of("shop/web") is first
    records.write(record("three"))
    assert {one.id for one in records.of("shop/web")} == {"two", "three"}


def test_each_service_has_its_own(tmp_path: Path) -> None:
    """What is no record is nobody's."""
    records = Records(tmp_path)
    records.write(record("one"))
    records.write(record("two", "shop/api"))
    (tmp_path / "three.json").write_text("")
    assert [one.id for one in records.of("shop/api")] == ["two"]
    assert records.of("shop/none") == []
    assert len(records.all()) == 2
