"""What gets a second look."""

from tests.failed import again


def test_tests_that_build_on_each_other_are_tried_again_together() -> None:
    """One of them alone finds nothing of what those before it did; any other is tried by itself."""
    shared, alone = "tests/e2e/test_revisions.py", "tests/unit/test_cron.py::test_a[b c]"
    assert again([f"{shared}::test_one", alone, f"{shared}::test_two"]) == [shared, alone]
