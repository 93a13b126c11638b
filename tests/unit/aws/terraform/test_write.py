from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.aws.terraform.write import MANIFEST, FileState, FolderComparison, compare, write
from crossfade.core.errors import RefusedError, WrongInputError

FIRST = {"environments/dev/main.tf": "one\n", "modules/vpc/main.tf": "two\n"}
LATER = {"environments/dev/main.tf": "one\n", "modules/vpc/main.tf": "three\n"}
VPC = "modules/vpc/main.tf"


def states(comparison: FolderComparison) -> dict[str, FileState]:
    return {change.path: change.state for change in comparison.changes}


def content(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_what_was_written_is_as_it_should_be(tmp_path: Path) -> None:
    """After a write nothing is left to do, and nothing else is in the folder."""
    write(compare(tmp_path, FIRST))
    assert content(tmp_path) == FIRST
    assert set(states(compare(tmp_path, FIRST)).values()) == {FileState.SAME}


def test_a_file_that_nobody_touched_is_brought_up_to_date(tmp_path: Path) -> None:
    """Only the file that is different is written, and its difference can be shown."""
    write(compare(tmp_path, FIRST))
    before = (tmp_path / "environments/dev/main.tf").stat().st_mtime_ns
    found = compare(tmp_path, LATER)
    (changed,) = found.of(FileState.CHANGED)
    assert "-two\n+three\n" in changed.diff()
    write(found)
    assert content(tmp_path) == LATER
    assert (tmp_path / "environments/dev/main.tf").stat().st_mtime_ns == before


def test_an_edited_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    """An edit that stands against a change is refused by name, and nothing at all is written."""
    write(compare(tmp_path, FIRST))
    (tmp_path / VPC).write_text("mine\n")
    with pytest.raises(RefusedError, match=r"modules/vpc/main\.tf was edited"):
        write(compare(tmp_path, LATER | {"new.tf": "new\n"}))
    assert content(tmp_path) == FIRST | {VPC: "mine\n"}


def test_an_edit_that_stands_against_nothing_is_left_in_peace(tmp_path: Path) -> None:
    """As long as the file wants nothing new there, an edited file stays, run after run."""
    write(compare(tmp_path, FIRST))
    (tmp_path / VPC).write_text("mine\n")
    for _ in range(2):
        found = compare(tmp_path, FIRST)
        assert states(found)[VPC] is FileState.YOURS
        write(found)
    assert content(tmp_path)[VPC] == "mine\n"


def test_force_takes_ours_and_keeps_theirs_beside_it(tmp_path: Path) -> None:
    """With --force the edited file is ours again, and the edit is in .orig."""
    write(compare(tmp_path, FIRST))
    (tmp_path / VPC).write_text("mine\n")
    assert write(compare(tmp_path, LATER), force=True) == {VPC: f"{VPC}.orig"}
    assert content(tmp_path) == LATER | {f"{VPC}.orig": "mine\n"}
    (tmp_path / VPC).write_text("mine again\n")
    assert write(compare(tmp_path, FIRST), force=True) == {VPC: f"{VPC}.orig1"}


def test_keep_leaves_theirs_and_asks_no_more(tmp_path: Path) -> None:
    """With --keep the edit stays, the rest is written, and the same change is not refused a second time."""
    write(compare(tmp_path, FIRST))
    (tmp_path / VPC).write_text("mine\n")
    write(compare(tmp_path, LATER | {"new.tf": "new\n"}), keep=True)
    assert content(tmp_path)[VPC] == "mine\n"
    assert content(tmp_path)["new.tf"] == "new\n"
    assert states(compare(tmp_path, LATER | {"new.tf": "new\n"}))[VPC] is FileState.YOURS


def test_what_is_no_longer_asked_for_goes(tmp_path: Path) -> None:
    """A file that we wrote and nobody edited is removed with its empty folder; an edited one stays and is named."""
    write(compare(tmp_path, FIRST | {"modules/old/main.tf": "old\n", "edited.tf": "ours\n"}))
    (tmp_path / "edited.tf").write_text("mine\n")
    found = compare(tmp_path, FIRST)
    assert [change.path for change in found.of(FileState.GONE)] == ["modules/old/main.tf"]
    assert [change.path for change in found.of(FileState.LEFT)] == ["edited.tf"]
    write(found)
    assert content(tmp_path) == FIRST | {"edited.tf": "mine\n"}
    assert not (tmp_path / "modules/old").exists()


def test_what_another_run_answers_for_stays(tmp_path: Path) -> None:
    """With only one environment asked for, files of another are neither removed nor forgotten."""
    write(compare(tmp_path, FIRST | {"environments/prod/main.tf": "prod\n"}))
    write(compare(tmp_path, FIRST, lambda path: path.startswith("environments/dev/")))
    assert content(tmp_path)["environments/prod/main.tf"] == "prod\n"
    assert states(compare(tmp_path, FIRST))["environments/prod/main.tf"] is FileState.GONE


def test_files_of_somebody_else_count_as_edited(tmp_path: Path) -> None:
    """A file that was there before us is not ours to overwrite, and one that is equal is no trouble."""
    (tmp_path / "modules/vpc").mkdir(parents=True)
    (tmp_path / VPC).write_text("theirs\n")
    found = compare(tmp_path, FIRST)
    assert states(found)[VPC] is FileState.EDITED
    (tmp_path / VPC).write_text(FIRST[VPC])
    assert states(compare(tmp_path, FIRST))[VPC] is FileState.SAME


@pytest.mark.parametrize("text", ["{", "[]", '{"written": 1}'])
def test_a_broken_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    """A manifest that is not ours is refused by its name."""
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(WrongInputError, match="is not what crossfade wrote"):
        compare(tmp_path, FIRST)


def test_a_manifest_cannot_name_files_outside(tmp_path: Path) -> None:
    """Whatever a manifest says, nothing outside of the folder is removed."""
    folder = tmp_path / "infrastructure"
    write(compare(folder, FIRST))
    (tmp_path / "precious").write_text("one\n")
    known = (folder / MANIFEST).read_text()
    sha = compare(folder, FIRST).known["environments/dev/main.tf"]
    (folder / MANIFEST).write_text(known.replace('"written": {', f'"written": {{"../precious": "{sha}",'))
    write(compare(folder, FIRST))
    assert (tmp_path / "precious").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A file where a folder has to be is named, without a traceback."""
    (tmp_path / "modules").write_text("a file")
    with pytest.raises(RefusedError, match="modules"):
        write(compare(tmp_path, FIRST))


TEXTS = st.dictionaries(st.sampled_from(["a.tf", "b/c.tf", "b/d.tf"]), st.sampled_from(["1\n", "2\n", ""]))


@settings(deadline=None)  # a busy disk is no mistake
@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["", "force", "keep"])), max_size=5))
def test_no_edit_is_ever_lost(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[dict[str, str], dict[str, str], str]]
) -> None:
    """Whatever is edited between whatever runs: after a run each edit is where it was, or beside it."""
    folder = tmp_path_factory.mktemp("runs")
    for wanted, edits, how in runs:
        for path, text in edits.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(f"mine {text}")
        before = {path: text for path, text in content(folder).items() if text.startswith("mine")}
        found = compare(folder, wanted)
        try:
            write(found, force=how == "force", keep=how == "keep")
        except RefusedError:
            assert found.of(FileState.EDITED)
        after = content(folder)
        for path, text in before.items():
            assert text in {after[there] for there in after if there.startswith(path)}
