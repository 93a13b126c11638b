"""The corpus of public Compose files, and how much of it comes in whole."""

from pathlib import Path

import pytest
from benchmarks.compose import Judged, corpus, judge


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return [judge(project) for project in corpus()]


def test_three_of_four_come_in_with_nothing_to_do_but_build_images_and_set_secrets(judged: list[Judged]) -> None:
    """Of at least sixty, from many hands."""
    whole = [one for one in judged if not one.reasons]
    assert len(judged) >= 60
    assert len({one.project.repo for one in judged}) >= 40
    assert len(whole) / len(judged) >= 0.75, [(one.project.name, one.reasons) for one in judged if one.reasons]


def test_what_is_written_is_taken_by_check_and_forgets_no_service(judged: list[Judged]) -> None:
    """Whatever else is to be done."""
    told = ("check refuses it", "forgotten", "dropped without a word", "refused")
    assert [(one.project.name, one.reasons) for one in judged if any(w.startswith(told) for w in one.reasons)] == []


def test_where_each_is_from_is_kept() -> None:
    """The repository, the commit, and the paths of its files."""
    for project in corpus():
        assert len(project.commit) == 40
        assert project.repo.count("/") == 1
        assert set(project.compose) <= set(project.files)
        assert not any(Path(path).is_absolute() or ".." in path for path in (*project.files, *project.there))
