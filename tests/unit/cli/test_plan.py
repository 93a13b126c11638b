"""A plan as it is said."""

from crossfade.cli.file.plan import said_of

STEPS = [{"at": 0.0, "do": "launch 1 of release 2"}]


def test_a_plan_says_that_a_build_may_come_out_as_what_runs() -> None:
    """A deploy of that does nothing, and only making it shows that."""
    assert said_of({"unchanged": None, "steps": STEPS, "if_built": True}).splitlines() == [
        "if its build makes an image other than the one that runs, otherwise nothing:",
        "       0.0 s  launch 1 of release 2",
    ]


def test_a_plan_without_a_build_is_its_steps() -> None:
    """Or why there are none; a host of an earlier version says less."""
    assert said_of({"steps": STEPS}) == "       0.0 s  launch 1 of release 2"
    assert said_of({"unchanged": "x runs already", "steps": []}) == "unchanged: x runs already"
