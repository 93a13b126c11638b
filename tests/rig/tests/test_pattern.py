"""Which events a rule of EventBridge is for."""

import pytest
from tests.rig.calendar.pattern import matches

FAILED = {"$or": [{"containers": {"name": ["web"], "exitCode": [{"anything-but": 0}]}}, {"stopCode": ["TaskFailed"]}]}


@pytest.mark.parametrize(
    ("web", "beside", "stop_code", "told"),
    [
        (0, 137, "EssentialContainerExited", False),
        (3, 0, "EssentialContainerExited", True),
        (None, None, "EssentialContainerExited", False),
        (None, None, "TaskFailed", True),
    ],
)
def test_two_fields_of_an_array_are_those_of_one_element(
    web: int | None, beside: int | None, stop_code: str, told: bool
) -> None:
    """The name of one container and the code of another are no match; what is not there is not anything but 0."""
    containers = [
        {"name": name, **({} if code is None else {"exitCode": code})}
        for name, code in (("xray", beside), ("web", web))
    ]
    assert matches(FAILED, {"containers": containers, "stopCode": stop_code}) is told


def test_all_that_a_pattern_names_has_to_be_there() -> None:
    """A prefix is of text; a comparison that the rig does not know is no silent match."""
    pattern = {"detail": {"group": [{"prefix": "job:"}], "lastStatus": ["STOPPED"]}}
    assert matches(pattern, {"detail": {"group": "job:tidy", "lastStatus": "STOPPED", "more": 1}})
    assert not matches(pattern, {"detail": {"group": "service:web", "lastStatus": "STOPPED"}})
    assert not matches(pattern, {"detail": {"group": "job:tidy"}})
    with pytest.raises(NotImplementedError):
        matches({"group": [{"suffix": "tidy"}]}, {"group": "tidy"})
