"""The corpus of public folders, and how many of them `init` recognises."""

from benchmarks.folders import corpus, guess


def test_nine_of_ten_folders_are_recognised_as_what_they_are() -> None:
    """Of at least twenty, from many hands; of the others something is left to do, and is said."""
    guessed = [guess(folder) for folder in corpus()]
    assert len({one.folder.repo for one in guessed}) >= 20
    wrong = [one for one in guessed if not one.right]
    assert len(wrong) / len(guessed) <= 0.1, [(one.folder.repo, one.differs) for one in wrong]
    assert [one.folder.repo for one in wrong if not one.todos] == []
